"""How a Shopify shop is connected: opened from Shopify's admin, by its owner's yes, or with pasted keys."""

import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from html import escape
from urllib.parse import urlencode, urlsplit

from adapters.contract import Begin, Connect, Field, Offer, Script, Told, Visit
from adapters.shopify import id_tokens, official
from adapters.shopify.app_file import operator_file
from adapters.shopify.grants import prove, signs_with
from adapters.shopify.scopes import SCOPES
from connector.domain.connection import App
from connector.domain.errors import Permanent, WrongSetting

PLACES = ("app", "patch", "callback")
ANSWER_LASTS = timedelta(days=1)
"""A signed answer older than that is somebody's replay."""
RELOAD_SECONDS = 60
"""A launch that is no good right after it was made anew will be no good the next time either."""

_ADMIN = re.compile(r"(?:https?://)?admin\.shopify\.com/store/([a-z0-9-]{1,61})(?:[/?#].*)?", re.IGNORECASE)
_NONCE = re.compile(r"[A-Za-z0-9_-]{8,200}")
_APP_BRIDGE = "https://cdn.shopify.com/shopifycloud/app-bridge.js"
_HOME = "/connect/shopify"
_FROM_THE_ADMIN = "Open Connector from Shopify's admin, under Apps"


def base(typed: str) -> tuple[str, str]:
    """(host, base) of a shop as its owner writes it: `name`, `name.myshopify.com` or an address of its admin.

    Raises WrongSetting for anything else, also for a domain of the shop's own: only Shopify's name stays.
    """
    in_admin = _ADMIN.fullmatch(typed.strip())
    host = official.shop_name(in_admin[1] if in_admin else typed.strip().rstrip("/").removesuffix("/admin"))
    if not host:
        raise WrongSetting(
            "This is no shop's name at Shopify. In Shopify's admin the address is admin.shopify.com/store/NAME: "
            "write NAME.myshopify.com"
        )
    return host, f"https://{host}"


def instructions(begin: Begin) -> tuple[str, ...]:
    """What the merchant does: with the operator's app, or with one of their own."""
    if begin.access.app.client_id:
        return (
            f"Go on to Shopify and say yes to {begin.app_name} there.",
            f"Or install {begin.app_name} in Shopify and open it under Apps: then nothing is to be done here.",
        )
    return (
        "In Shopify's Dev Dashboard (dev.shopify.com) create an app for your shop.",
        f"Under Versions give it the scopes {', '.join(SCOPES)}, and release the version.",
        "Install the app in your shop.",
        "Under Settings copy the client id and the client secret, and paste both here.",
        "From an older app (Settings > Apps and sales channels > Develop apps) paste the Admin API access token and "
        "the API secret key instead.",
    )


FIELDS = (
    Field(
        "client_id",
        "Client id",
        "Dev Dashboard > your app > Settings",
        secret=False,
        optional=True,
    ),
    Field(
        "client_secret",
        "Client secret",
        "Dev Dashboard > your app > Settings; of an older app: Develop apps > API credentials > API secret key. "
        "Shopify signs with it what it sends; without it we look for changes every few minutes",
        optional=True,
    ),
    Field(
        "access_token",
        "Admin API access token",
        "Older apps only: Settings > Apps and sales channels > Develop apps > your app > API credentials",
        optional=True,
    ),
)


def begin(begun: Begin) -> str:
    """Shopify's page that asks the merchant. Raises WrongSetting where the operator has no app."""
    app = begun.access.app
    if not app.client_id or not app.secrets:
        raise WrongSetting("The operator has set no Shopify app: paste the keys of an app of your own")
    back = begun.links["callback"].replace(f"/{begun.nonce}/", "/app/")
    return official.permission_address(begun.access.host, app.client_id, tuple(SCOPES), back, begun.nonce)


def receive(visit: Visit) -> tuple[Offer | None, Told]:
    """The merchant comes back from Shopify's page: signed, for this very invitation, and for its shop."""
    query = official.signed_query(visit.raw_query, visit.app.secrets)
    if visit.place != "callback" or query is None:
        raise Permanent("This did not come from Shopify: open the invitation's link and begin again")
    if not hmac.compare_digest(query.get("state", "").encode(), visit.nonce.encode()):
        raise Permanent("This answers another invitation: open the newest link and begin again")
    if official.shop_name(query.get("shop", "")) != visit.host:
        raise Permanent(f"This was said in another shop: log in to {visit.host} and begin again")
    if not _is_recent(query, visit.at):
        raise Permanent("This answer is too old: open the invitation's link and begin again")
    if not query.get("code"):
        return None, Told(page="declined", words="Nothing was connected. Begin again whenever you like.")
    return Offer({"code": query["code"]}, visit.host), Told(page="done")


def receive_app(visit: Visit) -> tuple[Offer | None, Told]:
    """A launch from Shopify's admin, its renewal, or an answer that belongs to an invitation."""
    match visit.place:
        case "" | "app":
            return _launched(visit)
        case "patch":
            return None, _patch_page(visit)
        case "callback":
            return None, _to_its_invitation(visit)
    raise Permanent(_FROM_THE_ADMIN)


def script(app: App) -> Script:
    """App Bridge, which every page inside Shopify's admin loads first (shopify reference, section 1.4)."""
    return Script(_APP_BRIDGE, {"api-key": app.client_id})


def embedded_in(host: str) -> tuple[str, ...]:
    """Who may show our page inside theirs: that shop's admin, in both its addresses (shopify reference, 1.4)."""
    return f"https://{host}", "https://admin.shopify.com"


def _launched(visit: Visit) -> tuple[Offer | None, Told]:
    """A document brings its token in the query, a script's request in a header (shopify reference, section 1.3)."""
    header = visit.headers.get("authorization", "")
    token = header.removeprefix("Bearer ") if header else visit.query.get("id_token", "")
    try:
        opened = id_tokens.read(token, visit.app, visit.at)
        if not header:
            _check_launch(visit, opened.host)
    except id_tokens.BadToken as problem:
        if header:
            return None, Told(status=401, headers=(("X-Shopify-Retry-Invalid-Session-Request", "1"),))
        return None, _made_anew(visit, problem)
    return Offer({"id_token": token}, opened.host), Told(page="app")


def _check_launch(visit: Visit, host: str) -> None:
    """The query around the token must not tell another story: it is signed, unless App Bridge made it anew."""
    if "hmac" in visit.query and official.signed_query(visit.raw_query, visit.app.secrets) is None:
        raise id_tokens.BadToken("its query is not signed by this app")
    if official.shop_name(visit.query.get("shop", host)) != host:
        raise id_tokens.BadToken("it is for another shop than its query")


def _made_anew(visit: Visit, problem: id_tokens.BadToken) -> Told:
    """To the page on which App Bridge loads us again with a fresh token; once, not for ever."""
    shop = official.shop_name(visit.query.get("shop", ""))
    if not shop or not visit.app.client_id:
        raise Permanent(_FROM_THE_ADMIN)
    before = visit.query.get("again", "")
    now = int(visit.at.timestamp())
    if before.isascii() and before.isdigit() and 0 <= now - int(before[:15]) < RELOAD_SECONDS:
        raise Permanent(f"Shopify's token does not open Connector: {problem}")
    kept = {name: visit.query[name] for name in ("embedded", "host", "locale") if name in visit.query}
    again = f"{_own(visit, 'app')}?{urlencode({'shop': shop, **kept, 'again': now})}"
    return Told(redirect=f"{_own(visit, 'patch')}?{urlencode({'shop': shop, **kept, 'shopify-reload': again})}")


def _patch_page(visit: Visit) -> Told:
    """A page with App Bridge and nothing else; it leads to `shopify-reload`, which has to be our own."""
    shop = official.shop_name(visit.query.get("shop", ""))
    leads_to = visit.query.get("shopify-reload", "")
    if not shop or not leads_to.startswith(f"{_own(visit, 'app')}?"):
        raise Permanent(_FROM_THE_ADMIN)
    script = f'<script src="{_APP_BRIDGE}" data-api-key="{escape(visit.app.client_id)}"></script>'
    rules = f"default-src 'self' https://cdn.shopify.com; frame-ancestors {' '.join(embedded_in(shop))}"
    return Told(
        body=f'<!doctype html><html lang="en"><head><meta charset="utf-8">{script}</head><body></body></html>'.encode(),
        content_type="text/html; charset=utf-8",
        headers=(("Content-Security-Policy", rules), ("Cache-Control", "no-store")),
        host=shop,
    )


def _to_its_invitation(visit: Visit) -> Told:
    """Shopify leads back to one address for all shops; the invitation's own, which knows the shop, checks it."""
    query = official.signed_query(visit.raw_query, visit.app.secrets)
    nonce = query.get("state", "") if query else ""
    if not _NONCE.fullmatch(nonce) or not visit.raw_query.isascii() or not visit.raw_query.isprintable():
        raise Permanent("This did not come from Shopify: open the invitation's link and begin again")
    place = urlsplit(_own(visit, "callback"))._replace(query=visit.raw_query)
    return Told(redirect=place._replace(path=place.path.replace("/app/", f"/{nonce}/")).geturl())


def _own(visit: Visit, place: str) -> str:
    """The address of one of the app's places."""
    return visit.links.get(place, f"{_HOME}/app" if place == "app" else f"{_HOME}/app/{place}")


def _is_recent(query: Mapping[str, str], at: datetime) -> bool:
    told = query.get("timestamp", "")
    if not (told.isascii() and told.isdigit() and len(told) < 12):
        return False
    return abs(at - datetime.fromtimestamp(int(told), UTC)) < ANSWER_LASTS


CONNECT = Connect(
    base=base,
    fields=FIELDS,
    prove=prove,
    instructions=instructions,
    begin=begin,
    receive=receive,
    receive_app=receive_app,
    signs_with=signs_with,
    places=PLACES,
    embedded_in=embedded_in,
    script=script,
    operator_file=operator_file,
)
