"""Trades what a merchant's yes gave us for credentials, and these for new ones before they end.

What credentials hold says which kind they are: with a `refresh_token` they are of the operator's app, with `client_id`
and `client_secret` of the merchant's own; a pasted `access_token` stands alone, or beside the `client_secret` that its
app signs webhooks with.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec

from adapters.contract import Offer, Store
from adapters.http import Answer, Request
from adapters.reading import Reader, read_object
from adapters.shopify import client
from connector.domain.connection import App, Credentials
from connector.domain.errors import Permanent, UnreadableDelivery

_EXCHANGE = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
    "requested_token_type": "urn:shopify:params:oauth:token-type:offline-access-token",
    "expiring": "1",
}
_LONGEST_LIFE = 400 * 24 * 60 * 60
"""Seconds; nothing Shopify gives lasts longer."""
_OPEN_AGAIN = "Open the app in Shopify once more"
_SENTENCES = {
    "invalid_client": "Shopify does not take the app's client id and secret: copy both anew from the app's settings",
    "application_cannot_be_found": "Shopify knows no app with this client id: copy it anew from the app's settings",
    "invalid_subject_token": f"What Shopify handed over when the app was opened is too old by now. {_OPEN_AGAIN}",
    "shop_not_permitted": "The app and the shop belong to different organisations: install the app from its own page",
    "app_not_installed": "The app is not installed in this shop: install it there, then connect again",
}


def prove(store: Store, offer: Offer) -> Credentials:
    """Credentials from an app's launch (`id_token`), a merchant's yes (`code`), a merchant's own app (`client_id` and
    `client_secret`) or a pasted `access_token`, once the shop they open has said its own name.

    Raises Retryable or Permanent. Grants: shopify reference, sections 1.1 and 1.2.
    """
    credentials = _traded(store, offer.values)
    opened = replace(store, access=replace(store.access, credentials=credentials))
    try:
        told = client.ask(opened, "shop_name", {}).data.text("shop.myshopifyDomain").lower()
    except client.AccessLost as error:
        raise Permanent("Shopify does not take this token: copy it anew from the app's API credentials") from error
    if told != store.access.host:
        raise Permanent("This opens another shop: connect that one, or copy the token of this one")
    return credentials


def renew(store: Store) -> Credentials:
    """New credentials for those of `store.access`; a pasted token stays as it is.

    Safe to repeat with the same ones as long as the new ones were never used (shopify reference, section 1.2).
    """
    held, now = store.access.credentials, store.clock.now()
    if held.values.get("client_id") and held.values.get("client_secret"):
        return _of_own_app(store, App(held.values["client_id"], (held.values["client_secret"],)))
    if not held.values.get("refresh_token"):
        return held
    if held.renewable_until and held.renewable_until <= now:
        raise Permanent(f"The shop was not asked for too long, and the access to it is gone. {_OPEN_AGAIN}")
    asked = {"grant_type": "refresh_token", "refresh_token": held.values["refresh_token"]}
    return _expiring(_trade(store, store.access.app, asked, tries=client.TRIES), now)


def signs_with(credentials: Credentials) -> tuple[str, ...]:
    """The secret a merchant's own app signs webhooks with; none where the operator's app does."""
    secret = credentials.values.get("client_secret", "")
    return (secret,) if secret else ()


def is_operators_app(credentials: Credentials) -> bool:
    """Whether the operator's app opened the shop, whose subscriptions its TOML makes."""
    return "refresh_token" in credentials.values


def _traded(store: Store, offered: Mapping[str, str]) -> Credentials:
    given = {name: value.strip() for name, value in offered.items() if value.strip()}
    app, now = store.access.app, store.clock.now()
    if "access_token" in given:
        return Credentials({name: given[name] for name in ("access_token", "client_secret") if name in given})
    if "client_id" in given and "client_secret" in given:
        return _of_own_app(store, App(given["client_id"], (given["client_secret"],)))
    if "id_token" in given:
        asked = _EXCHANGE | {"subject_token": given["id_token"]}
        return _expiring(_trade(store, app, asked, tries=client.TRIES), now)
    if "code" in given:  # it is good for one trade only
        return _expiring(_trade(store, app, {"code": given["code"], "expiring": "1"}, tries=1), now)
    raise Permanent("Paste both the client id and the client secret of your app, or its access token")


def _of_own_app(store: Store, app: App) -> Credentials:
    """A day's access to a shop of the app's own organisation, without anybody's yes."""
    answer = _trade(store, app, {"grant_type": "client_credentials"}, tries=client.TRIES)
    values = {"access_token": answer.text("access_token"), "client_id": app.client_id, "client_secret": app.secrets[0]}
    return Credentials(values, _end(answer, "expires_in", store.clock.now()))


def _expiring(answer: Reader, now: datetime) -> Credentials:
    """An access token for an hour and a refresh token for 90 days; one that never ends is no good any more."""
    values = {name: answer.text(name) for name in ("access_token", "refresh_token")}
    if not values["refresh_token"] or not answer.has("expires_in"):
        raise Permanent("Shopify gave access that never ends, which it takes no longer: look for a newer Connector")
    return Credentials(values, _end(answer, "expires_in", now), _end(answer, "refresh_token_expires_in", now))


def _end(answer: Reader, name: str, now: datetime) -> datetime:
    seconds = answer.value(name)
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 < seconds <= _LONGEST_LIFE:
        raise Permanent("Shopify does not say how long its access lasts: look for a newer Connector")
    return now + timedelta(seconds=seconds)


def _trade(store: Store, app: App, asked: Mapping[str, str], *, tries: int) -> Reader:
    if not app.client_id or not app.secrets:
        raise Permanent("The app's client id or secret is not set: copy both from the app's settings into Connector's")
    body = msgspec.json.encode({"client_id": app.client_id, "client_secret": app.secrets[0], **asked})
    headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": client.USER_AGENT}
    address = f"{store.access.base}/admin/oauth/access_token"
    answer = store.web.ask(lambda: Request("POST", address, headers, body), tries=tries)
    if 400 <= answer.status < 500:
        raise Permanent(_why_not(answer))
    client.check_status(answer)
    document = client.read_document(answer)
    if not document.text("access_token"):
        raise Permanent(f"Shopify gave no access and did not say why. {_OPEN_AGAIN}")
    return document


def _why_not(answer: Answer) -> str:
    """A sentence for an OAuth error; some of them come as a page for people."""
    try:
        code = read_object(answer.body).text("error")
    except UnreadableDelivery:
        code = ""
    said = client.words(code)[:40] or answer.status
    return _SENTENCES.get(code, f"Shopify gives no access any more ({said}). {_OPEN_AGAIN}")
