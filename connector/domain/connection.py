"""A shop's connection to its platform's API: what it is done with, what was found out, and how far it has come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from connector.domain.shop import Seller


class ConnectionState(Enum):
    """Where a connection is, and who moves it on."""

    INVITED = "invited"
    """A link was made; the merchant opens it and says yes on the platform's own page."""
    OFFERED = "offered"
    """Somebody handed over credentials for it; the worker proves them against that very shop."""
    CONNECTING = "connecting"
    """The credentials hold; the worker looks at the shop and subscribes to its webhooks."""
    CONNECTED = "connected"
    """At work; the watchdog looks after it."""
    BROKEN = "broken"
    """The platform refuses us, or a right is missing: `problem` says what a person has to click."""
    ENDED = "ended"
    """Uninstalled or disconnected: no credentials are left, nothing is asked and nobody is told anything."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a platform gave us to speak for a shop; kept sealed (P10)."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    """By the adapter's own names (`access_token`, `consumer_key`, …)."""
    expires_at: datetime | None = None
    """UTC; None: never by itself."""
    renewable_until: datetime | None = None
    """UTC; after this the merchant has to open the app again. None: no limit, or nothing to renew."""


@dataclass(frozen=True, slots=True)
class App:
    """The operator's own app on a platform that has apps; empty where there is none."""

    client_id: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """The newest first; the newest signs."""


@dataclass(frozen=True, slots=True)
class Access:
    """All an adapter needs to speak with one shop."""

    host: str
    """The platform's own name of the shop (`Shop.host`): `shop.example.com`, `demo.myshopify.com`."""
    base: str
    """The address the API's paths are joined to, without a slash at its end: `https://shop.example.com/store`."""
    credentials: Credentials
    app: App = field(default_factory=App)
    features: Mapping[str, str] = field(default_factory=dict)
    """`Findings.features` of the last probe; empty before the first."""
    store_locales: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Findings:
    """What a look at the shop told; what it does not tell stays empty."""

    name: str = ""
    version: str = ""
    """The platform's own version there."""
    currency: str = ""
    locale: str = ""
    timezone: str = ""
    """IANA name."""
    country: str = ""
    """ISO 3166-1 alpha-2, upper case."""
    store_locales: tuple[tuple[str, str], ...] = ()
    """The language of each store view, by the platform's id of it."""
    seller: Seller | None = None
    """Who stands behind the shop, as far as the platform knows: only what the merchant left empty is taken from it."""
    features: Mapping[str, str] = field(default_factory=dict)
    """What this shop can do, by the adapter's own names; handed back in `Access.features`."""
    platform_speaks: Mapping[str, bool] = field(default_factory=dict)
    """By our kind of message: whether the platform itself mails customers about it. A kind not told is left out."""
    missing_rights: tuple[str, ...] = ()
    """A sentence each: the right, what does not work without it, and where to give it."""
    notes: tuple[str, ...] = ()
    """Sentences for the merchant: what is unusual here and what follows."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a platform shall send a shop's webhooks."""

    address: str
    """`https://connector.example.com/webhooks/<platform>/<shop key>`; an event may be added as one more part."""
    app_address: str
    """`https://connector.example.com/webhooks/<platform>`: one address for all shops of the operator's app."""
    secret: str = field(repr=False)
    """What the platform shall sign with, where we may choose."""


class SubscriptionState(Enum):
    ACTIVE = "active"
    UNKNOWN = "unknown"
    """The platform does not let us see it."""
    UNAVAILABLE = "unavailable"
    """This shop cannot send it; polling stands in."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One topic a platform sends us."""

    topic: str
    state: SubscriptionState
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Subscribed:
    """What is subscribed after a look, and what had to be put right for that."""

    subscriptions: tuple[Subscription, ...]
    repairs: tuple[str, ...] = ()
    """A phrase each: "order.updated was switched off and is on again". Empty when all stood as it should."""

    @property
    def sends(self) -> bool:
        """Whether webhooks are to be expected from this shop, so that one that does not come is a gap."""
        return any(one.state is not SubscriptionState.UNAVAILABLE for one in self.subscriptions)


@dataclass(frozen=True, slots=True)
class Found:
    """One document read from a platform's API, which takes the same road as a delivery."""

    key: str
    """The same text for the same version of the same object, at most 100 characters."""
    about: str
    """What kind of document it is, by the adapter's own word; becomes the delivery's `path_event`."""
    body: bytes
    updated_at: datetime
    """UTC, the platform's own version."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some of what changed since a moment."""

    found: tuple[Found, ...]
    cursor: str
    """The adapter's own words to go on from here, good for days and across restarts; empty when this was all."""
    notes: tuple[str, ...] = ()
    """What was left out and why (a field the app may not see, an order that could not be read)."""
