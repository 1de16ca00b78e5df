"""The only code that compares signatures and, for tests and stand-ins, makes them."""

import base64
import binascii
import hashlib
import hmac
import html
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from connector.domain.errors import Retryable, UnverifiedDelivery
from connector.domain.signing import (
    Encoding,
    HmacSignature,
    Reply,
    RsaSignature,
    SecretForm,
    Secrets,
    Signature,
    SignedMessage,
    StaticSecret,
    UnsignedPing,
)

_LONGEST_HEADER = 8_192


class KeyNotYetKnown(Retryable):
    """The public key this delivery names has not been fetched yet; the sender should try again in a minute."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url


def verify(signatures: tuple[Signature, ...], headers: Mapping[str, str], body: bytes, secrets: Secrets) -> Reply:
    """Check a delivery's raw bytes; the platform's wanted reply comes back.

    Of the platform's ways to sign, the first whose header is present must hold: a second header cannot make good a
    wrong first one. Raises UnverifiedDelivery when nothing holds, and KeyNotYetKnown for an RSA key still to fetch.
    Header names are lower case. A shop without secrets refuses everything.
    """
    for signature in signatures:
        if _is_present(signature, headers):
            if not _holds(signature, headers, body, secrets):
                raise UnverifiedDelivery
            return signature.reply
    raise UnverifiedDelivery("no signature header this platform uses. Is the webhook made with a secret?")


def sign(signature: HmacSignature, body: bytes, secret: str) -> str:
    """The header value a platform would send for this body."""
    return _encoded(signature.encoding, _digest(signature.secret_form, body, secret))


def sign_rsa(signature: RsaSignature, body: bytes, private_key: rsa.RSAPrivateKey) -> str:
    """The header value (base64) a platform would send for this body."""
    made = private_key.sign(_signed_message(signature, body), padding.PKCS1v15(), hashes.SHA256())
    return base64.b64encode(made).decode()


def is_ping(ping: UnsignedPing | None, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether this is the platform's unsigned test call: a small form with exactly its fields and nothing else."""
    if ping is None or len(body) > 256 or not headers.get("content-type", "").startswith(ping.content_type):
        return False
    try:
        pairs = parse_qsl(body.decode("ascii"), strict_parsing=True, max_num_fields=len(ping.fields))
    except (UnicodeDecodeError, ValueError):
        return False
    return sorted(name for name, _ in pairs) == sorted(ping.fields)


def _is_present(signature: Signature, headers: Mapping[str, str]) -> bool:
    names = signature.signature_headers if isinstance(signature, RsaSignature) else signature.headers
    return any(name in headers for name in names)


def _holds(signature: Signature, headers: Mapping[str, str], body: bytes, secrets: Secrets) -> bool:
    if isinstance(signature, HmacSignature):
        return _hmac_holds(signature, headers, body, secrets)
    if isinstance(signature, StaticSecret):
        return _static_holds(signature, headers, secrets)
    return _rsa_holds(signature, headers, body, secrets)


def _hmac_holds(signature: HmacSignature, headers: Mapping[str, str], body: bytes, secrets: Secrets) -> bool:
    sent = next(headers[name] for name in signature.headers if name in headers)
    given = _decoded(signature.encoding, sent)
    if given is None:
        return False
    matches = [
        hmac.compare_digest(_digest(signature.secret_form, body, secret), given) for secret in secrets.shared if secret
    ]
    return any(matches)


def _digest(form: SecretForm, body: bytes, secret: str) -> bytes:
    plain = html.unescape(secret) if form is SecretForm.HTML_ENTITIES_DECODED else secret
    return hmac.digest(plain.encode(), body, "sha256")


def _encoded(encoding: Encoding, digest: bytes) -> str:
    return base64.b64encode(digest).decode() if encoding is Encoding.BASE64 else digest.hex()


def _decoded(encoding: Encoding, text: str) -> bytes | None:
    if len(text) > _LONGEST_HEADER:
        return None
    try:
        raw = text.encode("ascii")
        if encoding is Encoding.BASE64:
            return base64.b64decode(raw, validate=True)
        return binascii.unhexlify(raw)
    except (UnicodeEncodeError, binascii.Error):
        return None


def _static_holds(signature: StaticSecret, headers: Mapping[str, str], secrets: Secrets) -> bool:
    sent = next(headers[name] for name in signature.headers if name in headers)
    given = hashlib.sha256(_static_secret(sent)).digest()
    matches = [
        hmac.compare_digest(hashlib.sha256(secret.encode()).digest(), given) for secret in secrets.shared if secret
    ]
    return any(matches)


def _static_secret(sent: str) -> bytes:
    """The secret in a header: the password of `Basic`, the token of `Bearer`, else the whole value."""
    scheme, _, rest = sent.partition(" ")
    if scheme.lower() == "basic":
        decoded = _decoded(Encoding.BASE64, rest.strip())
        return decoded.partition(b":")[2] if decoded is not None else b""
    return (rest if scheme.lower() == "bearer" else sent).strip().encode("utf-8", "surrogateescape")


def _rsa_holds(signature: RsaSignature, headers: Mapping[str, str], body: bytes, secrets: Secrets) -> bool:
    message = _signed_message(signature, body)
    wanted: list[str] = []
    for given, key_path in _rsa_pairs(signature, headers):
        pems = [secrets.public_keys[key_path]] if key_path in secrets.public_keys else []
        if not signature.key_path_headers:
            pems = list(secrets.public_keys.values())
        elif not pems and re.fullmatch(signature.key_path_pattern, key_path):
            wanted.append(signature.key_host + key_path)
        if any(_rsa_fits(pem, given, message) for pem in pems):
            return _is_for_us(signature, body, secrets)
    if wanted and _is_for_us(signature, body, secrets):
        raise KeyNotYetKnown(wanted[0])
    return False


def _is_for_us(signature: RsaSignature, body: bytes, secrets: Secrets) -> bool:
    if not signature.audience_fields:
        return True
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return False
    events = document if isinstance(document, list) else [document]
    return bool(events) and all(_names_us(signature, event, secrets) for event in events)


def _names_us(signature: RsaSignature, event: object, secrets: Secrets) -> bool:
    if not isinstance(event, dict):
        return False
    named = [str(event[field]).encode() for field in signature.audience_fields if field in event]
    return any(hmac.compare_digest(name, ours.encode()) for name in named for ours in secrets.audiences if ours)


def _rsa_pairs(signature: RsaSignature, headers: Mapping[str, str]) -> list[tuple[bytes, str]]:
    paths = signature.key_path_headers or ("",) * len(signature.signature_headers)
    pairs = []
    for name, path_name in zip(signature.signature_headers, paths, strict=True):
        given = _decoded(Encoding.BASE64, headers.get(name, ""))
        if given:
            pairs.append((given, headers.get(path_name, "")))
    return pairs


def _signed_message(signature: RsaSignature, body: bytes) -> bytes:
    return base64.b64encode(body) if signature.message is SignedMessage.BASE64_OF_BODY else body


def _rsa_fits(pem: str, given: bytes, message: bytes) -> bool:
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        return False
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    try:
        key.verify(given, message, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True
