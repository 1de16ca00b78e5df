"""The twin's answers against the official schema; as real shops send it, anything but an id may be null.

Not the refusals: the schema makes their parameters a list, every recorded one is an object.
"""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

from adapters.magento.twin import MagentoTwin
from tests.adapters.magento.twin_caller import Caller

SCHEMA = Path("adapters/magento/schema/sales-subset-2.4.9.json")


def lenient(node: Any, name: str = "") -> Any:
    """The Swagger schema as real shops keep to it: null anywhere but in an id, `[]` for an object without fields."""
    if isinstance(node, list):
        return [lenient(one) for one in node]
    if not isinstance(node, dict):
        return node
    made = {key: lenient(one) for key, one in node.items() if key != "properties"}
    if "properties" in node:
        made["properties"] = {key: lenient(one, key) for key, one in node["properties"].items()}
    return made if name.endswith("_id") or not name else {"anyOf": [made, {"type": "null"}, {"enum": [[]]}]}


@pytest.fixture(scope="module")
def schema() -> Any:
    document = json.loads(SCHEMA.read_text())
    definitions = {key: lenient(one) for key, one in document["definitions"].items()}
    return document["paths"], definitions


def check(schema: Any, method: str, path: str, answer: Any) -> None:
    paths, definitions = schema
    wanted = paths[path][method.lower()]["responses"]["200"]["schema"]
    errors = list(Draft4Validator({**lenient(wanted), "definitions": definitions}).iter_errors(answer))
    assert not errors, errors[0]


def a_busy_shop(twin: MagentoTwin) -> None:
    for kind in ("simple", "configurable", "bundle", "virtual", "discounted", "free", "mixed"):
        order = twin.place_order(kind=kind, paid=True, store_id=4 if kind == "bundle" else 1)
        if kind != "virtual":
            twin.ship(order, "00340434161094022115", "DHL")
        twin.comment(order, "Called the customer")
    twin.cancel(twin.place_order())
    twin.edit(twin.place_order())
    twin.refund("1", Decimal("5.00"))
    twin.refund("2", twin.truth()["2"].total)
    twin.set_status(twin.place_order(), None)


@pytest.mark.parametrize(
    "path",
    [
        "/V1/orders",
        "/V1/shipments",
        "/V1/invoices",
        "/V1/creditmemos",
        "/V1/store/storeConfigs",
        "/V1/store/storeViews",
        "/V1/store/websites",
        "/V1/store/storeGroups",
        "/V1/modules",
        "/V1/orders/{id}",
        "/V1/orders/{id}/comments",
        "/V1/orders/{id}/statuses",
        "/V1/invoices/{id}",
        "/V1/invoices/{id}/comments",
        "/V1/shipment/{id}",
        "/V1/shipment/{id}/comments",
        "/V1/creditmemo/{id}",
    ],
)
def test_what_is_read_keeps_to_the_official_schema(schema: Any, twin: MagentoTwin, caller: Caller, path: str) -> None:
    a_busy_shop(twin)
    answer = caller.get(path.removeprefix("/V1/").replace("{id}", "1") + "?searchCriteria=")
    assert answer
    check(schema, "GET", path, answer)


def test_what_is_written_answers_as_the_official_schema_says(schema: Any, twin: MagentoTwin, caller: Caller) -> None:
    twin.place_order()
    invoice = caller.post("order/1/invoice", {"capture": True}).json
    shipment = caller.post("order/1/ship").json
    assert (invoice, shipment) == ("1", "1")  # the schema says a number, recorded shops say text
    track = {"order_id": 1, "parent_id": 1, "track_number": "X1", "title": "DHL", "carrier_code": "dhl"}
    track |= {"weight": 0, "qty": 1, "description": ""}
    check(schema, "POST", "/V1/shipment/track", caller.post("shipment/track", {"entity": track}).json)
    comment = {"statusHistory": {"comment": "Hello", "is_customer_notified": 0, "is_visible_on_front": 0}}
    check(schema, "POST", "/V1/orders/{id}/comments", caller.post("orders/1/comments", comment).json)
    for path in ("orders/{id}", "shipment/{id}", "invoices/{id}"):
        check(schema, "POST", f"/V1/{path}/emails", caller.post(path.replace("{id}", "1") + "/emails").json)


def test_the_check_can_fail(schema: Any, twin: MagentoTwin, caller: Caller) -> None:
    twin.place_order()
    answer = caller.get("orders/1") | {"entity_id": None}
    with pytest.raises(AssertionError, match="None"):
        check(schema, "GET", "/V1/orders/{id}", answer)
