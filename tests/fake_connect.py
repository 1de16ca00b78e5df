"""How a shop of the fake platform is connected: keys to paste, a page that asks, and an app that signs its visits."""

import hashlib
import hmac
import json
import re
from urllib.parse import urlencode, urlsplit

from adapters.contract import Begin, Connect, Field, Offer, Script, Store, Told, Visit
from connector.domain.connection import App, Credentials
from connector.domain.errors import Permanent, WrongSetting

TOKEN = "the token that fits"
_HOST = re.compile(r"[a-z0-9.-]{1,100}", re.ASCII)


def base(typed: str) -> tuple[str, str]:
    """`shop.example` or `https://shop.example/path`."""
    parts = urlsplit(typed if "://" in typed else f"https://{typed}")
    if parts.scheme != "https" or not _HOST.fullmatch(parts.netloc):
        raise WrongSetting("accepted: https://shop.example")
    return parts.netloc, f"https://{parts.netloc}{parts.path.rstrip('/')}"


def prove(_store: Store, offer: Offer) -> Credentials:
    """Only one token fits."""
    if offer.values.get("token") != TOKEN:
        raise Permanent("The shop does not know this token. In Settings > API make a new one")
    return Credentials({"token": TOKEN})


def instructions(begin: Begin) -> tuple[str, ...]:
    """With one of our addresses in a sentence, as a platform without a page of its own needs it."""
    return (
        f"Go on to your shop and say yes to {begin.app_name}.",
        f"Or open Settings > API there, enter {begin.links['callback']}. Then save.",
    )


def begin(begun: Begin) -> str:
    """The page that asks."""
    asked = {"app": begun.app_name, "back": begun.links["return"], "state": begun.nonce}
    return f"{begun.access.base}/grant?{urlencode(asked)}"


def receive(visit: Visit) -> tuple[Offer | None, Told]:
    """`callback`: the shop's server brings a token; `return`: the browser comes back; `window`: it goes on."""
    if visit.place == "callback":
        return _handed_over(visit)
    if visit.place == "window":
        return None, Told(redirect=visit.raw_query.removeprefix("to="))
    if visit.query.get("yes") == "1":
        return None, Told(page="done")
    return None, Told(page="declined", words="Open the link again and say yes.")


def _handed_over(visit: Visit) -> tuple[Offer | None, Told]:
    try:
        told = json.loads(visit.body)
        values = {"token": str(told["token"])}
    except (ValueError, KeyError, TypeError) as error:
        raise Permanent("These are no keys of a fake shop") from error
    if told.get("nonce") != visit.nonce:
        raise Permanent("These keys are for another invitation")
    return Offer(values, str(told.get("host", ""))), Told(body=b"kept", headers=(("X-Kept", "yes"),))


def signed_visit(host: str, app: App) -> str:
    """The query of a genuine visit to the app's address."""
    return urlencode({"shop": host, "sig": _signature(host, app)})


def receive_app(visit: Visit) -> tuple[Offer | None, Told]:
    """Opened from the platform's pages, signed by the app's secret."""
    host = visit.query.get("shop", "")
    if not hmac.compare_digest(visit.query.get("sig", "").encode(), _signature(host, visit.app).encode()):
        raise Permanent("Open the app from your shop")
    if visit.place == "no":
        return None, Told(page="problem", words="Not like this.", host=host)
    page = "done" if visit.place == "back" else "app"
    return Offer({"token": TOKEN}, host), Told(page=page)


def _signature(host: str, app: App) -> str:
    return hmac.new(app.secrets[0].encode(), host.encode(), hashlib.sha256).hexdigest()


CONNECT = Connect(
    base=base,
    fields=(
        Field("token", "API token", "In your shop open Settings > API and copy the token."),
        Field("note", "Note", "Anything you like.", secret=False, optional=True),
    ),
    prove=prove,
    instructions=instructions,
    begin=begin,
    receive=receive,
    receive_app=receive_app,
    places=("callback", "return", "window", "back", "no"),
    embedded_in=lambda host: (f"https://{host}", "https://admin.fake.example"),
    script=lambda app: Script("https://cdn.fake.example/bridge.js", {"api-key": app.client_id}),
)
