"""The token with which Shopify's admin says, for a minute, who opened the app in which shop."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import jwt

from adapters.shopify import official
from connector.domain.connection import App

LEEWAY = timedelta(seconds=10)
"""App Bridge's clock may run ahead of ours."""
_CLAIMS = ["iss", "dest", "aud", "sub", "exp", "nbf"]


class BadToken(Exception):
    """No token, or one that proves nothing."""


class Stale(BadToken):
    """A genuine token that is over: App Bridge gives a fresh one."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What a genuine token says."""

    host: str
    """`<name>.myshopify.com`."""


def read(token: str, app: App, at: datetime) -> Opened:
    """Whose token it is. Raises Stale or BadToken (shopify reference, section 1.3).

    Shopify's own library reads the machine's clock here and takes tokens that never end, so only its key to shop names
    is used.
    """
    claims = _claims(token, app)
    if not at - LEEWAY < _moment(claims, "exp"):
        raise Stale("it is over")
    if not _moment(claims, "nbf") <= at + LEEWAY:
        raise Stale("it is not valid yet: the clock of this machine is late")
    return Opened(_host(claims))


def _claims(token: str, app: App) -> Mapping[str, object]:
    for secret in app.secrets:
        try:
            found: Mapping[str, object] = jwt.decode(
                token,
                secret,
                algorithms=["HS256"],
                audience=app.client_id,
                options={"require": _CLAIMS, "verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
        except (jwt.InvalidSignatureError, jwt.InvalidKeyError):
            continue
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise BadToken(f"it is not one of this app ({type(error).__name__})") from error
        return found
    raise BadToken("no secret of this app made it: CONNECTOR_APP_SECRETS has to hold the app's client secret")


def _moment(claims: Mapping[str, object], name: str) -> datetime:
    value = claims[name]
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise BadToken(f"its {name} is no moment")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise BadToken(f"its {name} is no moment") from error


def _host(claims: Mapping[str, object]) -> str:
    """The shop that made it and the one it is for must be one and the same."""
    made_by, made_for = (_host_of(claims[name]) for name in ("iss", "dest"))
    if not made_for or made_by != made_for:
        raise BadToken("it names two different shops")
    return made_for


def _host_of(address: object) -> str:
    try:
        parts = urlsplit(address if isinstance(address, str) else "")
        host = parts.hostname or "" if parts.scheme == "https" and not parts.port else ""
    except ValueError:
        return ""
    return host if official.shop_name(host) == host else ""
