"""Plays all shops' stories: act by act, on a clock that jumps from one moment to the next."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from adapters.stories import Act, Given, Webhooks, ago
from connector.demo.onboarding import Onboarding
from connector.demo.rest import Rest
from connector.demo.shopfront import Lived, Shopfront
from connector.demo.story_clock import StoryClock
from connector.flow.service import Service
from connector.tables import orders, shops
from notifications import outbox, writing_back
from notifications.kinds import Notification

Happening = Act[Any] | Given | None
"""None: the shop is connected."""
LOOKED_THROUGH = timedelta(minutes=70)
"""How long after an act every shop has been looked through."""


def beginning(places: Sequence[Shopfront], now: datetime) -> datetime:
    """A moment before anything happens in the stories that end now."""
    return min(moment for place in places for moment in place.moments(now)) - timedelta(minutes=1)


class Player:
    """The customers, the shopkeepers, the platforms' postmen and the time."""

    def __init__(self, places: Sequence[Shopfront], service: Service, clock: StoryClock, now: datetime) -> None:
        """`now`: when the stories end."""
        self.places = places
        self.acts = sum(len(place.story.acts) for place in places)
        self.played = 0
        self.said = 0
        self._service = service
        self._clock = clock
        self._now = now
        self._stopped = threading.Event()
        self._waiting: set[Shopfront] = set()

    @property
    def sent(self) -> int:
        """How many webhooks were answered so far."""
        return sum(len(place.sent) for place in self.places)

    def stop(self) -> None:
        """Ask for the end before the next moment, from any thread."""
        self._stopped.set()

    def play(self, happened: Callable[[], None]) -> bool:
        """Everything; `happened` is called now and then, from several threads. False if it was stopped."""
        rest = Rest(self._service, self._clock, self._stopped, happened)
        for place in self.places:
            place.twin.grow(place.story.past_orders, since=self._clock.now() - place.story.past)
        moments = list(self._moments())
        for (moment, doings), after in zip(moments, [*(one for one, _ in moments[1:]), self._now], strict=True):
            rest.pass_to(moment)
            self._do_all(doings, rest, happened)
            rest.wait()
            self._settle(rest)
            if moment + LOOKED_THROUGH < after:
                rest.pass_to(moment + LOOKED_THROUGH)
                self._settle(rest)
            if self._stopped.is_set():
                return False
        rest.pass_to(self._now)
        return not self._stopped.is_set()

    def _settle(self, rest: Rest) -> None:
        while self._come_again() and not self._stopped.is_set():
            rest.wait()

    def _moments(self) -> Iterator[tuple[datetime, list[tuple[Shopfront, Happening]]]]:
        """Each moment with what happens in which shop."""
        found: list[tuple[datetime, Shopfront, Happening]] = []
        for place in self.places:
            found.append((ago(self._now, place.story.connects_at), place, None))
            found += [(ago(self._now, act.at), place, act) for act in place.story.acts]
        found.sort(key=lambda one: one[0])
        for moment, together in groupby(found, key=lambda one: one[0]):
            yield moment, [(place, act) for _, place, act in together]

    def _do_all(self, doings: list[tuple[Shopfront, Happening]], rest: Rest, happened: Callable[[], None]) -> None:
        """Each shop's in their order; the shops beside each other."""
        onboarding = Onboarding(self._service, rest)

        def do(place: Shopfront) -> None:
            for act in [act for where, act in doings if where is place]:
                if self._stopped.is_set():
                    return
                if act is None:
                    onboarding.connect(place)
                else:
                    self._do(place, act)
                happened()

        with ThreadPoolExecutor(len(self.places)) as pool:
            list(pool.map(do, self.places))

    def _do(self, place: Shopfront, act: Act[Any] | Given) -> None:
        place.wire.says = act.says
        place.lived.append(Lived(self._clock.now(), act.order, act.says))
        if isinstance(act, Given):
            self._give(place, act)
        else:
            made = act.do(place.twin, place.ids)
            if act.makes and made:
                place.ids[act.makes] = made
            self._deliver(place, act)
        self.played += 1

    def _deliver(self, place: Shopfront, act: Act[Any]) -> None:
        """Let the platform's postman come, in the way of this act."""
        faults = place.twin.faults
        if act.webhooks is Webhooks.WAIT:
            self._waiting.add(place)
            return
        self._waiting.discard(place)
        faults.silent = act.webhooks is Webhooks.LOST
        faults.duplicate = act.webhooks is Webhooks.TWICE
        faults.reorder = act.webhooks is Webhooks.BACKWARDS
        place.twin.deliver()
        faults.silent = faults.duplicate = faults.reorder = False
        if act.forged:
            place.wire.forge(*act.forged)

    def _come_again(self) -> int:
        """The postmen bring what our own writing set off; not from a shop whose webhooks wait for its next act."""
        arrived = 0
        for place in self.places:
            place.wire.says = ""
            arrived += 0 if place in self._waiting else place.twin.deliver()
        return arrived

    def _give(self, place: Shopfront, given: Given) -> None:
        """What `connector order ship` does; the shop then tells of the parcel itself. An order that is not known here
        cannot be shipped, and its mails show as lost."""
        service, now = self._service, self._service.clock.now()
        with service.database.write() as connection:
            shop = shops.by_id(connection, place.shop_id)
            record = orders.get(connection, place.shop_id, place.ids[given.order])
            if shop is None or record is None:
                return
            writing = writing_back.parcel(given.number, given.carrier, "", "", (), now)
            decision = writing_back.decide(record, shop, writing, now, ordered=True)
            if isinstance(decision, Notification):
                outbox.enqueue(service.database, connection, [(decision, "")], now)
        service.nudge()
