"""Follows a hint: asks for the object it points at, and hands on the answer that `resolve` reads."""

from datetime import UTC, datetime, timedelta

from adapters.contract import Store
from adapters.magento.client import get, number, search_all
from adapters.magento.criteria import Filter, query
from adapters.magento.refusals import NotFound
from adapters.magento.tracking import shipment_update
from adapters.reading import Reader, read_json
from connector.domain.delivery import LookAgain, Subject
from connector.domain.errors import NotThereYet, Permanent, UnreadableDelivery

TRY_AGAIN_AFTER = timedelta(seconds=30)
"""Pings leave before the shop commits (magento reference, section 2)."""

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_ROUTES = {
    Subject.ORDER: "orders",
    Subject.SHIPMENT: "shipment",
    Subject.INVOICE: "invoices",
    Subject.CREDIT_NOTE: "creditmemo",
}
"""The route of one object of each kind, as Magento spells it."""


def look(store: Store, hint: LookAgain) -> bytes:
    """The document a hint points at, or a list of one.

    Raises NotThereYet, with the shop's words, when the shop does not know the object: it may not be committed yet.
    Raises Retryable and Permanent otherwise (see `refusals`).
    """
    try:
        answer = _ask(store, hint)
    except NotFound as error:
        raise NotThereYet(str(error), after=TRY_AGAIN_AFTER, answer=error.answer.body) from error
    if _is_empty_list(answer):
        words = f"{store.access.host} knows no such {hint.subject.value.replace('_', ' ')}"
        raise NotThereYet(words, after=TRY_AGAIN_AFTER, answer=answer)
    return answer


def _ask(store: Store, hint: LookAgain) -> bytes:
    subject_id = hint.subject_id or (hint.order_id if hint.subject is Subject.ORDER else "")
    if subject_id:
        return get(store, f"{_ROUTES[hint.subject]}/{_number(subject_id)}").body
    if hint.subject is Subject.ORDER and hint.order_number:
        # A number is unique in its store only: with two of them `resolve` refuses to guess.
        return get(store, "orders", query([Filter("increment_id", hint.order_number)], size=2)).body
    if not hint.order_id:
        raise Permanent(f"the hint ({hint.reason[:100]}) does not say which {hint.subject.value} is meant")
    if hint.subject is Subject.SHIPMENT:
        return _newest_parcel(store, _number(hint.order_id))
    # The last one made is what a hint without its id is about.
    filters = [Filter("order_id", _number(hint.order_id))]
    route = {Subject.CREDIT_NOTE: "creditmemos"}.get(hint.subject, "invoices")
    return get(store, route, query(filters, sort=["-entity_id"], size=1)).body


def _newest_parcel(store: Store, order_id: str) -> bytes:
    """The parcel of an order that changed last, by its tracks: a track that was saved does not name its parcel."""
    found = search_all(store, "shipments", (Filter("order_id", order_id),), key="entity_id")
    newest = max(found, key=_changed_at, default=None)
    if newest is None:
        return b'{"items":[],"total_count":0}'
    return get(store, f"shipment/{number(newest, 'entity_id')}").body


def _changed_at(shipment: Reader) -> tuple[datetime, int]:
    try:
        moment = shipment_update(shipment).shipment.updated_at
    except UnreadableDelivery:
        moment = _LONG_AGO
    return moment, number(shipment, "entity_id")


def _number(key: str) -> str:
    if not (key.isascii() and key.isdigit()):
        raise Permanent("an id that is no number is not asked for: it would become part of an address")
    return key


def _is_empty_list(answer: bytes) -> bool:
    try:
        document = read_json(answer)
    except UnreadableDelivery:
        return False
    return isinstance(document, dict) and "total_count" in document and not document.get("items")
