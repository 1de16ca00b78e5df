"""What every platform adapter offers: a manifest of data and pure functions."""

from collections.abc import Callable
from dataclasses import dataclass

from connector.domain.delivery import Delivery, LookAgain, Update
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
