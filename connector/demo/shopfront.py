"""One shop of the demo: its twin, what it lives through, and what is known of it so far."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import adapters
from adapters.stories import Expected, Given, Story, ago, story
from adapters.twins import Twin
from connector.demo.story_clock import StoryClock
from connector.demo.wire import Sent, Wire
from connector.domain.shop import Shop
from connector.flow.service import Service
from connector.tables import orders


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was done to connect the shop."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Lived:
    """Something that happened in the shop itself."""

    at: datetime
    order: str
    """Its name in the story; empty when it was about no order."""
    says: str


class Shopfront:
    """A twin that serves, and reaches the service through a wire, while it is entered."""

    def __init__(self, platform: str, clock: StoryClock, address: str, host: str, port: int) -> None:
        """`address`: the service's public one; `host`, `port`: where it really listens."""
        self.platform = platform
        self.manifest = adapters.manifest(platform)
        self.story: Story[Any] = story(platform)
        self.wire = Wire(self.manifest, clock, host, port)
        self.twin: Twin = self.story.open(clock, {urlsplit(address).netloc: self.wire.address}, address)
        self.shop_id = ""
        """Ours; empty until the shop was invited."""
        self.nonce = ""
        """Of its invitation."""
        self.steps: list[Step] = []
        self.lived: list[Lived] = []
        self.ids: dict[str, str] = {}
        """See `adapters.stories.Ids`."""
        self.imported = 0
        """Orders of the time before it was connected."""

    def __enter__(self) -> Self:
        self.wire.__enter__()
        self.twin.server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.twin.server.__exit__(kind, error, trace)
        self.wire.__exit__(kind, error, trace)

    @property
    def sent(self) -> list[Sent]:
        """All webhooks so far."""
        return self.wire.sent

    @property
    def invitation(self) -> str:
        """The path of the page its merchant was invited to; empty before."""
        return f"/connect/{self.platform}/{self.nonce}" if self.nonce else ""

    def moments(self, now: datetime) -> list[datetime]:
        """When something happens in the story that ends now."""
        return [ago(now, one.at) for one in self.story.acts]

    def shop(self, service: Service) -> Shop | None:
        """As the service knows it; None before it was invited."""
        return service.shops.by_id(self.shop_id) if self.shop_id else None

    def lived_by(self, order_id: str) -> list[Lived]:
        """What happened to an order in the shop."""
        return [one for one in self.lived if self.ids.get(one.order) == order_id]

    def expected(self) -> Mapping[str, Expected]:
        """What must be told, by the platform's id of the order; without orders that are not there (yet)."""
        return {self.ids[name]: wanted for name, wanted in self.story.orders.items() if name in self.ids}

    def names(self, service: Service) -> dict[str, str]:
        """Names in the story by the platform's ids, with those of parcels that we wrote to the shop ourselves."""
        found = {shop_id: name for name, shop_id in self.ids.items()}
        with service.database.read() as connection:
            for given in (act for act in self.story.acts if isinstance(act, Given)):
                record = orders.get(connection, self.shop_id, self.ids.get(given.order, ""))
                for parcel in record.shipments if record else ():
                    if any(one.number == given.number for one in parcel.tracking):
                        found[parcel.shipment_id] = given.makes
        return found
