"""Platforms lose webhooks, fall silent and switch them off: our orders end as theirs, nobody is told twice, and every
gap is counted."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from connector.domain.connection import ConnectionState
from tests.contracts.connected import NOW, Town
from tests.contracts.counterparts import Hook

MakeTown = Callable[..., Town]
SHOPS = [("fake", False), ("shopify", False), ("shopify", True), ("woocommerce", False), ("magento", False)]
each_shop = pytest.mark.parametrize(
    ("platform", "own_app"), SHOPS, ids=["fake", "shopify", "shopify, own app", "woocommerce", "magento"]
)
PAST = 12


class Days:
    """A shop's days, watched from outside: at each moment what stands otherwise there than here, before it is swept."""

    def __init__(self, town: Town, past: frozenset[str]) -> None:
        self.town = town
        self.past = past
        self.orders: list[str] = []
        self.gaps = 0

    def order(self, *, paid: bool = True) -> str:
        email = f"customer{len(self.orders)}@people.test"
        self.orders.append(self.town.twin.place_order(email=email, paid=paid))
        return self.orders[-1]

    def pass_by(self, **span: float) -> None:
        """What comes by itself is taken in first; whatever then is known only after all else was done was a gap."""
        town, service = self.town, self.town.service
        town.clock.moment += timedelta(**span)
        town.twin.deliver()
        while service.process_inbox.run() + service.look_again.run():
            pass
        before = town.untold()
        town.work()
        self.gaps += len(before - town.untold())

    def until_healed(self, *, hours: int) -> None:
        for _ in range(hours * 3):
            self.pass_by(minutes=20)


def losing_every_third(days: Days) -> None:
    days.town.twin.faults.lose_every = 3
    for number in range(6):
        days.order(paid=number % 2 == 0)
        days.pass_by(seconds=30)
    for order_id in days.orders[1::2]:
        days.town.twin.pay(order_id)
        days.pass_by(seconds=30)
    for number, order_id in enumerate(days.orders[:4]):
        days.town.twin.ship(order_id, f"AA{number}", "DHL")
        days.pass_by(seconds=30)
    days.town.twin.refund(days.orders[4], Decimal("5.00"))
    days.pass_by(seconds=30)
    days.until_healed(hours=2)


def silent_for_a_while(days: Days) -> None:
    faults = days.town.twin.faults
    faults.lose_every, faults.silent = 0, True
    first = [days.order() for _ in range(2)]
    days.pass_by(minutes=10)
    days.order()
    for number, order_id in enumerate(first):
        days.town.twin.ship(order_id, f"BB{number}", "DHL")
        days.pass_by(minutes=10)
    days.town.twin.cancel(days.order(paid=False))
    days.until_healed(hours=3)
    faults.silent = False


def switched_off(days: Days) -> None:
    days.town.twin.break_subscription()
    for _ in range(3):
        days.order()
        days.pass_by(minutes=10)
    days.until_healed(hours=8)


@each_shop
def test_what_webhooks_lost_is_healed_exactly_once_and_counted(
    make_town: MakeTown, platform: str, own_app: bool
) -> None:
    town = make_town(platform, own_app=own_app)
    subscribed, days = begun(town, own_app)
    for happens in (losing_every_third, silent_for_a_while, switched_off):
        heal(days, happens, found=bool(subscribed) or happens is not switched_off)
    assert town.connection.state is ConnectionState.CONNECTED
    assert town.there.hooks() == subscribed
    assert town.connection.repaired == 2 * len(subscribed), "each subscription was made once, and once more"
    days.order()
    days.pass_by(seconds=5)
    assert town.differing() == set(), "webhooks come again by themselves"
    assert town.connection.healed == days.gaps
    assert_told_once(days)


def test_it_is_healed_on_postgresql_too(make_town: MakeTown, postgresql_database_url: str) -> None:
    _, days = begun(make_town("woocommerce", postgresql_database_url), own_app=False)
    heal(days, losing_every_third, found=True)
    assert_told_once(days)


def begun(town: Town, own_app: bool) -> tuple[list[Hook], Days]:
    """Connected, with a past; and what is subscribed there."""
    town.twin.grow(PAST, since=NOW - timedelta(days=20))
    past = set(town.twin.truth())
    town.connect(pasted=own_app).speak()
    assert town.differing() == set()
    assert town.connection.repaired == len(town.there.hooks())
    return town.there.hooks(), Days(town, frozenset(past))


def heal(days: Days, happens: Callable[[Days], None], *, found: bool) -> None:
    town, gaps = days.town, days.gaps
    happens(days)
    assert town.differing() == set()
    assert (days.gaps > gaps) == found
    assert town.connection.healed == days.gaps


def test_a_shop_that_sends_nothing_by_itself_is_kept_up_with(make_town: MakeTown) -> None:
    town = make_town("magento", async_events=False)
    days = Days(town.connect().speak(), frozenset())
    assert not town.connection.subscribed.sends
    losing_every_third(days)
    assert town.differing() == set()
    assert town.connection.healed == days.gaps
    assert_told_once(days)


def test_what_an_app_may_not_see_is_no_gap(make_town: MakeTown) -> None:
    town = make_town("shopify", approved=frozenset({"data"})).connect().speak()
    days = Days(town, frozenset())
    losing_every_third(days)
    assert town.differing() == set()
    assert town.connection.healed == days.gaps


@pytest.mark.parametrize("platform", ["magento", "shopify"])
def test_what_becomes_visible_only_after_what_is_younger_is_found(make_town: MakeTown, platform: str) -> None:
    town = make_town(platform).connect().speak()
    town.twin.faults.silent = True
    for _ in range(3):
        town.there.shown_after(timedelta(seconds=45))
        late = town.twin.place_order(paid=True)
        town.pass_by(seconds=20)
        town.there.shown_after(timedelta(0))
        early = town.twin.place_order(paid=True)
        town.pass_by(seconds=5)
        town.sweep_now()
        assert early in town.known()
        town.pass_by(seconds=60)
        town.sweep_now()
        assert late in town.known()
        town.pass_by(minutes=30)
    assert town.differing() == set()
    assert town.connection.healed == len(town.known()) == 6


def assert_told_once(days: Days) -> None:
    town = days.town
    told = Counter((mail.recipient_address, mail.subject) for mail in town.channel.taken)
    assert [mail for mail, times in told.items() if times > 1] == []
    assert [order_id for order_id in days.past if town.told(order_id)] == []
    for order_id in days.orders:
        kinds = Counter(town.told(order_id))
        truth = town.twin.truth()[order_id]
        # One that is cancelled before anything was heard of it needs no other word.
        assert kinds["order_received"] + kinds["cancelled"] == 1, order_id
        assert kinds["cancelled"] == (truth.status_word in ("cancelled", "canceled")), order_id
        assert kinds["shipped"] == bool(truth.tracking_numbers), order_id
        assert max(kinds.values()) == 1, (order_id, kinds)
    assert sum(told.values()) == sum(len(town.told(order_id)) for order_id in days.orders)
