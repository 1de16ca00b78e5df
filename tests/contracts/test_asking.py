"""What every platform's client promises: trouble is told apart and put into words, and no answer makes it fall over."""

import copy
import json
import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import adapters
from adapters.contract import Offer, Store
from adapters.http import Answer, Request
from adapters.twins import Answered, Asked
from connector.domain.connection import ConnectionState, Credentials, Endpoint, Page
from connector.domain.delivery import LookAgain, Subject
from connector.domain.errors import ConnectorError, NotThereYet, Permanent, Retryable, UnreadableDelivery
from connector.domain.push import LinkPush, NotePush, ShipmentPush, StatusPush
from connector.domain.status import ShipmentStatus
from tests.adapters.talking import FakeWeb
from tests.contracts.connected import ADDRESS, NOW, ImpatientWeb, Town
from tests.contracts.documents import mutilated
from tests.contracts.test_connecting import A_CLICK, each_platform

MakeTown = Callable[..., Town]
SharedTowns = Callable[[str], tuple[Town, str, str]]
Question = Callable[[Store], object]
REAL = adapters.NAMES
each_real = pytest.mark.parametrize("platform", REAL)
PERSON = "eleni@people.test"
ENDPOINT = Endpoint(f"{ADDRESS}/webhooks/any/key", f"{ADDRESS}/webhooks/any", "the-secret-of-this-endpoint")


def questions(town: Town, order_id: str, parcel_id: str = "1") -> dict[str, Question]:
    """All that can be asked of a platform, by name; what it cannot be asked is left out."""
    api, connect = town.api, town.manifest.connect
    assert connect is not None
    prove, status = connect.prove, StatusPush("i-2", order_id, parcel_id, ShipmentStatus.DELIVERED, NOW, "AA1")
    there = {
        "probe": api.probe,
        "look": asking(api.look, LookAgain(Subject.ORDER, order_id, order_id, "asked for")),
        "changes": asking(api.changes, NOW, ""),
        "subscribe": asking(api.subscribe, ENDPOINT),
        "unsubscribe": asking(api.unsubscribe, ENDPOINT),
        "renew": api.renew,
        "parcels": asking(api.parcels, ("1", "2")),
        "wake": api.wake,
        "speak": asking(api.speak, "shipped", False),
        "prove": lambda store: prove(bare(store), Offer(dict(store.access.credentials.values))),
        "shipment": asking(api.pushes.shipment, ShipmentPush("i-1", order_id, "AA1", "DHL")),
        "status": asking(api.pushes.status, status),
        "note": asking(api.pushes.note, NotePush("i-3", order_id, "words")),
        "invoice link": asking(api.pushes.invoice_link, LinkPush("i-4", order_id, "2026-1", f"{ADDRESS}/documents/x")),
    }
    return {name: question for name, question in there.items() if question}


def asking(function: Callable[..., object] | None, *about: object) -> Question | None:
    """The question with all it needs but the store."""
    return (lambda store: function(store, *about)) if function else None


def bare(store: Store) -> Store:
    return replace(store, access=replace(store.access, credentials=Credentials()))


def connected(make_town: MakeTown, platform: str, **named: Any) -> tuple[Town, str]:
    """A connected shop with one order; keys of the merchant's, so that nothing is left to the operator's app."""
    town = make_town(platform, own_app=True, **named).connect(pasted=True)
    order_id = town.twin.place_order(paid=True, email=PERSON)
    town.hear()
    return town, order_id


def assert_said_well(error: Exception, store: Store) -> None:
    """Words for a person, without anybody's data or secrets."""
    words = f"{error} {error.__cause__ if isinstance(error.__cause__, ConnectorError) else ''}"
    assert isinstance(error, Retryable | Permanent), repr(error)
    assert 0 < len(str(error)) < 1_200
    assert words.isprintable(), repr(words)
    for secret in (*store.access.credentials.values.values(), ENDPOINT.secret, PERSON):
        assert len(secret) < 16 or "://" in secret or secret not in words


@each_platform
def test_a_shop_is_looked_at_and_an_order_is_read(make_town: MakeTown, platform: str) -> None:
    town, order_id = connected(make_town, platform)
    store = town.store()
    findings = town.api.probe(store)
    assert findings.missing_rights == ()
    assert all(note and note.isprintable() for note in findings.notes)
    hint = LookAgain(Subject.ORDER, order_id, order_id, "asked for")
    update = town.manifest.resolve(hint, town.api.look(store, hint), town.shop)
    assert getattr(update, "order_id", "") == order_id


@each_platform
def test_an_order_that_is_not_there_is_no_order_and_no_fall(make_town: MakeTown, platform: str) -> None:
    town, _ = connected(make_town, platform)
    hint = LookAgain(Subject.ORDER, "99999999", "99999999", "a hint at nothing")
    try:
        answer = town.api.look(town.store(), hint)
    except NotThereYet as error:
        answer = error.answer
    except Retryable:
        assert platform == "fake"
        return
    update = town.manifest.resolve(hint, answer, town.shop)
    assert type(update).__name__ == "Ignored"


@each_platform
def test_keys_that_were_taken_back_break_the_connection_with_what_to_click_until_the_merchant_acts(
    make_town: MakeTown, platform: str
) -> None:
    town, _ = connected(make_town, platform)
    town.twin.uninstall()
    missed = town.twin.place_order(paid=True)
    for _ in range(24):
        town.later(minutes=30)
    assert town.connection.state.value == "broken"
    assert A_CLICK.search(town.connection.problem), town.connection.problem
    assert PERSON not in town.connection.problem
    town.there.back_again()
    town.connect(pasted=True)
    town.later(minutes=30)
    assert town.connection.state is ConnectionState.CONNECTED
    assert missed in town.known()
    assert town.differing() == set()


TROUBLE = ["throttle", "fail", "hang", "away"]


@contextmanager
def trouble(town: Town, kind: str) -> Iterator[None]:
    """The shop does not answer as it should, for as long as this lasts."""
    faults, web = town.twin.faults, town.service.web
    try:
        if kind == "hang":
            faults.hang_seconds = 0.3
            if isinstance(web, ImpatientWeb):
                web.patience = 0.05
        elif kind == "away":
            with town.there.away():
                yield
            return
        else:
            setattr(faults, kind, 1_000)
        yield
    finally:
        faults.hang_seconds, faults.throttle, faults.fail = 0, 0, 0
        if isinstance(web, ImpatientWeb):
            web.patience = 10.0


@pytest.mark.parametrize("kind", TROUBLE)
@each_platform
def test_a_shop_in_trouble_is_tried_again_later(make_town: MakeTown, platform: str, kind: str) -> None:
    town, order_id = connected(make_town, platform)
    store = town.store()
    if kind == "away" and not town.there.answers_over_http:
        pytest.skip("the fake platform is asked within this process: there is no way that could break")
    asked = questions(town, order_id)
    with trouble(town, kind):
        for name in ("probe", "look", "changes", "subscribe", "prove"):
            with pytest.raises(Retryable) as caught:
                asked[name](store)
            assert_said_well(caught.value, store)
        town.twin.place_order(paid=True)
        town.later(hours=2)
        assert town.connection.state is ConnectionState.CONNECTED, "it is not broken, it is away"
    for _ in range(4):
        town.later(minutes=30)
    assert asked["probe"](town.store())
    assert town.differing() == set()
    assert (town.connection.state, town.connection.problem) == (ConnectionState.CONNECTED, "")


SPOILED = 25
"""Times each question is answered badly."""
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 2**70, 1.5, "", "x", "\x00\ud800", "1e999999", "2026-13-45T99:00:00", [], {}, [[]], {"a": {}}),
    *("0" * 5_000, "https://elsewhere.example/", [None] * 300, {"id": "../../x"}),
)
RUBBISH = {
    "nothing": b"",
    "a page": b"<!DOCTYPE html><html><body><h1>Access denied</h1><p>Ray ID 123</p></body></html>",
    "a list": b"[]",
    "an object": b"{}",
    "null": b"null",
    "a word": b'"yes"',
    "a number": b"1e400",
    "lists in lists": b"[" * 200_000,
    "objects in objects": b'{"data":' * 50_000 + b"1" + b"}" * 50_000,
    "no text at all": b"\xff\xfe\x00\xd8" * 100,
    "a great deal": b'["' + b"a" * 2_000_000 + b'"]',
    "words of a stranger": json.dumps(
        {"message": f"{PERSON} \x00\x1b[31m\u202e <b>", "error": f"{PERSON} \u2028", "code": ["x"], "errors": "y"}
    ).encode(),
    "other types": json.dumps(
        {"data": [1], "items": {"a": 1}, "id": {"b": 2}, "total_count": "many", "access_token": 7}
    ).encode(),
    "lists of anything": json.dumps([None, 1, "x", [], {}, {"id": None}, {"id": -1}, {"id": [1]}]).encode(),
}
STATUSES = (200, 201, 301, 400, 401, 403, 404, 429, 500)


@each_real
def test_no_answer_makes_the_client_fall_over_or_tell_what_it_must_not(make_town: MakeTown, platform: str) -> None:
    town, order_id = connected(make_town, platform)
    for status in STATUSES:
        for name, body in RUBBISH.items():
            answer = Answer(status, {"content-type": "text/html", "location": "https://elsewhere.example/"}, body)
            store = replace(town.store(), web=FakeWeb(partial(always, answer)))
            for kind, question in questions(town, order_id).items():
                ask(question, store, f"{kind}, {status}, {name}")


def always(answer: Answer, _: Request) -> Answer:
    return answer


def ask(question: Question, store: Store, what: str) -> object:
    try:
        return question(store)
    except (Retryable, Permanent) as error:
        assert_said_well(error, store)
    except Exception as error:
        raise AssertionError(f"{what}: {error!r}") from error
    return None


@each_real
def test_a_mutilated_answer_is_understood_or_refused(shared_towns: SharedTowns, platform: str) -> None:
    town, order_id, parcel = shared_towns(platform)
    for name, question in questions(town, order_id, parcel).items():
        for seed in range(SPOILED):
            web = FakeWeb(spoiling(town, random.Random(f"{name} {seed}")))
            told = ask(question, replace(town.store(), web=web), f"{name}, {seed}")
            assert len(web.asked) < 250, "it asks and asks"
            if isinstance(told, Page):
                assert all(0 < len(found.key) <= 100 for found in told.found)


def spoiling(town: Town, chance: random.Random) -> Callable[[Request], Answer]:
    """The twin's answers, some of them cut, with a byte or a value replaced."""

    def answer(request: Request) -> Answer:
        genuine = answered(town, request)
        return Answer(genuine.status, genuine.headers, spoiled(genuine.body, chance))

    return answer


def spoiled(body: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(body) + 1)
    match chance.randrange(5):
        case 0:
            return body
        case 1:
            return body[:place]
        case 2:
            return body[:place] + chance.randbytes(1) + body[place + 1 :]
    try:
        document = json.loads(body)
    except ValueError:
        return body
    for _ in range(chance.randrange(1, 4)):
        document = with_another_value(document, chance)
    return json.dumps(document).encode()


def with_another_value(document: Any, chance: random.Random) -> Any:
    """One value somewhere inside replaced by any other, or gone."""
    if not isinstance(document, dict | list) or not document or chance.randrange(5) == 0:
        return chance.choice(ODD_VALUES)
    keys = list(document) if isinstance(document, dict) else list(range(len(document)))
    key, changed = chance.choice(keys), copy.copy(document)
    if chance.randrange(6) == 0:
        del changed[key]
    else:
        changed[key] = with_another_value(document[key], chance)
    return changed


def answered(town: Town, request: Request) -> Answer:
    """What the twin says, without a wire between."""
    place = re.fullmatch(r"https://([^/]+)([^?]*)\??(.*)", request.url)
    assert place is not None
    headers = {name.lower(): value for name, value in request.headers.items()} | {"host": place[1]}
    said: Answered = town.twin.server.answer(Asked(request.method, place[2] or "/", place[3], headers, request.body))
    kept = {name.lower(): value for name, value in said.headers.items()} | {"content-type": said.content_type}
    return Answer(said.status, kept, said.body)


@each_real
def test_one_odd_order_costs_no_other(shared_towns: SharedTowns, platform: str) -> None:
    town, order_id, _ = shared_towns(platform)
    others = set(town.twin.truth()) - {order_id}
    genuine = Recorded(town)
    town.api.changes(replace(town.store(), web=FakeWeb(genuine)), NOW, "")
    told = [row for answer in genuine.known.values() for row in rows(json.loads(answer.body), order_id)]
    fields = set().union(*(row.keys() for row in told))
    assert len(fields) > 15
    for field in sorted(fields):
        for value in ([1], {"a": [1]}, "x" * 500, -1, None):
            store = replace(town.store(), web=FakeWeb(odd_answers(genuine, order_id, field, value)))
            page = ask(lambda store: town.api.changes(store, NOW, ""), store, f"{field} is {value}")
            if isinstance(page, Page):
                assert others <= {one.key.removeprefix("order:").partition(":")[0] for one in page.found}


class Recorded:
    """The twin's answers, each question asked there once."""

    def __init__(self, town: Town) -> None:
        self.known: dict[tuple[str, bytes], Answer] = {}
        self._town = town

    def __call__(self, request: Request) -> Answer:
        asked = (request.url, request.body)
        self.known[asked] = self.known.get(asked) or answered(self._town, request)
        return self.known[asked]


def rows(document: Any, order_id: str) -> Iterator[dict[str, Any]]:
    """The order's own object, wherever in an answer it stands."""
    if isinstance(document, list):
        for one in document:
            yield from rows(one, order_id)
    elif isinstance(document, dict):
        names = {str(document.get(name)).rpartition("/")[2] for name in ("id", "entity_id")}
        if order_id in names and len(document) > 10:
            yield document
        else:
            for one in document.values():
                yield from rows(one, order_id)


def odd_answers(recorded: Recorded, order_id: str, field: str, value: object) -> Callable[[Request], Answer]:
    """The twin's answers, with this field of this order replaced."""

    def answer(request: Request) -> Answer:
        genuine = recorded(request)
        document = json.loads(genuine.body)
        for row in rows(document, order_id):
            row[field] = value
        return Answer(genuine.status, genuine.headers, json.dumps(document).encode())

    return answer


@each_real
def test_pages_that_never_end_end(make_town: MakeTown, platform: str) -> None:
    town, order_id = connected(make_town, platform)
    town.twin.grow(120, since=NOW.replace(day=1))
    first: dict[str, Answer] = {}

    def again_and_again(request: Request) -> Answer:
        """The first page whatever page is asked for, and always one more."""
        kind = f"{request.method} {request.url.partition('?')[0]} {request.body[:60]!r}"
        if kind not in first:
            genuine = answered(town, request)
            body = genuine.body.replace(b'"hasNextPage": false', b'"hasNextPage": true')
            body = re.sub(rb'"total_count": ?\d+', b'"total_count":9999999', body)
            body = body.replace(b'"hasNextPage":false', b'"hasNextPage":true')
            counted = {**genuine.headers, "x-wp-total": "9999999", "x-wp-totalpages": "99999"}
            first[kind] = Answer(genuine.status, counted, body)
        return first[kind]

    web = FakeWeb(again_and_again)
    store = replace(town.store(), web=web)
    for name, question in questions(town, order_id).items():
        before = len(web.asked)
        ask(question, store, name)
        assert len(web.asked) - before < 250, name
    cursor = ""
    for _ in range(300):
        page = ask(lambda store: town.api.changes(store, NOW.replace(day=1), cursor), store, "changes")  # noqa: B023
        if not isinstance(page, Page) or page.cursor in ("", cursor):
            return
        cursor = page.cursor
    raise AssertionError("the pages go on for ever, each with another cursor")


@each_platform
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_document_that_was_found_is_understood_or_refused_however_it_is_mutilated(
    shared_towns: SharedTowns, platform: str, data: st.DataObject
) -> None:
    town, _, _ = shared_towns(platform)
    found = town.all_found()
    one = random.Random(data.draw(st.integers(0, 1_000))).choice(found)
    assert town.read_found(one)
    with suppress(UnreadableDelivery):
        town.read_found(replace(one, body=data.draw(mutilated(one.body))))


@pytest.mark.parametrize("page", ["system_status", "settings/general"])
def test_a_shop_that_breaks_over_one_page_about_itself_is_connected_all_the_same(
    make_town: MakeTown, page: str
) -> None:
    town = make_town("woocommerce")
    genuine = town.twin.server._answer

    def broken(asked: Asked) -> Answered:
        return Answered(500, b"{}") if page in asked.path else genuine(asked)

    with town.there.answering(broken):
        town.connect()
    assert (town.connection.state, town.connection.problem) == (ConnectionState.CONNECTED, "")
