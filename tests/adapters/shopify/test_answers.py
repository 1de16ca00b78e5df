"""Answers of the GraphQL Admin API, told in the words of a webhook."""

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from adapters.shopify.client import question
from connector.domain.delivery import Ignored
from connector.domain.errors import UnreadableDelivery
from connector.domain.order import OrderSnapshot, TrackingNumber
from connector.domain.status import ShipmentStatus
from tests.adapters.shopify.papers import HINT, answer, body, order, resolved

EVERYTHING = ("order-in-outline", "order-created"), ("order-edited", "order-refunded-and-edited")


def _resolved_order(document: object) -> OrderSnapshot:
    read = resolved(document)
    assert isinstance(read, OrderSnapshot)
    return read


@pytest.mark.parametrize(("hint", "told"), EVERYTHING)
def test_an_answer_and_a_webhook_tell_the_same_order(hint: str, told: str) -> None:
    asked, heard = _resolved_order(answer(hint)), order(told)
    # Only the API tells when money came in, and only the webhook knows the address the checkout was confirmed to.
    assert replace(asked, paid_at=None) == replace(
        heard, updated_at=asked.updated_at, email=asked.email, warnings=asked.warnings
    )
    assert asked.paid_at is not None
    assert heard.paid_at is None


def test_parcels_are_the_same_in_both() -> None:
    told = order("order-with-three-parcels")
    document = answer("order-in-outline")
    document["data"]["order"]["fulfillments"] = [
        _as_api(one) for one in body("order-with-three-parcels")["fulfillments"]
    ]
    assert _resolved_order(document).shipments == told.shipments


def _as_api(fulfillment: dict[str, Any]) -> dict[str, Any]:
    """A fulfilment of a webhook in the API's form; the displayed word repeats our own where no carrier spoke."""
    word = fulfillment["shipment_status"]
    displayed = {"success": "FULFILLED", "cancelled": "CANCELED"}[fulfillment["status"]]
    numbers = zip(fulfillment["tracking_numbers"], fulfillment["tracking_urls"], strict=True)
    return {
        "id": fulfillment["admin_graphql_api_id"],
        "status": fulfillment["status"].upper(),
        "displayStatus": word.upper() if word else displayed,
        "createdAt": fulfillment["created_at"],
        "updatedAt": fulfillment["updated_at"],
        "requiresShipping": any(line["requires_shipping"] for line in fulfillment["line_items"]),
        "trackingInfo": [
            {"company": fulfillment["tracking_company"], "number": number, "url": url} for number, url in numbers
        ],
        "fulfillmentLineItems": {
            "nodes": [
                {"quantity": line["quantity"], "lineItem": {"id": line["admin_graphql_api_id"]}}
                for line in fulfillment["line_items"]
            ]
        },
    }


def test_the_newest_event_speaks_where_the_displayed_word_says_nothing() -> None:
    document = answer("order-in-outline")
    document["data"]["order"]["fulfillments"] = [
        {
            "id": "gid://shopify/Fulfillment/7",
            "status": "SUCCESS",
            "displayStatus": "MARKED_AS_FULFILLED",
            "createdAt": "2026-11-21T09:00:00Z",
            "updatedAt": "2026-11-22T09:00:00Z",
            "trackingInfo": [{"company": "ACS", "number": "A1", "url": None}],
            "events": {
                "nodes": [
                    {"status": "IN_TRANSIT", "happenedAt": "2026-11-21T10:00:00Z"},
                    {"status": "OUT_FOR_DELIVERY", "happenedAt": "2026-11-22T08:00:00Z"},
                ]
            },
        }
    ]
    (shipment,) = _resolved_order(document).shipments
    assert (shipment.status, shipment.status_word) == (ShipmentStatus.OUT_FOR_DELIVERY, "out_for_delivery")
    assert shipment.tracking == (TrackingNumber("A1", "ACS", ""),)


def test_the_line_that_is_the_tip_is_known_by_its_worth() -> None:
    read = _resolved_order(answer("order-in-outline"))
    assert [one.total for one in read.charges if one.kind == "tip"] == [Decimal("3.00")]
    assert len(read.lines) == 2


def test_goods_worth_as_much_as_the_tip_stay_goods() -> None:
    document = answer("order-in-outline")
    tip = document["data"]["order"]["lineItems"]["nodes"][2]
    for change in ({"sku": "CARD-3"}, {"requiresShipping": True}, {"taxable": True}):
        document["data"]["order"]["lineItems"]["nodes"][2] = tip | change
        assert len(_resolved_order(document).lines) == 3


def test_a_refund_without_visible_transactions_has_its_total() -> None:
    document = answer("order-edited")
    refund = document["data"]["order"]["refunds"][0]
    refund["transactions"], refund["totalRefundedSet"] = (
        None,
        {"presentmentMoney": {"amount": "31.65", "currencyCode": "USD"}},
    )
    assert [str(one.amount) for one in _resolved_order(document).refunds] == ["31.65"]


def test_fees_are_charged_one_by_one() -> None:
    document = answer("order-in-outline")
    document["data"]["order"]["additionalFees"] = [
        {"name": "Deposit", "price": {"presentmentMoney": {"amount": "0.25", "currencyCode": "EUR"}}, "taxLines": []}
    ]
    assert [(one.name, one.total) for one in _resolved_order(document).charges if one.kind == "fee"] == [
        ("Deposit", Decimal("0.25"))
    ]


def test_a_companys_registered_tax_id_counts() -> None:
    document = answer("order-in-outline")
    document["data"]["order"]["purchasingEntity"] = {"location": {"taxSettings": {"taxRegistrationId": "EL123456783"}}}
    assert _resolved_order(document).customer_tax_id == "EL123456783"


def test_a_tax_id_asked_for_at_the_checkout_counts() -> None:
    document = answer("order-in-outline")
    document["data"]["order"]["localizedFields"] = {
        "nodes": [
            {"key": "SHIPPING_CREDENTIAL_BR", "value": "1"},
            {"key": "TAX_CREDENTIAL_BR", "value": "111.444.777-35"},
        ]
    }
    assert _resolved_order(document).customer_tax_id == "111.444.777-35"


def test_a_partial_answer_is_used_and_what_is_missing_is_named() -> None:
    read = _resolved_order(answer("return-approved"))
    assert str(read.total) == "4400.0", "as the API writes it"
    assert read.warnings == ("Shopify left out order.email", "Shopify left out order.phone")


def test_a_cut_list_of_lines_is_said() -> None:
    document = answer("order-in-outline")
    document["data"]["order"]["lineItems"]["pageInfo"]["hasNextPage"] = True
    assert "only the first page of lineItems was read" in _resolved_order(document).warnings


def test_a_cut_list_of_what_is_in_a_parcel_is_said() -> None:
    document = answer("order-in-outline")
    inside = {"pageInfo": {"hasNextPage": True}, "nodes": []}
    parcel = {"id": "gid://shopify/Fulfillment/7", "status": "SUCCESS", "updatedAt": "2026-11-22T09:00:00Z"}
    document["data"]["order"]["fulfillments"] = [parcel | {"fulfillmentLineItems": inside}]
    assert "only the first page of fulfillmentLineItems was read" in _resolved_order(document).warnings


def test_a_throttled_answer_is_no_deleted_order() -> None:
    throttled = {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]}
    for document in (throttled, throttled | {"data": None}, throttled | {"data": {"order": None}}):
        with pytest.raises(UnreadableDelivery, match="THROTTLED"):
            resolved(document)


@pytest.mark.parametrize(
    "document", [{}, {"data": {}}, {"errors": "Not Found"}, {"data": {"order": None}, "errors": "x"}, [1]]
)
def test_an_answer_without_an_order_is_refused(document: object) -> None:
    with pytest.raises(UnreadableDelivery):
        resolved(document)


def test_an_order_that_is_gone_is_ignored() -> None:
    for document in ({"data": {"order": None}}, {"order": None}):
        assert resolved(document) == Ignored("the order no longer exists in the shop", HINT.order_id)


def test_an_order_of_the_rest_form_is_read_as_well() -> None:
    assert resolved({"order": body("order-created")}) == order("order-created")


def test_what_a_page_leaves_out_stays_out() -> None:
    document = answer("order-in-outline")
    del document["data"]["order"]["fulfillments"]
    assert not _resolved_order(document).shipments_are_complete


def test_the_query_asks_for_every_field_that_an_answer_has() -> None:
    asked = set(re.findall(r"\w+", question("order")))
    answered = set(_keys(answer("order-in-outline")["data"])) | set(_keys(answer("order-edited")["data"]))
    assert answered - asked == set()


def _keys(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        for inner in value.values():
            yield from _keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _keys(inner)


def test_a_field_of_a_wrong_form_is_refused_with_its_path() -> None:
    document = answer("order-in-outline")
    document["data"]["order"]["updatedAt"] = 17
    with pytest.raises(UnreadableDelivery, match=r"data\.order\.updated_at: it is a number"):
        resolved(document)
