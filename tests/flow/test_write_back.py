"""What leads back to a platform leaves it only while it is still wanted, and by one worker at a time (P2)."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from adapters.contract import Pushes, Store
from connector.domain.push import NotePush
from connector.domain.shop import Voice
from connector.flow import write_back
from connector.tables import orders, shops
from notifications import outbox, writing_back
from notifications.kinds import Notification
from tests.fake_api import FakeApi
from tests.fake_platform import order_document
from tests.flow.road import Road


@dataclass
class Desk:
    """A connected shop that wants notes, three of which wait to be written."""

    make_road: Callable[..., Road]
    written: list[str] = field(default_factory=list)
    meanwhile: list[Callable[[], object]] = field(default_factory=list)
    """What happens while the first, the second … is written."""

    def __post_init__(self) -> None:
        api = FakeApi()
        api.api = replace(api.api, pushes=Pushes(note=self._note))
        self.road = self.make_road(connected=True, api=api)
        self.speak(Voice.US)
        self.road.tell(order_document())
        with self.road.service.database.write() as connection:
            shop = shops.by_id(connection, self.road.shop.shop_id)
            record = orders.get(connection, self.road.shop.shop_id, "1001")
            assert shop is not None
            assert record is not None
            now = self.road.clock.now()
            for words in ("one", "two", "three"):
                # Of other orders, so that all three are claimed together.
                other = replace(record, order_id=words)
                intent = writing_back.decide(other, shop, writing_back.note(words, words), now)
                assert isinstance(intent, Notification)
                outbox.enqueue(self.road.service.database, connection, [(intent, "")], now)

    def speak(self, voice: Voice) -> None:
        with self.road.service.database.write() as connection:
            voices = {writing_back.NOTE: voice}
            shops.change(connection, self.road.shop.shop_id, lambda known: replace(known, voices=voices))
        self.road.service.shops.forget()

    def _note(self, _store: Store, push: NotePush) -> str:
        self.written.append(push.words)
        if self.meanwhile:
            self.meanwhile.pop(0)()
        return "noted"

    def taken_by_another(self) -> list[str]:
        """What another worker gets that claims all it can."""
        with self.road.service.database.write() as connection:
            now = self.road.clock.now()
            claimed = outbox.claim(connection, now, lease=write_back.LEASE, limit=10, channels=("platform",))
        return [dict(one.notification.details)["words"] for one in claimed]

    def states(self) -> set[str]:
        return {said.state.value for words in ("one", "two", "three") for said in self.road.said(words)}


def test_p2_who_is_slow_with_the_first_does_not_write_what_another_took_meanwhile(
    make_road: Callable[..., Road],
) -> None:
    desk = Desk(make_road)

    def lease_over_and_taken() -> None:
        desk.road.clock.moment += write_back.LEASE + timedelta(minutes=1)
        desk.taken_by_another()

    desk.meanwhile = [lease_over_and_taken]
    desk.road.service.write_back.run()
    assert len(desk.written) == 1


def test_p2_what_is_being_written_is_held_however_long_those_before_it_took(make_road: Callable[..., Road]) -> None:
    desk = Desk(make_road)
    taken: list[str] = []

    def almost_over() -> None:
        desk.road.clock.moment += write_back.LEASE - timedelta(minutes=1)

    def over_but_for_being_held_anew() -> None:
        desk.road.clock.moment += timedelta(minutes=2)
        taken.extend(desk.taken_by_another())

    desk.meanwhile = [almost_over, over_but_for_being_held_anew]
    desk.road.service.write_back.run()
    assert len(desk.written) == 2
    assert len(taken) == 2
    assert not set(taken) & set(desk.written)


def test_nothing_more_is_written_to_a_shop_that_leaves_in_the_middle(make_road: Callable[..., Road]) -> None:
    desk = Desk(make_road)
    desk.meanwhile = [lambda: desk.road.service.disconnect.run(desk.road.shop.shop_id)]
    desk.road.service.write_back.run()
    assert len(desk.written) == 1


def test_what_is_switched_off_while_it_waits_is_not_written(make_road: Callable[..., Road]) -> None:
    desk = Desk(make_road)
    desk.speak(Voice.NOBODY)
    desk.road.service.write_back.run()
    assert desk.written == []
    assert desk.states() == {"withdrawn"}
