"""How a platform signs its webhooks, as data; webhooks/verification.py is the only code that acts on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Encoding(Enum):
    BASE64 = "base64"
    HEX = "hex"


class SecretForm(Enum):
    """What is done to a secret before it becomes key bytes."""

    AS_GIVEN = "as given"
    HTML_ENTITIES_DECODED = "HTML entities decoded"


class SignedMessage(Enum):
    RAW_BODY = "the raw body"
    BASE64_OF_BODY = "base64 of the raw body"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a platform wants to read after a genuine delivery."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class HmacSignature:
    """HMAC-SHA256 over the raw body with one of the shop's secrets, in one of these headers (lower case)."""

    headers: tuple[str, ...]
    encoding: Encoding
    secret_form: SecretForm = SecretForm.AS_GIVEN
    reply: Reply = field(default_factory=Reply)


@dataclass(frozen=True, slots=True)
class StaticSecret:
    """The secret itself in a header, as given or as the password of `Authorization: Basic`.

    It proves the sender, not the body.
    """

    headers: tuple[str, ...]
    reply: Reply = field(default_factory=Reply)


@dataclass(frozen=True, slots=True)
class RsaSignature:
    """RSA PKCS#1 v1.5 with SHA-256, base64, in any of these headers; one valid signature is enough."""

    signature_headers: tuple[str, ...]
    key_path_headers: tuple[str, ...] = ()
    """The header that names the key of the signature at the same position; without any, the shop's own keys count."""
    key_host: str = ""
    """`https://…` the key paths are joined to; keys are fetched by the clock, never while a sender waits."""
    key_path_pattern: str = ""
    """A regular expression the whole key path must match."""
    message: SignedMessage = SignedMessage.RAW_BODY
    audience_fields: tuple[str, ...] = ()
    """Fields of the JSON body (of each object of a list) of which one must name us: the key signs for everybody."""
    reply: Reply = field(default_factory=Reply)


Signature = HmacSignature | StaticSecret | RsaSignature


@dataclass(frozen=True, slots=True)
class UnsignedPing:
    """A test call the platform cannot sign: a form body with only these fields.

    It is answered, counted, and means nothing.
    """

    content_type: str
    fields: tuple[str, ...]
    reply: Reply = field(default_factory=Reply)


@dataclass(frozen=True, slots=True)
class Challenge:
    """A question at registration: the query parameter's value is the answer, as plain text."""

    parameter: str


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a shop's deliveries are checked with. Several secrets are valid at once while one is rotated."""

    shared: tuple[str, ...] = ()
    public_keys: Mapping[str, str] = field(default_factory=dict)
    """PEM by key path; keys pasted by the merchant stand under any other name."""
    audiences: tuple[str, ...] = ()
    """Our own names at a sender whose key signs for many receivers."""
