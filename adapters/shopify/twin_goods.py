"""Made-up customers and goods for a twin's orders."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from adapters.shopify.twin_state import Address, Customer

CUSTOMERS = 500
"""Who order again and again in a grown history."""

_FIRST = ("Anna", "Jonas", "Eleni", "Zoë", "Mateo", "Ayşe", "Håkon", "Inês", "Pál", "Nour")
_LAST = ("Weber", "O'Neil", "Παππά", "Lindqvist", "García", "Yılmaz", "Nuñez", "Brandão", "Szabó", "Haddad")
_PLACES = (
    ("Lindenweg", "Hamburg", "20095", "Germany", "DE"),
    ("Rue Oberkampf", "Paris", "75011", "France", "FR"),
    ("Ερμού", "Αθήνα", "105 63", "Greece", "GR"),
    ("Calle Mayor", "Madrid", "28013", "Spain", "ES"),
)
GOODS: tuple[Mapping[str, object], ...] = (
    {
        "sku": "LIN-M-SAND",
        "title": "Linen shirt",
        "variant_title": "M / Sand",
        "quantity": 1,
        "price": Decimal("49.00"),
    },
    {"sku": "OIL-500", "title": "Olive oil & herbs", "variant_title": None, "quantity": 2, "price": Decimal("14.50")},
    {"sku": "MUG-BLU", "title": "Mug <blue>", "variant_title": "Blue", "quantity": 1, "price": Decimal("12.90")},
    {"sku": "BAG-01", "title": "Beach bag", "variant_title": None, "quantity": 1, "price": Decimal("29.99")},
    {"sku": "CANDLE-3", "title": "Bougie d'été", "variant_title": "3 pièces", "quantity": 3, "price": Decimal("7.35")},
)


def customer(place: int, email: str, locale: str, at: datetime) -> Customer:
    """The customer number `place` of the shop."""
    first, last = _FIRST[place % len(_FIRST)], _LAST[place // len(_FIRST) % len(_LAST)]
    street, city, postcode, country, code = _PLACES[place % len(_PLACES)]
    address = Address(
        id=715_243_470_612_851_201 + place,
        first_name=first,
        last_name=last,
        address1=f"{street} {1 + place % 98}",
        city=city,
        zip=postcode,
        country=country,
        country_code=code,
    )
    return Customer(115_310_627_314_723_955 + place, email, first, last, locale, at, address)
