"""What the demo's run came to, measured where it counts: in the shops that sent and in the mailbox that received."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from email.message import EmailMessage

import sqlalchemy as sa

from connector.demo.shopfront import Shopfront
from connector.demo.truths import differences
from connector.domain.connection import ConnectionState
from connector.flow.service import Service
from connector.tables import connections, documents, inbox, orders
from notifications import history, outbox
from notifications.history import Said
from notifications.outbox import OutboxState
from notifications.writing_back import PLATFORM

_SPOKEN_OF = sa.select(outbox.outbox.c.order_id).distinct().order_by(outbox.outbox.c.order_id)
Told = tuple[str, str, str]
"""Shop, order, and what: `kind` or `kind:parcel`."""


@dataclass(frozen=True, slots=True)
class Report:
    """The figures; `lost` and the five after it must be 0."""

    connected: int
    imported: int
    """Orders of the time before."""
    deliveries: int
    accepted: int
    duplicates: int
    refused: int
    healed: int
    """Gaps: news that no webhook told."""
    orders: int
    messages: int
    messages_by_kind: dict[str, int]
    messages_by_language: dict[str, int]
    documents: int
    written_back: int
    api_calls: int
    needs_review: int
    platforms: int
    languages: int
    seconds: float
    lost: int = 0
    doubled: int = 0
    unexpected: int = 0
    wrong_language: int = 0
    lost_documents: int = 0
    wrong_answers: int = 0
    problems: list[str] = field(default_factory=list)
    """Each of the above in words."""

    @property
    def good(self) -> bool:
        return not self.problems

    def as_json(self) -> dict[str, object]:
        """All figures, for a machine."""
        return asdict(self)

    def as_text(self) -> str:
        """The figures for a person, one line each."""
        kinds = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in self.messages_by_kind.items())
        languages = ", ".join(f"{count} {language}" for language, count in self.messages_by_language.items())
        lines = [
            f"Connected    {self.connected} shops, each by its own way in; {self.imported} past orders read",
            f"Webhooks     {self.deliveries} sent by shops on {self.platforms} platforms: {self.accepted} accepted "
            f"({self.duplicates} of them duplicates), {self.refused} refused",
            f"Healed       {self.healed} gaps that no webhook told of, in {self.api_calls} API calls in all",
            f"Orders       {self.orders}",
            f"Mails        {self.messages} in {self.languages} languages ({languages})",
            f"             {kinds}",
            f"Documents    {self.documents}",
            f"Written back {self.written_back}",
            f"To look at   {self.needs_review}",
            f"Lost         {self.lost}",
            f"Doubled      {self.doubled}",
            f"Took         {self.seconds:.1f} seconds",
            *(f"PROBLEM: {problem}" for problem in self.problems),
        ]
        return "\n".join(lines)


def measure(service: Service, places: Sequence[Shopfront], mails: Sequence[EmailMessage], seconds: float) -> Report:
    """Compare what the stories say must be told with what the mailbox holds, and what we know with what is true."""
    messages = all_messages(service, places)
    names = {place.shop_id: place.names(service) for place in places}
    said = {one.intent_id: one for one in messages}
    received = [(mail, _what(said, names, mail)) for mail in mails]
    lost, doubled = list(_lost(places, received)), list(_doubled(received))
    unexpected, wrong_language = list(_unexpected(places, received)), list(_in_another_language(places, received))
    lost_documents, wrong_answers = list(_without_invoice(places, received)), list(_wrong_answers(service, places))
    with service.database.read() as connection:
        kept, issued = inbox.counts(connection), documents.counts(connection)
        states = outbox.counts(connection)
        known = sum(orders.count(connection, place.shop_id) for place in places)
        connected = [connections.get(connection, place.shop_id) for place in places]
    sent = [one for place in places for one in place.sent]
    accepted = sum(one.accepted for one in sent)
    languages = Counter(language_of(mail) for mail in mails)
    return Report(
        connected=sum(one is not None and one.state is ConnectionState.CONNECTED for one in connected),
        imported=sum(place.imported for place in places),
        deliveries=len(sent),
        accepted=accepted,
        duplicates=accepted - sum(len({one.idempotency_key for one in place.sent if one.accepted}) for place in places),
        refused=len(sent) - accepted,
        healed=sum(one.healed for one in connected if one),
        orders=known,
        messages=len(mails),
        messages_by_kind=dict(Counter(_kind(what) for _, what in received).most_common()),
        messages_by_language=dict(languages.most_common()),
        documents=issued.get("issued", 0),
        written_back=sum(_is_written_back(one) for one in messages),
        api_calls=sum(service.web.calls(host) for place in places for host in place.twin.routes),
        needs_review=sum(kept.get(state, 0) for state in ("review", "dead"))
        + sum(states.get(state, 0) for state in ("review", "failed")),
        platforms=len({place.platform for place in places if place.sent}),
        languages=len(languages),
        seconds=round(seconds, 1),
        lost=len(lost),
        doubled=len(doubled),
        unexpected=len(unexpected),
        wrong_language=len(wrong_language),
        lost_documents=len(lost_documents),
        wrong_answers=len(wrong_answers),
        problems=[*lost, *doubled, *unexpected, *wrong_language, *lost_documents, *wrong_answers],
    )


def all_messages(service: Service, places: Sequence[Shopfront]) -> list[Said]:
    """Every intent of every order, shop by shop."""
    with service.database.read() as connection:
        about = [
            (place.shop_id, row.order_id)
            for place in places
            for row in connection.execute(_SPOKEN_OF.where(outbox.outbox.c.shop_id == place.shop_id))
        ]
        return [said for one in about for said in history.of_order(connection, *one)]


def intent_of(mail: EmailMessage) -> str:
    """The intent a mail was made from, which is the left part of its Message-ID."""
    return str(mail["Message-ID"] or "").strip().lstrip("<").partition("@")[0]


def language_of(mail: EmailMessage) -> str:
    """As the mail itself says it."""
    return str(mail["Content-Language"] or "")


def _is_written_back(said: Said) -> bool:
    return said.notification.channel == PLATFORM and said.state is OutboxState.SENT


Received = Sequence[tuple[EmailMessage, Told | None]]


def _what(said: dict[str, Said], names: Mapping[str, Mapping[str, str]], mail: EmailMessage) -> Told | None:
    """What a mail tells; a parcel by its name in the story, any other subject left out."""
    one = said.get(intent_of(mail))
    if one is None:
        return None
    meant = one.notification
    return meant.shop_id, meant.order_id, named(meant.kind, meant.subject, names[meant.shop_id])


def named(kind: str, subject: str, names: Mapping[str, str]) -> str:
    """A kind with its subject as the stories write it: `shipped:maya-parcel`, `refunded`."""
    return f"{kind}:{names[subject]}" if subject in names else kind


def _kind(what: Told | None) -> str:
    return what[2].partition(":")[0] if what else "unknown"


def _expected(places: Sequence[Shopfront]) -> dict[Told, str]:
    """All that must be told, with the language of each."""
    return {
        (place.shop_id, order_id, what): expected.language
        for place in places
        for order_id, expected in place.expected().items()
        for what in expected.told
    }


def _lost(places: Sequence[Shopfront], received: Received) -> Iterator[str]:
    there = {what for _, what in received}
    for shop_id, order_id, what in _expected(places):
        if (shop_id, order_id, what) not in there:
            yield f"lost: {_told(shop_id, order_id, what)} never came"
    for place in places:
        for name in place.story.orders.keys() - place.ids.keys():
            yield f"lost: the order of {name} was never placed at {place.twin.host}"


def _doubled(received: Received) -> Iterator[str]:
    for what, count in Counter(what for _, what in received if what).items():
        if count > 1:
            yield f"doubled: {_told(*what)} came {count} times"
    for message_id, count in Counter(str(mail["Message-ID"]) for mail, what in received if what is None).items():
        if count > 1:
            yield f"doubled: the mail {message_id} came {count} times"


def _unexpected(places: Sequence[Shopfront], received: Received) -> Iterator[str]:
    expected = _expected(places)
    for mail, what in received:
        if what is None:
            yield f"unexpected: a mail that nobody planned, {mail['Message-ID']}"
        elif what not in expected:
            yield f"unexpected: {_told(*what)} came, and must not"


def _in_another_language(places: Sequence[Shopfront], received: Received) -> Iterator[str]:
    expected = _expected(places)
    for mail, what in received:
        if what in expected and language_of(mail) != expected[what]:
            yield f"wrong language: {_told(*what)} came in {language_of(mail)!r} instead of {expected[what]!r}"


def _told(shop_id: str, order_id: str, what: str) -> str:
    return f"the mail “{what}” about order {order_id} of {shop_id}"


def _without_invoice(places: Sequence[Shopfront], received: Received) -> Iterator[str]:
    invoiced = {what[:2] for mail, what in received if what and any(mail.iter_attachments())}
    for place in places:
        for order_id, expected in place.expected().items():
            if expected.invoice is not ((place.shop_id, order_id) in invoiced):
                missing = "no invoice came" if expected.invoice else "an invoice came that should not exist"
                yield f"documents: {missing} with the mails of order {order_id} ({place.twin.host})"


def _wrong_answers(service: Service, places: Sequence[Shopfront]) -> Iterator[str]:
    for place in places:
        for sent in place.sent:
            if sent.accepted is sent.forged:
                wanted = "refused" if sent.forged else "accepted"
                yield f"answers: {sent.event} of {place.twin.host} got {sent.status}, but must be {wanted}"
        yield from differences(service, place)
