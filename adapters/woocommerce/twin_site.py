"""What stands behind a stand-in of one WooCommerce shop: its settings, its people, its numbering and its time."""

import hashlib
import itertools
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, TypedDict
from zoneinfo import ZoneInfo

from connector.domain.clock import Clock

Trackings = Literal["none", "ast", "official"]
Cron = Literal["system", "visits"]

STATUSES = {
    "pending": "Pending payment",
    "processing": "Processing",
    "on-hold": "On hold",
    "completed": "Completed",
    "cancelled": "Cancelled",
    "refunded": "Refunded",
    "failed": "Failed",
    "checkout-draft": "Draft",
}
SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "KWD": "د.ك"}


class Knobs(TypedDict, total=False):
    """In what a stand-in may differ from a fresh shop; each can be changed later on `twin.site`."""

    version: str
    """WooCommerce's own: `8.2.2` or `11.0.1`, and what the reference dates in between."""
    hpos: bool
    """Orders in tables of their own; off, they are posts."""
    title: str
    path: str
    """Where under the host the shop lives: `/store`."""
    timezone: str
    country: str
    """Where the shop is, as its settings say it: `DE:DE-BE`."""
    currency: str
    decimals: int
    """How amounts are written, whatever the currency."""
    prices_include_tax: bool
    fulfillments: bool
    """The core feature, off in a fresh shop."""
    trackings: Trackings
    """Which tracking plugin is there."""
    cron: Cron
    """Who runs the queue: the server's own clock, or whoever visits the shop."""
    cron_scheme: str
    """`http`: the process that runs the queue does not know the shop is on https, and says so in what it sends."""
    scheme: Literal["https", "http"]
    """`http`: a shop on somebody's own machine, without a certificate."""
    own_host: str
    """The host WordPress has for itself (Settings > General), where the shop is reached by another one."""
    is_ssl: bool
    """False: a proxy ends TLS and does not tell PHP, so keys in the Authorization header are ignored."""
    strips_authorization: bool
    """The web server keeps the Authorization header to itself."""
    firewall: int
    """403, 406 or 503: what a security plugin answers to every API call, in HTML."""
    rest_prefix: str
    """Where the API is; empty: plain permalinks, where keys do not work."""
    number_prefix: str
    """What a plugin puts before an order's id to make the number people see."""
    extra_statuses: dict[str, str]
    """Statuses of plugins, by their word: `{"shipped": "Shipped"}`."""
    delivery_timeout: float
    """Seconds a delivery waits for its answer; WooCommerce waits 60."""


@dataclass(slots=True)
class User:
    """Somebody with an account in the shop."""

    user_id: int
    name: str
    manages: bool = True
    """Administrator or shop manager; without it no order is seen."""
    there: bool = True


@dataclass(slots=True)
class Key:
    """An API key; it acts as its user."""

    key_id: int
    user: User
    description: str
    permissions: str
    consumer_key: str
    consumer_secret: str = field(repr=False)
    nonces: dict[str, int] = field(default_factory=dict, repr=False)
    """Of signed calls, with their Unix seconds."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail WooCommerce itself sent to a customer."""

    kind: str
    """As its settings name it: `customer_processing_order`."""
    recipient: str
    order_id: int
    subject: str
    sent_at: datetime


class Site:
    """The shop; all its parts share it. Changes happen under `lock`, and no call leaves while it is held."""

    def __init__(
        self,
        clock: Clock,
        *,
        host: str,
        version: str = "11.0.1",
        hpos: bool = True,
        title: str = "Example Shop",
        path: str = "",
        timezone: str = "Europe/Berlin",
        country: str = "DE:DE-BE",
        currency: str = "EUR",
        decimals: int = 2,
        prices_include_tax: bool = False,
        fulfillments: bool = False,
        trackings: Trackings = "none",
        cron: Cron = "system",
        cron_scheme: str = "https",
        scheme: Literal["https", "http"] = "https",
        own_host: str = "",
        is_ssl: bool = True,
        strips_authorization: bool = False,
        firewall: int = 0,
        rest_prefix: str = "wp-json",
        number_prefix: str = "",
        extra_statuses: dict[str, str] | None = None,
        delivery_timeout: float = 15.0,
    ) -> None:
        self.clock = clock
        self.host = host
        self.version = version
        self.hpos = hpos
        self.title = title
        self.path = path.rstrip("/")
        self.timezone = timezone
        self.country = country
        self.currency = currency
        self.decimals = decimals
        self.prices_include_tax = prices_include_tax
        self.fulfillments = fulfillments
        self.trackings = trackings
        self.cron = cron
        self.cron_scheme = cron_scheme
        self.scheme = scheme
        self.own_host = own_host or host
        self.is_ssl = is_ssl and scheme == "https"
        self.strips_authorization = strips_authorization
        self.firewall = firewall
        self.rest_prefix = rest_prefix
        self.number_prefix = number_prefix
        self.statuses = {**STATUSES, **(extra_statuses or {})}
        """All there are, by their word, as people read them."""
        self.delivery_timeout = delivery_timeout
        self.lock = threading.RLock()
        self.merchant = User(1, "admin")
        self.keys: list[Key] = []
        self.mails: list[Mail] = []
        self.options: dict[tuple[str, str], str] = {}
        """Settings somebody saved, by group and name."""
        self.tried_internet = 0
        """How often it looked whether it reaches the internet, which takes up to 15 s where it does not."""
        self._numbers: defaultdict[str, Iterator[int]] = defaultdict(lambda: itertools.count(1))
        self._numbers["post"] = itertools.count(101)

    @property
    def base(self) -> str:
        """`https://host/path`, without a slash at its end: what it is reached by."""
        return f"{self.scheme}://{self.host}{self.path}"

    @property
    def home(self) -> str:
        """The same at the address WordPress has for itself: what it writes into links, and signatures are made over."""
        return f"{self.scheme}://{self.own_host}{self.path}"

    @property
    def wordpress(self) -> str:
        return "7.1" if self.at_least("10.0") else "6.4.10"

    @property
    def base_country(self) -> str:
        return self.country.partition(":")[0]

    def at_least(self, version: str) -> bool:
        """Whether the shop's WooCommerce is that new."""
        return _parts(self.version) >= _parts(version)

    def next(self, kind: str) -> int:
        """The next number of a kind; orders and refunds share theirs, as posts do."""
        return next(self._numbers[kind])

    def token(self, *about: object, length: int = 32) -> str:
        """Made-up but stable letters and digits for something."""
        text = "|".join(str(part) for part in (self.host, *about))
        return hashlib.sha256(text.encode()).hexdigest()[:length]

    def now(self) -> datetime:
        """UTC, whole seconds: finer ones are not kept."""
        return self.clock.now().astimezone(UTC).replace(microsecond=0)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def local(self, moment: datetime | None) -> str | None:
        """As `date_*` fields say it: the shop's own time, without a zone."""
        return moment.astimezone(self.zone).strftime("%Y-%m-%dT%H:%M:%S") if moment else None

    def gmt(self, moment: datetime | None) -> str | None:
        """As `date_*_gmt` fields say it: UTC, without a zone."""
        return moment.strftime("%Y-%m-%dT%H:%M:%S") if moment else None

    def round(self, amount: Decimal) -> Decimal:
        """To the shop's decimals, a half away from zero."""
        return amount.quantize(Decimal(1).scaleb(-self.decimals), ROUND_HALF_UP)

    def money(self, amount: Decimal, decimals: int | None = None) -> str:
        """As documents write it: the shop's decimals, whatever the currency (woocommerce reference, section 0.15)."""
        places = self.decimals if decimals is None else decimals
        return f"{amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):f}"


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
