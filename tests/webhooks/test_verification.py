"""Signatures: what holds, and everything that nearly does."""

import base64
import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding as KeyEncoding
from cryptography.hazmat.primitives.serialization import PublicFormat
from hypothesis import given
from hypothesis import strategies as st

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
from webhooks.verification import KeyNotYetKnown, is_ping, sign, sign_rsa, verify

BODY = b'{"id":15,"name":"M\\u00fcller \\/ S\\u00f6hne"}'
BASE64 = HmacSignature(headers=("x-signature",), encoding=Encoding.BASE64)
HEX = HmacSignature(headers=("x-signature",), encoding=Encoding.HEX)
STATIC = StaticSecret(headers=("authorization", "x-secret"))
SECRET = "s3cret-Key"
PRIVATE_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OWN_RSA = RsaSignature(signature_headers=("x-rsa",))
HOSTED_RSA = RsaSignature(
    signature_headers=("x-rsa-1", "x-rsa-2"),
    key_path_headers=("x-key-1", "x-key-2"),
    key_host="https://keys.example.test",
    key_path_pattern=r"/prod/keys/pub-key-[A-Za-z0-9-]{1,50}\.pem",
    message=SignedMessage.BASE64_OF_BODY,
    audience_fields=("recipient_client_id", "recipient"),
)
KEY_PATH = "/prod/keys/pub-key-a1.pem"


def pem(key: rsa.RSAPrivateKey) -> str:
    return key.public_key().public_bytes(KeyEncoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def holds(signature: Signature, headers: dict[str, str], secrets: Secrets | str, body: bytes = BODY) -> bool:
    try:
        verify((signature,), headers, body, Secrets(shared=(secrets,)) if isinstance(secrets, str) else secrets)
    except UnverifiedDelivery:
        return False
    return True


def test_a_signature_is_the_one_the_standard_library_computes() -> None:
    digest = hmac.new(SECRET.encode(), BODY, hashlib.sha256).digest()
    assert sign(BASE64, BODY, SECRET) == base64.b64encode(digest).decode()
    assert sign(HEX, BODY, SECRET) == digest.hex()


@given(st.binary(max_size=200), st.text(min_size=1, max_size=40))
def test_what_is_signed_holds_for_any_body_and_secret(body: bytes, secret: str) -> None:
    for signature in (BASE64, HEX):
        assert holds(signature, {"x-signature": sign(signature, body, secret)}, secret, body)


@given(st.text(max_size=80))
def test_no_other_header_holds(sent: str) -> None:
    assert not holds(BASE64, {"x-signature": sent}, SECRET)
    assert not holds(HEX, {"x-signature": sent}, SECRET)


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_one_changed_byte_breaks_it(position: int, change: int) -> None:
    changed = BODY[:position] + bytes([BODY[position] ^ change]) + BODY[position + 1 :]
    assert not holds(BASE64, {"x-signature": sign(BASE64, BODY, SECRET)}, SECRET, changed)


def test_re_encoded_json_is_another_body() -> None:
    again = json.dumps(json.loads(BODY)).encode()
    assert again != BODY
    assert not holds(BASE64, {"x-signature": sign(BASE64, BODY, SECRET)}, SECRET, again)


def test_hex_is_not_taken_for_base64_nor_the_other_way() -> None:
    assert not holds(BASE64, {"x-signature": sign(HEX, BODY, SECRET)}, SECRET)
    assert not holds(HEX, {"x-signature": sign(BASE64, BODY, SECRET)}, SECRET)


def test_hex_may_be_in_capital_letters() -> None:
    assert holds(HEX, {"x-signature": sign(HEX, BODY, SECRET).upper()}, SECRET)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda sent: sent.rstrip("="),
        lambda sent: sent + "=",
        lambda sent: sent + "====",
        lambda sent: sent[:-4],
        lambda sent: "sha256=" + sent,
        lambda sent: sent[:20] + "\n" + sent[20:],
        lambda sent: sent[:20] + "é" + sent[21:],
        lambda sent: sent[:20] + "\udce9" + sent[21:],
        lambda sent: sent[:0],
        lambda sent: "=" * len(sent),
        lambda sent: sent * 1_000,
    ],
)
@pytest.mark.parametrize("signature", [BASE64, HEX])
def test_a_spoiled_header_is_refused_and_raises_nothing_else(signature: HmacSignature, spoil: object) -> None:
    assert callable(spoil)
    spoiled = spoil(sign(signature, BODY, SECRET))
    if spoiled != sign(signature, BODY, SECRET):
        assert not holds(signature, {"x-signature": spoiled}, SECRET)


def test_without_a_header_nothing_holds() -> None:
    with pytest.raises(UnverifiedDelivery, match="made with a secret"):
        verify((BASE64,), {}, BODY, Secrets(shared=(SECRET,)))


@pytest.mark.parametrize("secrets", [Secrets(), Secrets(shared=("",)), Secrets(shared=("", ""))])
def test_an_empty_secret_opens_nothing(secrets: Secrets) -> None:
    for signature in (BASE64, HEX):
        assert not holds(signature, {"x-signature": sign(signature, BODY, "")}, secrets)
    for sent in ("", "Bearer ", "Bearer", "Basic Og==", "Basic "):
        assert not holds(STATIC, {"authorization": sent}, secrets)


def test_while_a_secret_is_rotated_both_hold_and_a_third_does_not() -> None:
    secrets = Secrets(shared=("old", "new"))
    for secret in secrets.shared:
        assert holds(BASE64, {"x-signature": sign(BASE64, BODY, secret)}, secrets)
    assert not holds(BASE64, {"x-signature": sign(BASE64, BODY, "third")}, secrets)


@pytest.mark.parametrize("secret", ["Ωμέγα ключ", " spaces kept ", "x" * 300])
def test_any_secret_is_used_as_it_was_given(secret: str) -> None:
    header = base64.b64encode(hmac.new(secret.encode(), BODY, hashlib.sha256).digest()).decode()
    assert holds(BASE64, {"x-signature": header}, secret)
    assert not holds(BASE64, {"x-signature": header}, secret.strip() + "!")


@pytest.mark.parametrize(
    ("given", "signs"),
    [("a&amp;b", "a&b"), ("&lt;x&gt;", "<x>"), ("it&#039;s", "it's"), ("&quot;", '"'), ("plain", "plain")],
)
def test_html_entities_are_decoded_only_where_the_platform_does(given: str, signs: str) -> None:
    decoding = HmacSignature(("x-signature",), Encoding.BASE64, SecretForm.HTML_ENTITIES_DECODED)
    header = {"x-signature": sign(BASE64, BODY, signs)}
    assert holds(decoding, header, given)
    assert holds(BASE64, header, given) is (given == signs)


def test_a_second_header_cannot_make_good_a_wrong_first_one() -> None:
    both = (BASE64, StaticSecret(headers=("x-secret",)))
    secrets = Secrets(shared=(SECRET,))
    with pytest.raises(UnverifiedDelivery):
        verify(both, {"x-signature": "wrong", "x-secret": SECRET}, BODY, secrets)
    verify(both, {"x-secret": SECRET}, BODY, secrets)


def test_the_first_of_several_names_of_a_header_counts() -> None:
    renamed = HmacSignature(headers=("x-new", "x-old"), encoding=Encoding.BASE64)
    right = sign(renamed, BODY, SECRET)
    assert holds(renamed, {"x-old": right}, SECRET)
    assert not holds(renamed, {"x-new": "wrong", "x-old": right}, SECRET)


def test_the_reply_is_the_one_of_the_signature_that_held() -> None:
    reply = Reply(status=200, body=b'{"op":"success"}', content_type="application/json")
    replying = HmacSignature(("x-signature",), Encoding.BASE64, reply=reply)
    assert (
        verify((STATIC, replying), {"x-signature": sign(BASE64, BODY, SECRET)}, BODY, Secrets(shared=(SECRET,)))
        == reply
    )


@pytest.mark.parametrize(
    "sent",
    [
        SECRET,
        f"Bearer {SECRET}",
        f"bearer {SECRET}",
        "Basic " + base64.b64encode(f"user:{SECRET}".encode()).decode(),
        "BASIC " + base64.b64encode(f":{SECRET}".encode()).decode(),
    ],
)
def test_a_static_secret_is_the_header_the_token_or_the_password(sent: str) -> None:
    assert holds(STATIC, {"authorization": sent}, SECRET)
    assert not holds(STATIC, {"authorization": sent}, "another")


def test_a_password_may_hold_a_colon_and_letters_beyond_ascii() -> None:
    secret = "pa:ss:wörd"
    sent = "Basic " + base64.b64encode(f"user:{secret}".encode()).decode()
    assert holds(STATIC, {"authorization": sent}, secret)


@pytest.mark.parametrize(
    "sent", ["Basic !!!", "Basic", "Basic c2Vj", "Bearer", "\udcff", "é", SECRET + "x", SECRET[:-1]]
)
def test_a_wrong_static_secret_is_refused_and_raises_nothing_else(sent: str) -> None:
    assert not holds(STATIC, {"authorization": sent}, SECRET)


def test_an_rsa_signature_holds_with_a_key_the_merchant_pasted() -> None:
    headers = {"x-rsa": sign_rsa(OWN_RSA, BODY, PRIVATE_KEY)}
    assert holds(OWN_RSA, headers, Secrets(public_keys={"pasted": pem(PRIVATE_KEY)}))
    assert holds(OWN_RSA, headers, Secrets(public_keys={"old": pem(OTHER_KEY), "new": pem(PRIVATE_KEY)}))
    assert not holds(OWN_RSA, headers, Secrets(public_keys={"pasted": pem(OTHER_KEY)}))
    assert not holds(OWN_RSA, headers, Secrets())
    assert not holds(OWN_RSA, headers, Secrets(public_keys={"pasted": pem(PRIVATE_KEY)}), BODY + b" ")


@pytest.mark.parametrize("sent", ["", "AAAA", "é", "x" * 9_000, "===="])
def test_a_spoiled_rsa_signature_is_refused_and_raises_nothing_else(sent: str) -> None:
    assert not holds(OWN_RSA, {"x-rsa": sent}, Secrets(public_keys={"pasted": pem(PRIVATE_KEY)}))


def test_a_key_that_is_no_rsa_key_opens_nothing() -> None:
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    elliptic = curve.public_bytes(KeyEncoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    headers = {"x-rsa": sign_rsa(OWN_RSA, BODY, PRIVATE_KEY)}
    for key in (elliptic, "", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "ключ"):
        assert not holds(OWN_RSA, headers, Secrets(public_keys={"pasted": key}))


def hosted(body: bytes, *, second: bool = False, path: str = KEY_PATH) -> dict[str, str]:
    """Headers of a sender with published keys; the other signature is rubbish, as while a key is rotated."""
    right, wrong = ("2", "1") if second else ("1", "2")
    return {
        f"x-rsa-{right}": sign_rsa(HOSTED_RSA, body, PRIVATE_KEY),
        f"x-key-{right}": path,
        f"x-rsa-{wrong}": base64.b64encode(b"x" * 256).decode(),
        f"x-key-{wrong}": "/prod/keys/pub-key-b2.pem",
    }


FOR_US = json.dumps({"recipient_client_id": "client-1", "event": {}}).encode()
KNOWN = Secrets(public_keys={KEY_PATH: pem(PRIVATE_KEY)}, audiences=("client-1",))


@pytest.mark.parametrize("second", [False, True])
def test_one_valid_signature_of_two_is_enough(second: bool) -> None:
    assert holds(HOSTED_RSA, hosted(FOR_US, second=second), KNOWN, FOR_US)


def test_a_signature_over_the_body_itself_is_not_one_over_its_base64() -> None:
    headers = hosted(FOR_US) | {"x-rsa-1": sign_rsa(OWN_RSA, FOR_US, PRIVATE_KEY)}
    secrets = Secrets(public_keys=dict.fromkeys((KEY_PATH, "/prod/keys/pub-key-b2.pem"), pem(PRIVATE_KEY)))
    assert not holds(HOSTED_RSA, headers, secrets, FOR_US)


@pytest.mark.parametrize(
    "document",
    [
        {"recipient_client_id": "client-2"},
        {"event": {"recipient_client_id": "client-1"}},
        {},
        [],
        "client-1",
        [{"recipient_client_id": "client-1"}, {"recipient_client_id": "client-2"}],
        [{"recipient_client_id": "client-1"}, "client-1"],
        {"recipient_client_id": ""},
    ],
)
def test_a_genuine_event_for_somebody_else_is_refused(document: object) -> None:
    body = json.dumps(document).encode()
    assert not holds(HOSTED_RSA, hosted(body), KNOWN, body)
    assert not holds(HOSTED_RSA, hosted(body), Secrets(public_keys=KNOWN.public_keys, audiences=("",)), body)


@pytest.mark.parametrize(
    "document",
    [{"recipient": "client-1"}, [{"recipient_client_id": "client-1"}, {"recipient": "client-1"}]],
)
def test_each_event_of_a_batch_names_us_in_one_of_the_fields(document: object) -> None:
    body = json.dumps(document).encode()
    assert holds(HOSTED_RSA, hosted(body), KNOWN, body)


@pytest.mark.parametrize("body", [b"not json", b"[" * 100_000, b"\xff", b""])
def test_a_signed_body_that_is_no_document_is_refused_and_raises_nothing_else(body: bytes) -> None:
    assert not holds(HOSTED_RSA, hosted(body), KNOWN, body)


def test_a_key_not_fetched_yet_asks_the_sender_to_come_again() -> None:
    unknown = Secrets(audiences=("client-1",))
    with pytest.raises(KeyNotYetKnown) as caught:
        verify((HOSTED_RSA,), hosted(FOR_US), FOR_US, unknown)
    assert isinstance(caught.value, Retryable)
    assert caught.value.url == "https://keys.example.test" + KEY_PATH


@pytest.mark.parametrize(
    "path",
    [
        "",
        "//evil.example.test/prod/keys/pub-key-a1.pem",
        "/prod/keys/../pub-key-a1.pem",
        "/prod/keys/pub-key-a1.pem?x=1",
        "/prod/keys/pub-key-a1.pem\n",
        "@evil.example.test/prod/keys/pub-key-a1.pem",
        "/prod/keys/pub-key-" + "a" * 60 + ".pem",
    ],
)
def test_no_key_is_asked_for_anywhere_but_where_the_platform_keeps_them(path: str) -> None:
    headers = {"x-rsa-1": sign_rsa(HOSTED_RSA, FOR_US, PRIVATE_KEY), "x-key-1": path}
    with pytest.raises(UnverifiedDelivery):
        verify((HOSTED_RSA,), headers, FOR_US, Secrets(audiences=("client-1",)))


def test_no_key_is_asked_for_an_event_that_is_not_for_us() -> None:
    with pytest.raises(UnverifiedDelivery):
        verify((HOSTED_RSA,), hosted(FOR_US), FOR_US, Secrets(audiences=("somebody-else",)))


def test_keys_pasted_by_the_merchant_do_not_sign_for_a_published_one() -> None:
    pasted = Secrets(public_keys={"pasted": pem(PRIVATE_KEY)}, audiences=("client-1",))
    with pytest.raises(KeyNotYetKnown):
        verify((HOSTED_RSA,), hosted(FOR_US), FOR_US, pasted)


PING = UnsignedPing(content_type="application/x-www-form-urlencoded", fields=("webhook_id",))
FORM = {"content-type": "application/x-www-form-urlencoded"}


def test_a_ping_is_a_small_form_with_exactly_its_fields() -> None:
    assert is_ping(PING, FORM, b"webhook_id=17")
    assert is_ping(PING, {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"}, b"webhook_id=17")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"webhook_id",
        b"webhook_id=1&x=2",
        b"webhook_id=1&webhook_id=2",
        b"x=1",
        b'{"id":1}',
        b"\xff",
        b"webhook_id=" + b"1" * 300,
    ],
)
def test_anything_more_or_less_is_no_ping(body: bytes) -> None:
    assert not is_ping(PING, FORM, body)


def test_no_ping_where_the_platform_has_none_or_names_no_form() -> None:
    assert not is_ping(None, FORM, b"webhook_id=17")
    assert not is_ping(PING, {}, b"webhook_id=17")
    assert not is_ping(PING, {"content-type": "application/json"}, b"webhook_id=17")
