"""From a hint to the platform's answer, which then takes the same road as everything else."""

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta

from adapters.contract import Manifest
from connector.database import Database
from connector.domain.clock import Clock
from connector.domain.delivery import LookAgain, Subject, Update, refuse_long_ids
from connector.domain.errors import Permanent, Retryable, UnreadableDelivery
from connector.domain.shop import Shop
from connector.flow.process_inbox import ProcessInbox, Reading
from connector.flow.retry import next_try
from connector.observability import Metrics
from connector.shop_directory import ShopDirectory
from connector.tables import inbox
from connector.tables.inbox import Claimed, InboxState, Outcome

log = logging.getLogger(__name__)

MOST_QUESTIONS = 30
"""About a day of a platform that is away: the waits grow to an hour."""
LEASE = timedelta(minutes=5)
BATCH = 10

Fetch = Callable[[Shop, LookAgain], bytes]
"""Asks a shop's platform for the object a hint points at; raises Retryable or Permanent."""

_Answers = dict[tuple[str, Subject, str, str], Update]
"""By shop id and the question itself: subject, its id, the order's id."""


class LookAgainFlow:
    """Asks platforms about waiting hints. A platform nobody can ask yet keeps its hints waiting, for all to see."""

    def __init__(
        self,
        database: Database,
        shops: ShopDirectory,
        manifest: Callable[[str], Manifest],
        fetchers: Mapping[str, Fetch],
        process_inbox: ProcessInbox,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._database = database
        self._shops = shops
        self._manifest = manifest
        self._fetchers = fetchers
        self._process_inbox = process_inbox
        self._clock = clock
        self._metrics = metrics

    def run(self) -> int:
        """One batch of hints; returns how many. No network call happens inside a transaction.

        The same question is asked once a batch: all of the batch came before the platform was asked.
        """
        if not self._fetchers:
            return 0
        now = self._clock.now()
        with self._database.write() as connection:
            claimed = inbox.claim(connection, now, lease=LEASE, limit=BATCH, waiting=True)
        answers: _Answers = {}
        for one in claimed:
            self._answer(one, answers)
        return len(claimed)

    def _answer(self, claimed: Claimed, answers: _Answers) -> None:
        shop = self._shops.by_id(claimed.shop_id)
        fetch = self._fetchers.get(claimed.delivery.platform)
        if shop is None or fetch is None:
            later = self._clock.now() + timedelta(hours=1)
            self._finish(Outcome(claimed, InboxState.WAITING, "nobody can ask this platform yet", run_at=later))
            return
        try:
            updates = self._ask(claimed, shop, fetch, answers)
        except Retryable as error:
            self._finish(self._again(claimed, str(error), error.after))
        except UnreadableDelivery as error:
            self._finish(Outcome(claimed, InboxState.REVIEW, f"the platform's answer: {error}"))
        except Permanent as error:
            self._finish(Outcome(claimed, InboxState.DEAD, str(error)))
        except Exception as error:
            self._metrics.errors.labels("look_again").inc()
            log.exception("a hint could not be followed", extra={"delivery_id": claimed.delivery_id})
            self._finish(self._again(claimed, f"the adapter failed: {type(error).__name__}", None))
        else:
            self._process_inbox.join([Reading(claimed, shop, updates)])

    def _ask(self, claimed: Claimed, shop: Shop, fetch: Fetch, answers: _Answers) -> tuple[Update, ...]:
        manifest = self._manifest(claimed.delivery.platform)

        def answered(hint: LookAgain) -> Update:
            question = (shop.shop_id, hint.subject, hint.subject_id, hint.order_id)
            if question not in answers:
                answers[question] = manifest.resolve(hint, fetch(shop, hint), shop)
            return answers[question]

        found = manifest.parse(claimed.delivery, shop)
        updates = tuple(answered(update) if isinstance(update, LookAgain) else update for update in found)
        refuse_long_ids(updates)
        return updates

    def _again(self, claimed: Claimed, problem: str, after: timedelta | None) -> Outcome:
        if claimed.attempts >= MOST_QUESTIONS:
            return Outcome(claimed, InboxState.DEAD, f"given up after {claimed.attempts} tries: {problem}")
        return Outcome(
            claimed, InboxState.WAITING, problem, run_at=next_try(self._clock.now(), claimed.attempts, after)
        )

    def _finish(self, outcome: Outcome) -> None:
        with self._database.write() as connection:
            inbox.finish(connection, [outcome])
