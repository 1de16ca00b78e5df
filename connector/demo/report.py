"""What the demo's run came to, measured where it counts: at the shops that sent and in the mailbox that received."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from email.message import EmailMessage

from connector.demo.stand_ins import StandIn
from connector.flow.service import Service
from connector.tables import documents, inbox, orders
from notifications import history, outbox
from notifications.history import Said

Told = tuple[str, str, str]
"""Shop, order, and what: `kind` or `kind:subject`."""

EVERY_ORDER = 1000


@dataclass(frozen=True, slots=True)
class Report:
    """The figures; `lost` and the five after it must be 0."""

    deliveries: int
    accepted: int
    duplicates: int
    refused: int
    orders: int
    messages: int
    messages_by_kind: dict[str, int]
    messages_by_language: dict[str, int]
    documents: int
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
            f"Deliveries   {self.deliveries} sent by shops on {self.platforms} platforms: {self.accepted} accepted "
            f"({self.duplicates} of them duplicates), {self.refused} refused",
            f"Orders       {self.orders}",
            f"Mails        {self.messages} in {self.languages} languages ({languages})",
            f"             {kinds}",
            f"Documents    {self.documents}",
            f"To look at   {self.needs_review}",
            f"Lost         {self.lost}",
            f"Doubled      {self.doubled}",
            f"Took         {self.seconds:.1f} seconds",
            *(f"PROBLEM: {problem}" for problem in self.problems),
        ]
        return "\n".join(lines)


def measure(service: Service, shops: Sequence[StandIn], mails: Sequence[EmailMessage], seconds: float) -> Report:
    """Compare what the story says must be told with what the mailbox holds."""
    said = {one.intent_id: one for one in all_messages(service, shops)}
    received = [(mail, _what(said, mail)) for mail in mails]
    lost, doubled = list(_lost(shops, received)), list(_doubled(received))
    unexpected, wrong_language = list(_unexpected(shops, received)), list(_in_another_language(shops, received))
    lost_documents, wrong_answers = list(_without_invoice(shops, received)), list(_wrong_answers(shops))
    with service.database.read() as connection:
        kept, issued = inbox.counts(connection), documents.counts(connection)
        states = outbox.counts(connection)
        known = sum(orders.count(connection, shop.shop.shop_id) for shop in shops)
    answers = [sent.status for shop in shops for sent in shop.sent]
    accepted = sum(is_accepted(status) for status in answers)
    languages = Counter(language_of(mail) for mail in mails)
    return Report(
        deliveries=len(answers),
        accepted=accepted,
        duplicates=accepted - sum(kept.values()),
        refused=len(answers) - accepted,
        orders=known,
        messages=len(mails),
        messages_by_kind=dict(Counter(_kind(what) for _, what in received).most_common()),
        messages_by_language=dict(languages.most_common()),
        documents=issued.get("issued", 0),
        needs_review=sum(kept.get(state, 0) for state in ("review", "dead"))
        + sum(states.get(state, 0) for state in ("review", "failed")),
        platforms=len({shop.platform for shop in shops if shop.sent}),
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


def all_messages(service: Service, shops: Sequence[StandIn]) -> list[Said]:
    """Every intent of every order the shops told of, shop by shop, the newest order first."""
    found: list[Said] = []
    with service.database.read() as connection:
        for shop in shops:
            for record in orders.newest(connection, shop.shop.shop_id, limit=EVERY_ORDER):
                found += history.of_order(connection, record.shop_id, record.order_id)
    return found


def intent_of(mail: EmailMessage) -> str:
    """The intent a mail was made from, which is the left part of its Message-ID."""
    return str(mail["Message-ID"] or "").strip().lstrip("<").partition("@")[0]


def language_of(mail: EmailMessage) -> str:
    """As the mail itself says it."""
    return str(mail["Content-Language"] or "")


def is_accepted(status: int) -> bool:
    return 200 <= status < 300


Received = Sequence[tuple[EmailMessage, Told | None]]


def _what(said: dict[str, Said], mail: EmailMessage) -> Told | None:
    one = said.get(intent_of(mail))
    if one is None:
        return None
    meant = one.notification
    return meant.shop_id, meant.order_id, f"{meant.kind}:{meant.subject}".removesuffix(":")


def _kind(what: Told | None) -> str:
    return what[2].partition(":")[0] if what else "unknown"


def _expected(shops: Sequence[StandIn]) -> dict[Told, str]:
    """All that must be told, with the language of each."""
    return {
        (shop.shop.shop_id, order_id, what): expected.language
        for shop in shops
        for order_id, expected in shop.story.orders.items()
        for what in expected.told
    }


def _lost(shops: Sequence[StandIn], received: Received) -> Iterator[str]:
    there = {what for _, what in received}
    for shop_id, order_id, what in _expected(shops):
        if (shop_id, order_id, what) not in there:
            yield f"lost: {_told(shop_id, order_id, what)} never came"


def _doubled(received: Received) -> Iterator[str]:
    for what, count in Counter(what for _, what in received if what).items():
        if count > 1:
            yield f"doubled: {_told(*what)} came {count} times"
    for message_id, count in Counter(str(mail["Message-ID"]) for mail, what in received if what is None).items():
        if count > 1:
            yield f"doubled: the mail {message_id} came {count} times"


def _unexpected(shops: Sequence[StandIn], received: Received) -> Iterator[str]:
    expected = _expected(shops)
    for mail, what in received:
        if what is None:
            yield f"unexpected: a mail that nobody planned, {mail['Message-ID']}"
        elif what not in expected:
            yield f"unexpected: {_told(*what)} came, and must not"


def _in_another_language(shops: Sequence[StandIn], received: Received) -> Iterator[str]:
    expected = _expected(shops)
    for mail, what in received:
        if what in expected and language_of(mail) != expected[what]:
            yield f"wrong language: {_told(*what)} came in {language_of(mail)!r} instead of {expected[what]!r}"


def _told(shop_id: str, order_id: str, what: str) -> str:
    return f"the mail “{what}” about order {order_id} of {shop_id}"


def _without_invoice(shops: Sequence[StandIn], received: Received) -> Iterator[str]:
    invoiced = {what[:2] for mail, what in received if what and any(mail.iter_attachments())}
    for shop in shops:
        for order_id, expected in shop.story.orders.items():
            if expected.invoice is not ((shop.shop.shop_id, order_id) in invoiced):
                missing = "no invoice came" if expected.invoice else "an invoice came that should not exist"
                yield f"documents: {missing} with the mails of order {order_id} ({shop.shop.shop_id})"


def _wrong_answers(shops: Sequence[StandIn]) -> Iterator[str]:
    for shop in shops:
        for sent in shop.sent:
            wanted = "refused" if sent.step.tampered else "accepted"
            if is_accepted(sent.status) is sent.step.tampered:
                yield f"answers: {sent.step.document} ({sent.step.at}) got {sent.status}, but must be {wanted}"
