"""The demo's Shopify shop: a household shop in Bristol with customers in five languages and as many currencies."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from adapters.shopify import twin_goods
from adapters.shopify.twin import ShopifyTwin
from adapters.shopify.twin_state import Address
from adapters.stories import Act, Expected, Given, Ids, Story, Webhooks
from connector.domain.clock import Clock
from connector.domain.connection import App

HOST = "harbour-and-pine.myshopify.com"
APP = App("8f3c1d5e7a90b2c4d6e8f0a1b3c5d7e9", ("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",))

_Act = Act[ShopifyTwin]


def open_shop(clock: Clock, routes: Mapping[str, str], address: str) -> ShopifyTwin:
    """The shop, not serving yet, with our app as its `shopify.app.toml` registers it at `address`."""
    return ShopifyTwin(
        clock,
        host=HOST,
        routes=routes,
        shop_name="Harbour & Pine",
        shop_email="hello@harbour-and-pine.example",
        currency="GBP",
        currencies=("GBP", "EUR", "BRL", "KWD", "SAR"),
        timezone="Europe/London",
        locale="en",
        country_code="GB",
        country="United Kingdom",
        tax_rate=Decimal("0.20"),
        tax_title="VAT",
        app_name="Connector",
        client_id=APP.client_id,
        client_secret=APP.secrets[0],
        application_url=f"{address}/connect/shopify/app",
        redirect_urls=(f"{address}/connect/shopify/app/callback",),
        webhook_address=f"{address}/webhooks/shopify",
    )


def _line(sku: str, title: str, price: str, quantity: int = 1, **more: object) -> Mapping[str, object]:
    return {"sku": sku, "title": title, "variant_title": None, "quantity": quantity, "price": Decimal(price), **more}


def _order(
    shop: ShopifyTwin,
    email: str,
    name: tuple[str, str],
    place: tuple[str, str, str, str, str],
    lines: tuple[Mapping[str, object], ...],
    **more: object,
) -> str:
    """`place`: street, city, postcode, country and its code."""
    street, city, postcode, country, code = place
    one = twin_goods.customer(len(shop.store.book.customers), email, "en", shop.store.now())
    address = Address(one.address.id, *name, street, city, postcode, country, code)
    who = replace(one, first_name=name[0], last_name=name[1], address=address)
    return shop.place_order(email=email, customer=who, lines=lines, **more)


_BRISTOL = ("14 Wapping Wharf", "Bristol", "BS1 4RW", "United Kingdom", "GB")
_RECIFE = ("Rua da Moeda, 88", "Recife", "50030-040", "Brazil", "BR")
_MADRID = ("Calle del Pez 21, 2.º", "Madrid", "28004", "Spain", "ES")
_ATHENS = ("Ερμού 7", "Αθήνα", "105 63", "Greece", "GR")
_RIYADH = ("شارع العليا ١٢", "الرياض", "12211", "Saudi Arabia", "SA")
_KUWAIT = ("شارع الخليج العربي ٣", "الكويت", "13001", "Kuwait", "KW")


def _delivered_then_late_news(shop: ShopifyTwin, ids: Ids) -> None:
    earlier = shop.store.now() - timedelta(minutes=90)
    shop.report(ids["maya-parcel"], "DELIVERED")
    shop.report(ids["maya-parcel"], "IN_TRANSIT", happened_at=earlier)


STORY: Story[ShopifyTwin] = Story(
    open=open_shop,
    begins_there=True,
    connects=(
        "Installed the app in Shopify's admin, which asks for its rights there.",
        "Opened it: Shopify hands over a token of one minute, which is traded for the shop's own.",
    ),
    connects_at="-72:00",
    app=APP,
    options={
        "sender": "hello@harbour-and-pine.example",
        "colour": "#245c4a",
        "invoice-prefix": "HP-",
        "seller-name": "Harbour & Pine Ltd",
        "seller-street": "3 Rope Walk",
        "seller-postcode": "BS1 6ZJ",
        "seller-city": "Bristol",
        "seller-country": "GB",
        "seller-tax-id": "GB123456789",
        "seller-email": "hello@harbour-and-pine.example",
    },
    acts=(
        _Act(
            "-70:00",
            "maya",
            "Paid at once, with a discount; each webhook comes twice. Then somebody on the way sends the last one "
            "again with another price: its signature no longer fits.",
            lambda shop, _: _order(
                shop,
                "maya@example.com",
                ("Maya", "Whitfield-Okonkwo"),
                _BRISTOL,
                (
                    _line("LAMP", "Harbour lamp", "64.00", discount=Decimal("6.40")),
                    _line("TOWEL", "Linen tea towel", "9.50", 3),
                ),
                locale="en",
                discount_code="HARBOUR10",
                paid=True,
            ),
            makes="maya",
            webhooks=Webhooks.TWICE,
            forged=(r'"total_price":"[^"]*"', '"total_price":"0.01"'),
        ),
        _Act(
            "-70:00",
            "joao",
            "Waits for a bank slip to be paid, in reais.",
            lambda shop, _: _order(
                shop,
                "joao@example.com",
                ("João Pedro", "Cavalcanti"),
                _RECIFE,
                (
                    _line("HAMMOCK", "Rede de algodão", "289.90", 2),
                    _line("MUG", "Caneca esmaltada", "39.00", 4),
                    _line("RUG", "Tapete de sisal", "219.00"),
                ),
                locale="pt-BR",
                presentment="BRL",
                rate=Decimal("7.12"),
                shipping=Decimal("89.00"),
            ),
            makes="joao",
        ),
        _Act(
            "-70:00",
            "lucia",
            "Paid at once, in euros.",
            lambda shop, _: _order(
                shop,
                "lucia@example.com",
                ("Lucía", "Fernández"),
                _MADRID,
                (_line("CUP", "Tazas de gres", "14.50", 4), _line("JUG", "Jarra", "28.00")),
                locale="es",
                presentment="EUR",
                rate=Decimal("1.17"),
                paid=True,
            ),
            makes="lucia",
        ),
        _Act(
            "-70:00",
            "eleni",
            "Paid at once, with a long name in Greek.",
            lambda shop, _: _order(
                shop,
                "eleni@example.com",
                ("Ελένη-Παρασκευή", "Παπαχαραλαμποπούλου"),
                _ATHENS,
                (_line("THROW", "Μάλλινο ριχτάρι", "89.00"),),
                locale="el",
                presentment="EUR",
                rate=Decimal("1.17"),
                paid=True,
            ),
            makes="eleni",
        ),
        _Act(
            "-69:00",
            "joao",
            "The bank slip is paid; the webhook is late.",
            lambda shop, ids: shop.pay(ids["joao"]),
            webhooks=Webhooks.WAIT,
        ),
        _Act(
            "-68:45",
            "joao",
            "The merchant writes a note. The webhooks come in the wrong order: the older picture of the order arrives "
            "after the newer one, and must change nothing.",
            lambda shop, ids: shop.write_note(ids["joao"], "Embrulhar para presente"),
            webhooks=Webhooks.BACKWARDS,
        ),
        _Act(
            "-69:30",
            "digital",
            "A download; the customer's name is hostile, and long.",
            lambda shop, _: _order(
                shop,
                "visitor@example.com",
                ("<script>alert(1)</script>", "Ω" * 60),
                _BRISTOL,
                (_line("PATTERN", "Knitting pattern (PDF)", "6.00", requires_shipping=False),),
                locale="en-GB",
                shipping=Decimal(0),
                paid=True,
            ),
            makes="digital",
        ),
        _Act(
            "-50:00",
            "noura",
            "Not paid yet, in riyals.",
            lambda shop, _: _order(
                shop,
                "noura@example.com",
                ("نورة", "القحطاني"),
                _RIYADH,
                (_line("TRAY", "صينية خشبية", "165.00"),),
                locale="ar",
                presentment="SAR",
                rate=Decimal("4.92"),
                shipping=Decimal("45.00"),
            ),
            makes="noura",
        ),
        _Act(
            "-50:00",
            "joao",
            "The first of three parcels.",
            lambda shop, ids: shop.ship(ids["joao"], "BR120456785BR", "Correios", items={0: 2}),
            makes="joao-1",
        ),
        _Act(
            "-46:00",
            "joao",
            "The second parcel.",
            lambda shop, ids: shop.ship(ids["joao"], "BR120456799BR", "Correios", items={1: 4}),
            makes="joao-2",
        ),
        _Act(
            "-46:00",
            "maya",
            "The parcel left with its number; each webhook comes twice.",
            lambda shop, ids: shop.ship(ids["maya"], "GB904417725GB", "Royal Mail"),
            makes="maya-parcel",
            webhooks=Webhooks.TWICE,
        ),
        _Act(
            "-46:00",
            "lucia",
            "The parcel left with its number.",
            lambda shop, ids: shop.ship(ids["lucia"], "PK4V6T0610015110108049K", "Correos"),
            makes="lucia-parcel",
        ),
        _Act(
            "-46:00",
            "eleni",
            "The parcel left, its number is not known yet: the mail waits up to half an hour for it.",
            lambda shop, ids: shop.ship(ids["eleni"]),
            makes="eleni-parcel",
        ),
        _Act("-46:00", "noura", "Cancelled before it was paid.", lambda shop, ids: shop.cancel(ids["noura"])),
        _Act(
            "-45:50",
            "eleni",
            "The number is here: now the mail goes out, with it.",
            lambda shop, ids: shop.add_tracking(ids["eleni-parcel"], "7227889944", "ACS Courier"),
        ),
        _Act(
            "-44:00",
            "joao",
            "The third parcel, and its webhooks are lost: it is found by looking through the shop.",
            lambda shop, ids: shop.ship(ids["joao"], "JD0014456789", "Jadlog"),
            makes="joao-3",
            webhooks=Webhooks.LOST,
        ),
        _Act(
            "-30:00",
            "eleni",
            "The merchant adds something to the order: nothing to tell, and the invoice stays as it was issued.",
            lambda shop, ids: shop.edit(ids["eleni"], _line("SOAP", "Σαπούνι ελιάς", "7.50")),
        ),
        _Act(
            "-30:00",
            "omar",
            "Paid at once, in Kuwaiti dinars; the webhooks are lost.",
            lambda shop, _: _order(
                shop,
                "omar@example.com",
                ("عمر", "الرشيد"),
                _KUWAIT,
                (_line("LANTERN", "فانوس نحاسي", "21.750"),),
                locale="ar",
                presentment="KWD",
                rate=Decimal("0.404"),
                shipping=Decimal("4.500"),
                paid=True,
            ),
            makes="omar",
            webhooks=Webhooks.LOST,
        ),
        _Act(
            "-20:00",
            "maya",
            "Delivered; then an older word of the carrier comes late: it must not be told.",
            _delivered_then_late_news,
        ),
        _Act(
            "-20:00",
            "joao",
            "The first parcel was delivered.",
            lambda shop, ids: str(shop.report(ids["joao-1"], "DELIVERED")),
        ),
        _Act(
            "-10:00",
            "lucia",
            "One cup arrived broken: a part of the money goes back. Each webhook comes twice.",
            lambda shop, ids: shop.refund(ids["lucia"], Decimal("14.50"), note="Una taza rota"),
            webhooks=Webhooks.TWICE,
        ),
        Given(
            "-8:00",
            "omar",
            "The merchant gives us the number; we write it to Shopify, which mails nobody and tells it back.",
            number="50221499999",
            carrier="Aramex",
            makes="omar-parcel",
        ),
    ),
    orders={
        "maya": Expected(
            "en", True, ("order_received", "shipped:maya-parcel", "delivered:maya-parcel"), ("payment_received",)
        ),
        "joao": Expected(
            "pt-BR",
            True,
            (
                "order_received",
                "payment_received",
                "shipped:joao-1",
                "shipped:joao-2",
                "shipped:joao-3",
                "delivered:joao-1",
            ),
        ),
        "lucia": Expected("es", True, ("order_received", "shipped:lucia-parcel", "refunded"), ("payment_received",)),
        "eleni": Expected("el", True, ("order_received", "shipped:eleni-parcel"), ("payment_received",)),
        "noura": Expected("ar", False, ("order_received", "cancelled")),
        "digital": Expected("en", True, ("order_received",), ("payment_received",)),
        "omar": Expected("ar", True, ("order_received", "shipped:omar-parcel"), ("payment_received",)),
    },
)
