"""How a twin gives, renews and takes back access: ID tokens, token exchange, the code grant, rotation."""

import base64
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlencode

import jwt

from adapters.shopify.twin_schema import widened
from adapters.shopify.twin_settings import Settings
from adapters.twins import Answered, Asked, Cut
from connector.domain.clock import Clock

ACCESS_LIFE = timedelta(hours=1)
OWNERS_LIFE = timedelta(days=1)
REFRESH_LIFE = timedelta(days=90)
RETRY_LIFE = timedelta(days=30)
"""How long after its first use a refresh token may be used again."""
_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
_ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105  # the name of a kind of token
_OFFLINE = "urn:shopify:params:oauth:token-type:offline-access-token"


@dataclass(slots=True)
class Pair:
    """An access token and what renews it."""

    access_token: str
    expires_at: datetime | None
    refresh_token: str = ""
    refresh_until: datetime | None = None
    parent: "Pair | None" = None
    """The pair this one replaced, which may be used again until this one's refresh token is."""
    renewed_at: datetime | None = None
    """When its refresh token was first used."""
    retired: bool = False


class Refused(Exception):
    """The token endpoint says no."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.answer = said(status, {"error": error, "error_description": description})


def said(status: int, document: object, headers: Mapping[str, str] | None = None) -> Answered:
    return Answered(status, json.dumps(document).encode(), headers or {})


class Accounts:
    """The installation of the app in this shop and all tokens it was given."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.installed_at: datetime | None = None
        self.scopes: frozenset[str] = frozenset()
        """As granted, not widened."""
        self.secrets = [settings.client_secret]
        """All that are good at the token endpoint, the newest first."""
        self.lose_answers = 0
        """So many refreshes are carried out, and the connection is cut before the answer."""
        self._settings = settings
        self._clock = clock
        self._pairs: list[Pair] = []
        self._codes: dict[str, frozenset[str]] = {}

    def install(self, scopes: frozenset[str]) -> None:
        self.installed_at = self.installed_at or self._clock.now()
        self.scopes = scopes

    def end(self) -> None:
        """Everything that was given is dead."""
        self.installed_at = None
        self.scopes = frozenset()
        self._pairs.clear()
        self._codes.clear()

    def holder(self, access_token: str) -> Pair | None:
        """Whose token this is, if it is still good."""
        now = self._clock.now()
        for pair in self._pairs:
            if hmac.compare_digest(pair.access_token.encode(), access_token.encode()):
                return pair if pair.expires_at is None or now < pair.expires_at else None
        return None

    def expire(self) -> None:
        """All access tokens end now, as after an hour."""
        for pair in self._pairs:
            pair.expires_at = pair.expires_at and self._clock.now()

    def answer(self, asked: Asked) -> Answered:
        """`POST /admin/oauth/access_token`. Raises Cut for a lost answer."""
        try:
            given = _read_form(asked)
            self._check_client(given)
            return self._answer_grant(given)
        except Refused as refusal:
            return refusal.answer

    def code(self, scopes: frozenset[str]) -> str:
        """What the browser brings back after a yes, good once."""
        made = secrets.token_hex(16)
        self._codes[made] = scopes
        return made

    def id_token(self, *, secret: str = "", age: timedelta = timedelta(0), **claims: object) -> str:
        """What App Bridge gives a page. `age` makes a stale one, `secret` or other claims a forged one."""
        now = self._clock.now() - age
        dest = f"https://{self._settings.host}"
        usual: dict[str, object] = {
            "iss": f"{dest}/admin",
            "dest": dest,
            "aud": self._settings.client_id,
            "sub": "42",
            "exp": int((now + timedelta(minutes=1)).timestamp()),
            "nbf": int(now.timestamp()),
            "iat": int(now.timestamp()),
            "jti": secrets.token_hex(16),
            "sid": secrets.token_hex(32),
        }
        return jwt.encode(usual | claims, secret or self.secrets[0], algorithm="HS256")

    def launch_query(self, id_token: str) -> str:
        """What stands behind the app's address when the admin opens it, signed."""
        query = {
            "embedded": "1",
            **self.place(),
            "id_token": id_token,
            "locale": self._settings.locale,
            "session": secrets.token_hex(32),
            "shop": self._settings.host,
            "timestamp": str(int(self._clock.now().timestamp())),
        }
        return self.signed(query)

    def place(self) -> dict[str, str]:
        """The `host` parameter: which admin the app stands in."""
        name = self._settings.host.removesuffix(".myshopify.com")
        return {"host": base64.b64encode(f"admin.shopify.com/store/{name}".encode()).decode().rstrip("=")}

    def signed(self, query: Mapping[str, str]) -> str:
        """A query with its `hmac`: of the sorted pairs, by the app's newest secret, hexadecimal."""
        message = "&".join(f"{name}={query[name]}" for name in sorted(query))
        made = hmac.new(self.secrets[0].encode(), message.encode(), "sha256").hexdigest()
        return urlencode({**query, "hmac": made})

    def _check_client(self, given: Mapping[str, str]) -> None:
        known = given.get("client_id") == self._settings.client_id
        if not known or given.get("client_secret") not in self.secrets:
            raise Refused(400, "invalid_client", "The client is unknown or its secret is wrong")

    def _answer_grant(self, given: Mapping[str, str]) -> Answered:
        kind = given.get("grant_type", "")
        if kind == _EXCHANGE:
            self._check_exchange(given)
            return self._told(self._issue(expiring=_expires(given)))
        if kind == "refresh_token":
            return self._refresh(given.get("refresh_token", ""))
        if kind == "client_credentials":
            return self._told(self._owned())
        if kind in ("", "authorization_code") and given.get("code"):
            return self._told(self._redeem(given))
        raise Refused(400, "unsupported_grant_type", "The grant type is not offered to this app")

    def _owned(self) -> Pair:
        """A day for an app of the shop's own organisation (shopify reference, section 1.1)."""
        if self._settings.public_app:
            raise Refused(400, "shop_not_permitted", "Client credentials cannot be performed on this shop.")
        if self.installed_at is None:
            raise Refused(400, "app_not_installed", "The app is not installed in this shop")
        made = self._issue(expiring=False)
        made.expires_at = self._clock.now() + OWNERS_LIFE
        return made

    def _check_exchange(self, given: Mapping[str, str]) -> None:
        if (given.get("subject_token_type"), given.get("requested_token_type")) != (_ID_TOKEN, _OFFLINE):
            raise Refused(400, "invalid_request", "subject_token_type or requested_token_type is not known here")
        if not self._is_good(given.get("subject_token", "")):
            raise Refused(400, "invalid_subject_token", "Subject token is invalid")
        if self.installed_at is None:
            raise Refused(400, "invalid_request", "The app is not installed in this shop")

    def _is_good(self, id_token: str) -> bool:
        now = self._clock.now().timestamp()
        for secret in self.secrets:
            try:
                read = jwt.decode(
                    id_token,
                    secret,
                    algorithms=["HS256"],
                    audience=self._settings.client_id,
                    # The twin's clock counts, not the machine's.
                    options={"verify_exp": False, "verify_nbf": False, "verify_iat": False, "require": ["exp", "nbf"]},
                )
            except jwt.InvalidTokenError:
                continue
            ours = read.get("dest") == f"https://{self._settings.host}"
            return ours and bool(read["nbf"] - 10 <= now < read["exp"])
        return False

    def _redeem(self, given: Mapping[str, str]) -> Pair:
        scopes = self._codes.pop(given["code"], None)
        if scopes is None:
            raise Refused(400, "invalid_request", "The authorization code was not found or was already used")
        self.install(scopes)
        return self._issue(expiring=_expires(given))

    def _refresh(self, token: str) -> Answered:
        pair = next((one for one in self._pairs if token and one.refresh_token == token), None)
        now = self._clock.now()
        if pair is None or pair.retired or not _may_renew(pair, now):
            raise Refused(401, "invalid_request", "This request requires an active refresh_token")
        pair.renewed_at = pair.renewed_at or now
        if pair.parent:
            pair.parent.retired = True
            pair.parent = None
        # A retry makes a new pair; the one whose answer was lost, or that another worker just got, ends with it.
        self._pairs = [one for one in self._pairs if one.parent is not pair]
        made = self._issue(expiring=True)
        made.parent = pair
        if self.lose_answers:
            self.lose_answers -= 1
            raise Cut
        return self._told(made)

    def _issue(self, *, expiring: bool) -> Pair:
        now = self._clock.now()
        made = Pair("shpat_" + secrets.token_hex(16), now + ACCESS_LIFE if expiring else None)
        if expiring:
            made.refresh_token = "shprt_" + secrets.token_hex(16)
            made.refresh_until = now + REFRESH_LIFE
        self._pairs = [pair for pair in self._pairs if not _is_over(pair, now)]
        self._pairs.append(made)
        return made

    def _told(self, pair: Pair) -> Answered:
        told: dict[str, object] = {"access_token": pair.access_token, "scope": ",".join(sorted(self.scopes))}
        if pair.refresh_token:
            told |= {"expires_in": int(ACCESS_LIFE.total_seconds()), "refresh_token": pair.refresh_token}
            told |= {"refresh_token_expires_in": int(REFRESH_LIFE.total_seconds())}
        elif pair.expires_at:
            told["expires_in"] = int((pair.expires_at - self._clock.now()).total_seconds())
        return said(200, told)

    @property
    def reach(self) -> frozenset[str]:
        """The granted scopes with what they imply."""
        return widened(self.scopes)


def _may_renew(pair: Pair, now: datetime) -> bool:
    if pair.refresh_until is None or now >= pair.refresh_until:
        return False
    return pair.renewed_at is None or now < pair.renewed_at + RETRY_LIFE


def _is_over(pair: Pair, now: datetime) -> bool:
    ended = pair.expires_at is not None and now >= pair.expires_at
    return ended and (pair.retired or pair.refresh_until is None or now >= pair.refresh_until)


def _expires(given: Mapping[str, str]) -> bool:
    """Left out means a token that lives for ever: the default is the wrong one (shopify reference, section 1.1)."""
    return given.get("expiring") == "1"


def _read_form(asked: Asked) -> dict[str, str]:
    if "json" not in asked.headers.get("content-type", ""):
        return dict(parse_qsl(asked.body.decode("utf-8", "replace")))
    try:
        read = json.loads(asked.body)
    except ValueError as error:
        raise Refused(400, "invalid_request", "The body is not JSON") from error
    return {str(name): str(value) for name, value in read.items()} if isinstance(read, dict) else {}
