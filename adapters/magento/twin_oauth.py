"""The shop's side of OAuth 1.0a as Magento's source checks it: integrations, their tokens, nonces and signatures."""

import base64
import functools
import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, quote, quote_plus, unquote, unquote_plus, urlencode

from adapters.magento.twin_errors import Refused, required
from adapters.twins import Answered, Asked
from connector.domain.clock import Clock

KEY_LENGTH = 32
EXCHANGE_WITHIN = timedelta(seconds=300)
"""oauth/consumer/expiration_period (magento reference, section 1.1)."""
CLOCK_AHEAD = timedelta(seconds=600)
SIGNED_WITH = "HMAC-SHA256"

_PROTOCOL = re.compile(r"oauth_[a-z_-]+")
_ALWAYS = ("oauth_consumer_key", "oauth_signature", "oauth_signature_method", "oauth_nonce", "oauth_timestamp")
_UNRESERVED = frozenset(string.ascii_letters + string.digits + "-._~")
_LETTERS = string.ascii_lowercase + string.digits


@dataclass(slots=True)
class Token:
    """An integration has one token, which changes its kind: verifier, then request, then access."""

    kind: str = "verifier"
    token: str = field(default_factory=lambda: random_key())
    secret: str = field(default_factory=lambda: random_key(), repr=False)
    verifier: str = field(default_factory=lambda: random_key(), repr=False)

    def become(self, kind: str) -> None:
        self.kind, self.token, self.secret = kind, random_key(), random_key()


@dataclass(slots=True)
class Integration:
    """A row of System > Integrations, with its consumer."""

    consumer_id: int
    posted_at: datetime
    """When its key was last posted to the callback, UTC."""
    callback_url: str = ""
    identity_url: str = ""
    key: str = field(default_factory=lambda: random_key())
    secret: str = field(default_factory=lambda: random_key(), repr=False)
    token: Token | None = None
    nonces: set[str] = field(default_factory=set, repr=False)

    @property
    def is_active(self) -> bool:
        """Whether the exchange was done: it has an access token."""
        return self.token is not None and self.token.kind == "access"


class OAuth:
    """All integrations of a shop, and the check of what they sign."""

    def __init__(self, clock: Clock, *, scheme: str, bearer: bool) -> None:
        """`scheme`: the one PHP believes in. `bearer`: an access token alone is enough (off since 2.4.4)."""
        self.integrations: list[Integration] = []
        self._clock = clock
        self._scheme = scheme
        self._bearer = bearer
        self._next_id = 1

    def add(self, callback_url: str = "", identity_url: str = "") -> Integration:
        integration = Integration(self._next_id, self._clock.now(), callback_url, identity_url)
        self._next_id += 1
        self.integrations.append(integration)
        return integration

    def authenticate(self, asked: Asked) -> Integration | None:
        """Who asks REST; None for a guest. Raises Refused for OAuth that does not hold."""
        given = asked.headers.get("authorization", "")
        if given.lower().startswith("bearer "):
            return self._bearer_of(given[7:].strip()) if self._bearer else None
        params = _parameters(asked)
        if not params:
            return None
        consumer = self._checked(params, ("oauth_token",))
        token = self._token(params["oauth_token"], consumer)
        if token.kind != "access":
            raise Refused(401, "Token is not an access token")
        self._check_signature(params, asked, consumer, token.secret)
        return consumer

    def exchange(self, asked: Asked) -> Answered:
        """`/oauth/token/request` and `/oauth/token/access`: form-encoded words, errors as `oauth_problem`."""
        step = self._request_token if asked.path.rstrip("/").endswith("request") else self._access_token
        try:
            token = step(asked, _parameters(asked))
        except Refused as error:
            said = ", ".join(one.words.rstrip(".") for one in error.errors) or error.words
            return _form(error.status, {"oauth_problem": said})
        return _form(200, {"oauth_token": token.token, "oauth_token_secret": token.secret})

    def _request_token(self, asked: Asked, params: Mapping[str, str]) -> Token:
        consumer = self._checked(params)
        if self._clock.now() - consumer.posted_at >= EXCHANGE_WITHIN:
            raise Refused(401, "Consumer key has expired")
        self._check_signature(params, asked, consumer)
        if consumer.token is None:
            raise Refused(401, "A token with consumer ID %1 does not exist", [str(consumer.consumer_id)])
        if consumer.token.kind != "verifier":
            raise Refused(401, "Cannot create request token because consumer token is not a verifier token")
        consumer.token.become("request")
        return consumer.token

    def _access_token(self, asked: Asked, params: Mapping[str, str]) -> Token:
        consumer = self._checked(params, ("oauth_token", "oauth_verifier"))
        token = self._token(params["oauth_token"], consumer)
        if token.kind != "request":
            raise Refused(401, "Token is already being used")
        if len(params["oauth_verifier"]) != KEY_LENGTH:
            raise Refused(401, "Verifier is not the correct length")
        if not hmac.compare_digest(params["oauth_verifier"].encode(), token.verifier.encode()):
            raise Refused(401, "Token verifier and verifier token do not match")
        self._check_signature(params, asked, consumer, token.secret)
        token.become("access")
        return token

    def _checked(self, params: Mapping[str, str], besides: tuple[str, ...] = ()) -> Integration:
        """The consumer, after all that is looked at before a signature; a nonce is used up whatever comes of it."""
        if params.get("oauth_version", "1.0") != "1.0":
            raise Refused(400, 'The "%1" Oauth version isn\'t supported.', [params["oauth_version"]])
        missing = [name for name in (*_ALWAYS, *besides) if name not in params]
        if missing:
            raise required(*missing)
        if len(params.get("oauth_token", "-" * KEY_LENGTH)) != KEY_LENGTH:
            raise Refused(400, "The token length is invalid. Check the length and try again.")
        if params["oauth_signature_method"] != SIGNED_WITH:
            raise Refused(400, "Signature method %1 is not supported", [params["oauth_signature_method"]])
        consumer = self._consumer(params["oauth_consumer_key"])
        self._use_nonce(consumer, params["oauth_nonce"], params["oauth_timestamp"])
        return consumer

    def _consumer(self, key: str) -> Integration:
        if len(key) != KEY_LENGTH:
            raise Refused(401, "Consumer key is not the correct length")
        for integration in self.integrations:
            if integration.key == key:
                return integration
        raise Refused(401, "A consumer having the specified key does not exist")

    def _use_nonce(self, consumer: Integration, nonce: str, timestamp: str) -> None:
        given = re.match(r"\s*\d+", timestamp)
        latest = (self._clock.now() + CLOCK_AHEAD).timestamp()
        if given is None or not 0 < int(given[0]) <= latest:
            # The source throws "Incorrect timestamp value" where it also catches it, so this is all that comes out.
            raise Refused(401, "An error occurred validating the nonce")
        if nonce in consumer.nonces:
            message = "The nonce is already being used by the consumer with ID %1"
            raise Refused(401, message, [str(consumer.consumer_id)])
        consumer.nonces.add(nonce)

    def _token(self, given: str, consumer: Integration) -> Token:
        if consumer.token is not None and consumer.token.token == given:
            return consumer.token
        if any(one.token is not None and one.token.token == given for one in self.integrations):
            raise Refused(401, "Token is not associated with the specified consumer")
        raise Refused(401, "Specified token does not exist")

    def _bearer_of(self, given: str) -> Integration | None:
        active = (one for one in self.integrations if one.is_active)
        return next((one for one in active if one.token is not None and one.token.token == given), None)

    def _check_signature(
        self, params: Mapping[str, str], asked: Asked, consumer: Integration, token_secret: str = ""
    ) -> None:
        expected = signature(
            asked.method, f"{self._scheme}://{asked.host}{asked.path}", params, consumer.secret, token_secret
        )
        if not hmac.compare_digest(expected.encode(), params["oauth_signature"].encode()):
            raise Refused(401, "The signature is invalid. Verify and try again.")


def signature(
    method: str, address: str, params: Mapping[str, str], consumer_secret: str, token_secret: str = ""
) -> str:
    """What Magento computes: names are sorted as people count (`[2]` before `[10]`), which OAuth itself does not do.

    `address` has no query. Source: Framework/Oauth/Helper/Signature.
    """
    encoded = {_encoded(name): _encoded(value) for name, value in params.items() if name != "oauth_signature"}
    ordered = sorted(encoded.items(), key=lambda pair: functools.cmp_to_key(natural_order)(pair[0]))
    line = "&".join(f"{name}={value}" for name, value in ordered)
    base = "&".join((method.upper(), _encoded(_normal(address)), _encoded(line)))
    key = f"{_encoded(consumer_secret)}&{_encoded(token_secret)}"
    return base64.b64encode(hmac.digest(key.encode(), base.encode(), hashlib.sha256)).decode()


def natural_order(left: str, right: str) -> int:
    """PHP's strnatcmp: runs of digits are compared as numbers, all else by its bytes."""
    ours, theirs = _tokens(left), _tokens(right)
    for one, other in zip(ours, theirs, strict=False):
        if one != other:
            return _token_order(one, other)
    return len(ours) - len(theirs)


def random_key() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(KEY_LENGTH))


@functools.lru_cache(1024)
def _tokens(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[0-9]+|[^0-9]", text))


def _token_order(one: str, other: str) -> int:
    numbers = one[0] in string.digits and other[0] in string.digits
    if numbers and "0" not in (one[0], other[0]) and len(one) != len(other):
        return len(one) - len(other)
    return -1 if one < other else 1


def _parameters(asked: Asked) -> dict[str, str]:
    """All that is signed, by name, a doubled name once; empty without an OAuth header.

    A query pair without exactly one `=` is dropped (magento reference, section 1.1).
    """
    given = asked.headers.get("authorization", "")
    start = given.lower().find("oauth ")
    if start < 0:
        return {}
    pairs = (part.strip().split("=", 1) for part in given[start + 6 :].split(","))
    params = {
        unquote(pair[0]): unquote(pair[1].strip('"')) for pair in pairs if len(pair) == 2 and _PROTOCOL.search(pair[0])
    }
    if asked.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        form = parse_qsl(asked.body.decode("utf-8", "replace"), keep_blank_values=True)
        params |= {name: value for name, value in form if not _PROTOCOL.search(name)}
    for part in asked.query.split("&"):
        name, *values = part.split("=")
        if len(values) == 1 and not _PROTOCOL.search(name):
            params[unquote_plus(name)] = unquote_plus(values[0])
    return params


def _normal(address: str) -> str:
    scheme, _, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    host = host.lower().removesuffix(":443" if scheme == "https" else ":80")
    return f"{scheme}://{host}{slash}" + re.sub(r"%[0-9A-Fa-f]{2}", _normal_escape, path)


def _normal_escape(found: re.Match[str]) -> str:
    letter = chr(int(found[0][1:], 16))
    return letter if letter in _UNRESERVED else found[0].upper()


def _encoded(text: str) -> str:
    return quote(text, safe="~")


def _form(status: int, words: Mapping[str, str]) -> Answered:
    body = urlencode(words, quote_via=quote_plus).encode()
    return Answered(status, body, content_type="text/html; charset=UTF-8")
