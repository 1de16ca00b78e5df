"""The facts as schema.org data."""

import json
from typing import Any

import pytest

from connector.domain.order import TrackingNumber
from notifications.structured_data import json_ld
from tests.builders import address, line, order_snapshot, shipment, shop


@pytest.mark.parametrize(
    ("kind", "status"),
    [("order_received", "OrderProcessing"), ("cancelled", "OrderCancelled"), ("refunded", None)],
)
def test_an_order_is_told_with_its_given_amounts(kind: str, status: str | None) -> None:
    data: dict[str, Any] = json.loads(json_ld(kind, order_snapshot(), shop(), None, is_part=False))
    assert (data["@type"], data["orderNumber"], data["price"], data["priceCurrency"]) == (
        "Order",
        "#1042",
        "148.80",
        "EUR",
    )
    assert [offer["price"] for offer in data["acceptedOffer"]] == ["88.00", "50.00", "4.90"]
    assert data.get("orderStatus") == (status and f"https://schema.org/{status}")


@pytest.mark.parametrize("kind", ["shipped", "tracking_added"])
def test_a_parcel_is_told_with_its_number_and_where_it_goes(kind: str) -> None:
    data: dict[str, Any] = json.loads(json_ld(kind, order_snapshot(), shop(), shipment(), is_part=False))
    assert (data["@type"], data["trackingNumber"], data["carrier"]["name"]) == (
        "ParcelDelivery",
        "RR123456785GR",
        "ELTA",
    )
    assert data["deliveryAddress"]["postalCode"] == "105 63"
    assert data["itemShipped"] == [{"@type": "Product", "name": "Linen shirt Marina"}]
    assert data["partOfOrder"]["orderStatus"] == "https://schema.org/OrderInTransit"


def test_codes_of_carriers_and_regions_are_told_as_the_mail_shows_them() -> None:
    there = order_snapshot(shipping=address(region="SE", country="ES"))
    parcel = shipment(tracking=(TrackingNumber("1Z", "dhl-de"),))
    data: dict[str, Any] = json.loads(json_ld("shipped", there, shop(), parcel, is_part=False))
    assert data["carrier"]["name"] == "DHL DE"
    assert "addressRegion" not in data["deliveryAddress"]


def test_an_order_of_which_a_part_left_is_still_being_processed() -> None:
    data: dict[str, Any] = json.loads(json_ld("shipped", order_snapshot(), shop(), shipment(), is_part=True))
    assert data["partOfOrder"]["orderStatus"] == "https://schema.org/OrderProcessing"


def test_no_value_can_end_the_script_element() -> None:
    hostile = "</script><script>alert(1)</script><!-- &lt; \ud800"
    snapshot = order_snapshot(lines=(line(name=hostile),), number=hostile, shipping=address(city=hostile))
    for one in (None, shipment()):
        document = json_ld("shipped", snapshot, shop(name=hostile), one, is_part=False)
        assert not set("<>&") & set(document)
        assert "</script>" in json.dumps(json.loads(document))


def test_nobodys_name_phone_or_address_of_mail_is_in_it() -> None:
    for one in (None, shipment()):
        document = json_ld("shipped", order_snapshot(), shop(), one, is_part=False)
        assert not any(word in document for word in ("Eleni", "Papadaki", "0142", "eleni@example.com"))
