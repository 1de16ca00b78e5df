"""What a look at a shop tells."""

from pathlib import Path
from typing import Any

import pytest

import adapters.shopify
from adapters.http import Answer
from adapters.shopify.client import AccessLost
from adapters.shopify.probe import MAILS, probe
from adapters.shopify.scopes import ALL_ORDERS, OPTIONAL_SCOPES, SCOPES
from connector.domain.order import Address
from tests.adapters.shopify.shops import errors, operations, store, telling

NEWEST = {"email": None, "phone": None, "customer": None, "shippingAddress": {"firstName": None, "zip": "546 24"}}


def told(*scopes: str) -> dict[str, Any]:
    return {
        "currentAppInstallation": {
            "accessScopes": [{"handle": scope} for scope in scopes],
            "app": {"title": "Connector"},
        },
        "shop": {
            "name": "Meltemi",
            "myshopifyDomain": "meltemi-goods.myshopify.com",
            "primaryDomain": {"url": "https://meltemi.example"},
            "contactEmail": "hello@meltemi.example",
            "currencyCode": "EUR",
            "ianaTimezone": "Europe/Athens",
            "plan": {"publicDisplayName": "Basic"},
            "shopAddress": {
                "company": "Meltemi Goods OE",
                "address1": "Odos Tsimiski 5",
                "address2": "",
                "city": "Thessaloniki",
                "province": None,
                "zip": "546 24",
                "countryCodeV2": "GR",
                "phone": "+30 231 000 0000",
            },
        },
        "orders": {"nodes": [NEWEST]},
    }


def test_a_shop_says_who_it_is_in_one_question() -> None:
    shop = telling({"Shop": told(*SCOPES, *OPTIONAL_SCOPES, ALL_ORDERS)})
    found = probe(shop)
    assert len(operations(shop)) == 1
    assert (found.name, found.currency, found.timezone, found.country) == ("Meltemi", "EUR", "Europe/Athens", "GR")
    assert found.seller is not None
    assert found.seller.legal_name == "Meltemi Goods OE"
    assert found.seller.address == Address(
        company="Meltemi Goods OE", lines=("Odos Tsimiski 5",), city="Thessaloniki", postcode="546 24", country="GR"
    )
    assert (found.seller.email, found.seller.website) == ("hello@meltemi.example", "https://meltemi.example")
    assert found.missing_rights == ()
    assert found.notes == (MAILS,)
    assert found.platform_speaks == {}


def test_a_missing_right_says_what_does_not_work_and_where_to_give_it() -> None:
    found = probe(telling({"Shop": told("read_orders", "read_customers", "no scope")}))
    missing = {sentence.split()[0]: sentence for sentence in found.missing_rights}
    assert set(missing) == set(SCOPES) - {"read_customers"}, "reading does not include writing"
    assert SCOPES["write_fulfillments"] in missing["write_fulfillments"]
    assert "Open the app in Shopify" in missing["write_fulfillments"]


def test_a_right_a_shop_may_do_without_is_a_note() -> None:
    found = probe(telling({"Shop": told(*SCOPES, ALL_ORDERS)}))
    assert found.missing_rights == ()
    assert {note.split()[0] for note in found.notes if note != MAILS} == set(OPTIONAL_SCOPES)


def test_the_readme_gives_a_reason_for_every_right() -> None:
    text = (Path(adapters.shopify.__file__).parent / "README.md").read_text("utf-8")
    assert [scope for scope in (*SCOPES, *OPTIONAL_SCOPES, ALL_ORDERS) if f"| `{scope}`" not in text] == []


def test_writing_includes_reading() -> None:
    found = probe(telling({"Shop": told(*[scope.replace("read_", "write_") for scope in SCOPES])}))
    assert not set(SCOPES) & {sentence.split()[0] for sentence in found.missing_rights}


def test_a_shop_whose_old_orders_stay_hidden_is_told_so() -> None:
    found = probe(telling({"Shop": told(*SCOPES)}))
    assert any("60 days" in note for note in found.notes)


def test_protected_fields_that_come_back_null_are_named_with_where_to_ask_for_them() -> None:
    answer = errors("ACCESS_DENIED", data=told(*SCOPES), path=("orders", "nodes", 0, "email"))
    (note,) = [note for note in probe(telling({"Shop": answer})).notes if "keeps from the app" in note]
    assert "email" in note
    assert "Protected customer data" in note


def test_fields_that_are_empty_by_themselves_are_not_called_protected() -> None:
    assert not any("keeps from the app" in note for note in probe(telling({"Shop": told(*SCOPES)})).notes)


def test_access_that_was_taken_back_is_for_a_person() -> None:
    with pytest.raises(AccessLost, match="open the app in Shopify once"):
        probe(store(lambda _: Answer(401, {}, b"")))
