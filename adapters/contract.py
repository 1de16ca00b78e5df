"""What every platform adapter offers: a manifest of data and functions; `Connect.prove` and `Api` reach its shops."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters.http import Web
from connector.domain.clock import Clock
from connector.domain.connection import Access, App, Credentials, Endpoint, Findings, Found, Page, Subscribed
from connector.domain.delivery import Delivery, LookAgain, Update
from connector.domain.push import LinkPush, NotePush, ShipmentPush, StatusPush
from connector.domain.shop import Shop
from connector.domain.signing import Challenge, Signature, UnsignedPing


@dataclass(frozen=True, slots=True)
class Traits:
    """How much a platform does, where platforms differ by degree."""

    redelivers_for_hours: float
    """How long the platform itself tries again after a failed delivery; 0: never."""
    names_event_in_request: bool
    """False: the event stands behind the shop key in the webhook address."""
    signs: str
    """One phrase for the capability table: how its deliveries are signed."""
    shipments_in_order: str
    """One phrase for the capability table: where parcels and tracking numbers come from."""
    customer_language: str
    """One phrase for the capability table: where the customer's language comes from."""


@dataclass(frozen=True, slots=True)
class Store:
    """One shop's platform, ready to be asked."""

    web: Web
    clock: Clock
    access: Access


@dataclass(frozen=True, slots=True)
class Pace:
    """How often and how carefully a platform is looked through for changes."""

    overlap: timedelta
    """How far behind the newest change that was read a sweep begins again."""
    grace: timedelta
    """How long a webhook may take: younger changes are left to it while webhooks come."""
    with_webhooks: timedelta
    """Between two sweeps while webhooks are proven alive."""
    alone: timedelta
    """Between two sweeps while nothing else tells of changes."""
    renew_every: timedelta | None = None
    """Credentials unused for long would be lost: they are renewed at least this often."""


@dataclass(frozen=True, slots=True)
class Pushes:
    """What can be written back. Each looks first whether it is done already, so that a try whose answer was lost is
    repeated safely; returns what the platform said in at most 200 characters, and never makes it mail the customer.

    Raises Retryable or Permanent.
    """

    shipment: Callable[[Store, ShipmentPush], str] | None = None
    status: Callable[[Store, StatusPush], str] | None = None
    note: Callable[[Store, NotePush], str] | None = None
    invoice_link: Callable[[Store, LinkPush], str] | None = None


@dataclass(frozen=True, slots=True)
class Api:
    """A platform that can be asked. All raise Retryable or Permanent, with what a person can do; none keeps state."""

    probe: Callable[[Store], Findings]
    """What the shop is and can do, in few calls. A refused credential is Permanent, a missing right a finding."""
    look: Callable[[Store, LookAgain], bytes]
    """The answer `Manifest.resolve` reads."""
    changes: Callable[[Store, datetime, str], Page]
    """What changed since a moment (UTC), oldest first: the first page for an empty cursor, else where that one led.

    Every change at or after `since` that was committed before the first page is in some page; nothing is skipped
    because rows move while pages are read, and the pages end.
    """
    read: Callable[[Delivery, Shop], tuple[Update, ...]]
    """What a document of `changes` or `parcels` says; raises UnreadableDelivery, and nothing else."""
    pace: Pace
    pushes: Pushes = field(default_factory=Pushes)
    subscribe: Callable[[Store, Endpoint], Subscribed] | None = None
    """Look at our subscriptions and put right what is missing, doubled, stale or switched off. None: nothing to do."""
    unsubscribe: Callable[[Store, Endpoint], None] | None = None
    """Take back what `subscribe` made, and whatever else of us can be removed there."""
    renew: Callable[[Store], Credentials] | None = None
    """New credentials for ones that end; asked by one worker at a time, and safe to repeat when the answer was lost."""
    parcels: Callable[[Store, tuple[str, ...]], tuple[Found, ...]] | None = None
    """Parcels by id, for a platform where a number added later changes nothing else. 50 ids at most."""
    wake: Callable[[Store], None] | None = None
    """Shake loose what the platform holds back until somebody visits it."""
    speak: Callable[[Store, str, bool], None] | None = None
    """Switch the platform's own mail about one of our kinds on or off, where it lets us."""


@dataclass(frozen=True, slots=True)
class Field:
    """Something the merchant copies from the platform's pages."""

    name: str
    label: str
    help: str
    """Where to find it, click by click."""
    secret: bool = True
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Begin:
    """What is known when a merchant opens the link of an invitation."""

    access: Access
    app_name: str
    links: Mapping[str, str]
    """Our own addresses for this invitation, by place: `callback`, `return`, `identity`, `done`."""
    nonce: str
    """Unguessable, url-safe; part of those links."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A request to one of those addresses, from a browser or from the platform's own server."""

    place: str
    method: str
    query: Mapping[str, str]
    raw_query: str
    headers: Mapping[str, str]
    """Lower-case names."""
    body: bytes
    at: datetime
    app: App
    host: str = ""
    """Whom the invitation is for; empty for an address that serves every shop of an app."""
    base: str = ""
    nonce: str = ""
    links: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Offer:
    """Credentials, or what can be exchanged for some, as somebody handed them over: proven by nothing yet."""

    values: Mapping[str, str] = field(repr=False)
    host: str = ""
    """Whose they claim to be, already checked as far as a signature can; empty: the invitation's."""


@dataclass(frozen=True, slots=True)
class Told:
    """How a visit is answered: a page of ours (by its name), a redirect, or exact bytes for a machine."""

    page: str = ""
    """`done` (with progress), `declined`, `problem`, `app` (embedded)."""
    words: str = ""
    """What a page says besides; what to click where something is wrong."""
    redirect: str = ""
    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    host: str = ""
    """Whose pages may show this one inside theirs; empty: those of the offer's, for the page `app` alone."""


@dataclass(frozen=True, slots=True)
class Script:
    """A script of the platform's own, which a page of ours loads first when it stands inside the platform's pages."""

    address: str
    data: Mapping[str, str] = field(default_factory=dict)
    """Its `data-` attributes by name."""
    talks_to: tuple[str, ...] = ()
    """Origins it sends requests to, besides ours and its own."""


@dataclass(frozen=True, slots=True)
class Connect:
    """How a shop of this platform is connected: pure, but for `prove`."""

    base: Callable[[str], tuple[str, str]]
    """What a merchant typed as the shop's address -> (host, base). Raises WrongSetting saying what is right."""
    fields: tuple[Field, ...]
    """For pasted credentials: always possible, needs nobody to reach us."""
    prove: Callable[[Store, Offer], Credentials]
    """Turn an offer into credentials that hold for this very shop (`store.access.credentials` is empty).

    Raises Retryable for a side that is away, Permanent for an offer that is no good, saying what to click.
    """
    instructions: Callable[[Begin], tuple[str, ...]]
    """What the merchant does, a sentence each, for the page of an invitation."""
    plain_base: Callable[[str], tuple[str, str]] | None = None
    """The same where the operator tries out shops of their own network: http:// is taken too. None: never."""
    begin: Callable[[Begin], str] | None = None
    """The platform's own page to send the browser to. None: it begins on the platform's side."""
    receive: Callable[[Visit], tuple[Offer | None, Told]] | None = None
    """A visit to an invitation's address. What is offered is kept before the answer goes out. Raises Permanent for a
    visit that is not what it claims to be; its words are shown."""
    receive_app: Callable[[Visit], tuple[Offer | None, Told]] | None = None
    """A visit to the app's own address, of any shop."""
    signs_with: Callable[[Credentials], tuple[str, ...]] | None = None
    """Secrets a shop's webhooks are signed with that its credentials brought (of the merchant's own app); they count
    beside the shop's and the operator's."""
    places: tuple[str, ...] = ()
    """The places `receive` and `receive_app` know."""
    embedded_in: Callable[[str], tuple[str, ...]] | None = None
    """Origins that may show our page for this host inside their own (`frame-ancestors`)."""
    script: Callable[[App], Script] | None = None
    """What such a page loads first."""
    operator_file: Callable[[str, str], tuple[str, str]] | None = None
    """(our address, client id) -> (name, content) of a file the operator gives to the platform to register the app."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A platform as data and pure functions; a part a platform does not have is None."""

    name: str
    """As in the webhook address: /webhooks/<name>/<shop key>."""
    title: str
    """As people write it."""
    signatures: tuple[Signature, ...]
    """Ways to sign; the first whose header is present in the request is the one that must hold."""
    idempotency_key: Callable[[Delivery], str]
    """The same text for the same piece of news, however often and under whatever delivery id it is posted.

    128 characters at most; it must not raise, whatever the bytes are.
    """
    parse: Callable[[Delivery, Shop], tuple[Update, ...]]
    """What a genuine delivery says, at least one thing; more than one where a platform sends batches, and an order
    with a LookAgain where its document tells only part of it.

    Raises UnreadableDelivery, and nothing else, for any bytes it cannot understand.
    """
    resolve: Callable[[LookAgain, bytes, Shop], Update]
    """What the platform's API answer to a hint says. Raises UnreadableDelivery, and nothing else."""
    traits: Traits
    ping: UnsignedPing | None = None
    challenge: Challenge | None = None
    shop_headers: tuple[str, ...] = ()
    """Headers (lower case, not signed) of which the first present names the shop, when one address serves all shops."""
    shop_host: Callable[[str], str | None] | None = None
    """The header's value as `Shop.host`, or None when it is not a name this platform would give a shop."""
    connect: Connect | None = None
    api: Api | None = None
    """None: this platform only sends; what a hint points at cannot be asked for."""
