"""From intents to messages handed over, each exactly once or up for review (P2)."""

import hashlib
import logging
import threading
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from connector.database import Database
from connector.domain.clock import Clock
from connector.domain.errors import Permanent, Retryable, Uncertain
from connector.domain.record import OrderRecord
from connector.domain.shop import Shop
from connector.domain.timeline import Tag, TimelineEntry
from connector.flow.issue_documents import IssueDocuments
from connector.flow.retry import next_try
from connector.group_commit import GroupCommit
from connector.observability import Metrics
from connector.shop_directory import ShopDirectory
from connector.tables import documents, orders, timeline
from connector.tables.timeline import Learned
from notifications import outbox
from notifications.channels.contract import Attachment, Channel, Message, Session
from notifications.channels.email import EmailChannel
from notifications.kinds import Notification
from notifications.outbox import Claimed, Mark, OutboxState
from notifications.planning import no_longer
from notifications.rendering import render
from notifications.writing_back import decide, note

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=15)
NO_CHANNEL = timedelta(minutes=5)
PDF = "application/pdf"


class _LeaseLost(Retryable):
    """Another sender holds this intent by now; it is theirs."""


@dataclass(frozen=True, slots=True)
class Step:
    """A mark and the line the timeline gets with it, committed together."""

    mark: Mark
    entry: TimelineEntry | None = None
    follows: Notification | None = None
    """What is to be told to the platform because of it."""


@dataclass(frozen=True, slots=True)
class _Task:
    """One claimed intent with what it needs."""

    claimed: Claimed
    record: OrderRecord
    shop: Shop


class SendOutbox:
    """Claims due intents and hands them over, over a few connections at once; one order's messages go one by one."""

    def __init__(
        self,
        database: Database,
        shops: ShopDirectory,
        channels: Mapping[str, Channel],
        issue_documents: IssueDocuments,
        clock: Clock,
        metrics: Metrics,
        *,
        sender: str,
        connections: int = 2,
    ) -> None:
        self._database = database
        self._shops = shops
        self._channels = channels
        self._issue_documents = issue_documents
        self._clock = clock
        self._metrics = metrics
        self._sender = sender
        self._connections = connections
        self._pool = ThreadPoolExecutor(connections, thread_name_prefix="send")
        self._own = threading.local()
        self._sessions: list[Session] = []
        self._ending = threading.Event()
        self._steps: GroupCommit[Step, bool] = GroupCommit(database, self._write, name="outbox-marks")

    def run(self) -> int:
        """One batch; returns how many intents it took."""
        if self._ending.is_set():
            return 0
        with self._database.write() as connection:
            limit = 20 * self._connections
            claimed = outbox.claim(
                connection, self._clock.now(), lease=LEASE, limit=limit, channels=(EmailChannel.name,)
            )
        waits = [self._pool.submit(self._send_all, group) for group in self._by_order(claimed)]
        for wait in waits:
            for written in wait.result():
                written.result()
        return len(claimed)

    def wind_down(self) -> None:
        """Begin nothing new from now on: what is claimed and not begun is due again at the next start."""
        self._ending.set()

    def stop(self) -> None:
        """Finish what is being handed over, then close the connections."""
        self._pool.shutdown(wait=True)
        self._steps.stop()
        for session in self._sessions:
            session.close()

    def _by_order(self, claimed: list[Claimed]) -> list[list[_Task]]:
        keys = {(one.notification.shop_id, one.notification.order_id) for one in claimed}
        with self._database.read() as connection:
            records = orders.load(connection, keys) if keys else {}
        groups: defaultdict[orders.OrderKey, list[_Task]] = defaultdict(list)
        for one in claimed:
            key = (one.notification.shop_id, one.notification.order_id)
            record, shop = records.get(key), self._shops.by_id(one.notification.shop_id)
            if record is None or shop is None:
                self._submit(one, OutboxState.CLAIMED, OutboxState.WITHDRAWN, "the order or its shop is gone").result()
            else:
                groups[key].append(_Task(one, record, shop))
        return list(groups.values())

    def _send_all(self, tasks: list[_Task]) -> list["Future[bool]"]:
        return [self._send(task) for task in tasks]

    def _send(self, task: _Task) -> "Future[bool]":
        """Send one; the last mark may still be on its way to disk, so that the next message need not wait for it."""
        claimed, notification = task.claimed, task.claimed.notification
        if self._ending.is_set():
            return self._steps.submit(
                Step(Mark(claimed, OutboxState.CLAIMED, OutboxState.PENDING, run_at=self._clock.now()))
            )
        why_not = no_longer(notification, task.record, task.shop, self._clock.now())
        if why_not:
            return self._submit(claimed, OutboxState.CLAIMED, OutboxState.WITHDRAWN, why_not.value)
        state = [OutboxState.CLAIMED]
        try:
            session = self._session(notification.channel)
            message = self._message(task)
            receipt = session.send(message, lambda: self._hand_over(claimed, message, state))
        except _LeaseLost:
            return _done()
        except Uncertain as error:
            return self._submit(claimed, state[0], OutboxState.REVIEW, str(error))
        except Retryable as error:
            return self._postpone(claimed, state[0], error)
        except Permanent as error:
            return self._submit(claimed, state[0], OutboxState.FAILED, str(error))
        except Exception as error:
            self._metrics.errors.labels("send_outbox").inc()
            log.exception("a message could not be sent", extra={"delivery_id": claimed.delivery_id})
            return self._unexpected(claimed, state[0], error)
        return self._submit(claimed, state[0], OutboxState.SENT, receipt.answer, self._note(task))

    def _hand_over(self, claimed: Claimed, message: Message, state: list[OutboxState]) -> None:
        """The last moment at which nothing of the content has left: commit that it is about to.

        The lease begins anew, since the claim may be old by now (others came first, a slow server), and `recover` would
        call uncertain what is being sent.
        """
        said = (message.subject, message.html, message.text)
        until = self._clock.now() + LEASE
        mark = Mark(claimed, OutboxState.CLAIMED, OutboxState.HANDING_OVER, run_at=until, said=said)
        if not self._steps.submit(Step(mark)).result():
            raise _LeaseLost
        state[0] = OutboxState.HANDING_OVER

    def _postpone(self, claimed: Claimed, before: OutboxState, error: Retryable) -> "Future[bool]":
        run_at = next_try(self._clock.now(), claimed.attempts, error.after)
        mark = Mark(claimed, before, OutboxState.PENDING, outcome=str(error), run_at=run_at)
        self._metrics.messages.labels(claimed.notification.kind, "postponed").inc()
        return self._steps.submit(Step(mark))

    def _unexpected(self, claimed: Claimed, before: OutboxState, error: Exception) -> "Future[bool]":
        """Our own fault: before the content left it is tried again, after that nobody knows."""
        if before is OutboxState.HANDING_OVER:
            return self._submit(claimed, before, OutboxState.REVIEW, f"failed on the way: {type(error).__name__}")
        return self._postpone(
            claimed, before, Retryable(f"could not be made: {type(error).__name__}; the log says why")
        )

    def _note(self, task: _Task) -> Notification | None:
        """A line in the order's history on the platform, where the shop wants one."""
        now, kind = self._clock.now(), task.claimed.notification.kind
        words = f"Connector e-mailed the customer: {kind.replace('_', ' ')}, {now:%Y-%m-%d %H:%M} UTC."
        decision = decide(task.record, task.shop, note(task.claimed.intent_id, words), now)
        return decision if isinstance(decision, Notification) else None

    def _submit(
        self,
        claimed: Claimed,
        before: OutboxState,
        after: OutboxState,
        outcome: str,
        follows: Notification | None = None,
    ) -> "Future[bool]":
        now = self._clock.now()
        notification = claimed.notification
        details = {"kind": notification.kind, "subject": notification.subject, "outcome": outcome}
        entry = TimelineEntry(TAGS[after], claimed.intent_id, now, now, details)
        sent_at = now if after is OutboxState.SENT else None
        self._metrics.messages.labels(notification.kind, after.value).inc()
        log.info(
            "message %s",
            after.value,
            extra={"delivery_id": claimed.delivery_id, "intent_id": claimed.intent_id, "kind": notification.kind},
        )
        mark = Mark(claimed, before, after, outcome=outcome, sent_at=sent_at)
        return self._steps.submit(Step(mark, entry, follows))

    def _write(self, connection: sa.Connection, steps: list[Step]) -> list[bool]:
        marked = outbox.mark(connection, [step.mark for step in steps])
        told = [_learned(step) for step, done in zip(steps, marked, strict=True) if done and step.entry]
        timeline.append(self._database, connection, told)
        done = [step for step, moved in zip(steps, marked, strict=True) if moved]
        follows = [(step.follows, step.mark.claimed.delivery_id) for step in done if step.follows]
        outbox.enqueue(self._database, connection, follows, self._clock.now())
        return marked

    def _session(self, channel: str) -> Session:
        """This thread's own open session; Retryable while no such channel is set up."""
        if channel not in self._channels:
            raise Retryable(f"no {channel} server is set up yet (CONNECTOR_SMTP_HOST)", after=NO_CHANNEL)
        open_sessions: dict[str, Session] = self._own.__dict__.setdefault("sessions", {})
        if channel not in open_sessions:
            open_sessions[channel] = self._channels[channel].open()
            self._sessions.append(open_sessions[channel])
        return open_sessions[channel]

    def _message(self, task: _Task) -> Message:
        claimed, notification = task.claimed, task.claimed.notification
        sender = task.shop.sender or self._sender
        domain = sender.rpartition("@")[2]
        thread = hashlib.sha256(f"{notification.shop_id}\x00{notification.order_id}".encode()).hexdigest()[:32]
        return render(
            notification.kind,
            notification.subject,
            task.record,
            task.shop,
            locale=notification.locale,
            recipient=notification.recipient,
            message_id=f"{claimed.intent_id}@{domain}",
            thread_id=f"{thread}@{domain}",
            sender_address=sender,
            created_at=claimed.created_at,
            attachments=self._attachments(task) if notification.invoice else (),
            paid=_tells_payment(task),
        )

    def _attachments(self, task: _Task) -> tuple[Attachment, ...]:
        """The invoice, issued now if it is not yet; none when it cannot be made: the news must not wait for that."""
        wanted = documents.Request(task.record.shop_id, task.record.order_id)
        issued = self._issue_documents.issue(wanted)
        return (Attachment(f"{issued.number}.pdf", PDF, issued.content),) if issued else ()


TAGS = {
    OutboxState.SENT: Tag.MESSAGE_SENT,
    OutboxState.WITHDRAWN: Tag.MESSAGE_WITHDRAWN,
    OutboxState.REVIEW: Tag.MESSAGE_REVIEW,
    OutboxState.FAILED: Tag.MESSAGE_FAILED,
}


def _tells_payment(task: _Task) -> bool | None:
    """Whether "order received" speaks of the payment: only if planned so, since else "payment received" does.

    None leaves it to the order's state, for other kinds and where that other message is not wanted.
    """
    notification = task.claimed.notification
    if notification.kind != "order_received" or not task.shop.speaks("payment_received"):
        return None
    return notification.invoice


def _learned(step: Step) -> Learned:
    assert step.entry is not None  # noqa: S101  # for mypy: the caller looked
    notification = step.mark.claimed.notification
    return Learned(notification.shop_id, notification.order_id, step.mark.claimed.delivery_id, step.entry)


def _done() -> "Future[bool]":
    future: Future[bool] = Future()
    future.set_result(False)
    return future
