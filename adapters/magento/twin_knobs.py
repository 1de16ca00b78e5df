"""How one shop of the twin differs from another."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from adapters.magento.twin_catalog import STORE_VIEWS
from adapters.magento.twin_rows import StoreView


@dataclass(frozen=True, slots=True)
class Knobs:
    """How this shop differs from one fresh out of the box."""

    path: str = ""
    """Where below its host the shop lives: `/store`."""
    stores: tuple[StoreView, ...] = STORE_VIEWS
    timezone: str = "Europe/Berlin"
    """IANA; only for show, all moments in the API are UTC."""
    async_events: bool = False
    """The Mage-OS async-events modules are installed."""
    bearer: bool = False
    """The access token alone is enough (off by default since 2.4.4)."""
    offloader: bool = False
    """TLS ends before PHP, which believes in http: no signature fits."""
    granted: frozenset[str] | None = None
    """Resources the integration has; None: all."""
    largest_page: int = 0
    """The shop's input limit (300 when switched on); 0: off."""
    pages_end: bool = False
    """A page past the end is empty, as fixed in some 2.4.x, and not the last one again."""
    plain_numbers: bool = False
    """The numbers of all store views begin at 000000001, so that two orders may have one number."""
    confirms_orders: bool = False
    """Magento mails the customer about each new order, as it does out of the box, and `mails` shows it."""
    statuses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The shop's own statuses by state."""
