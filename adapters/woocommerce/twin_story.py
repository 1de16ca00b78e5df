"""The demo's WooCommerce shop: a small pottery in Berlin that sells abroad, with a plugin for tracking numbers."""

from collections.abc import Mapping

from adapters.stories import Act, Expected, Given, Ids, Story, Webhooks
from adapters.woocommerce.twin import WooCommerceTwin
from connector.domain.clock import Clock

HOST = "tinte-und-ton.example.test"

_Act = Act[WooCommerceTwin]


def open_shop(clock: Clock, routes: Mapping[str, str], _address: str) -> WooCommerceTwin:
    """The shop, not serving yet."""
    return WooCommerceTwin(
        clock,
        host=HOST,
        routes=routes,
        title="Tinte & Ton",
        trackings="ast",
        extra_statuses={"at-the-engraver": "At the engraver"},
    )


def _refund_all(shop: WooCommerceTwin, order_id: str) -> None:
    shop.refund(order_id, shop.truth()[order_id].total)


def _refund_and_cancel(shop: WooCommerceTwin, ids: Ids) -> None:
    _refund_all(shop, ids["nikos"])
    shop.cancel(ids["nikos"])


def _two_parcels(shop: WooCommerceTwin, ids: Ids) -> str:
    return shop.ship(ids["sara"], "50221477821", "Aramex")


_SPAIN = {"city": "Sevilla", "state": "SE", "postcode": "41001", "country": "ES", "phone": "+34 600 55 01 01"}
_KUWAIT = {"city": "الكويت", "state": "", "postcode": "15462", "country": "KW", "phone": "+965 5550 1002"}
_IRELAND = {"city": "Galway", "state": "G", "postcode": "H91 X2F7", "country": "IE", "phone": "+353 91 555 0103"}
_BRAZIL = {"city": "Recife", "state": "PE", "postcode": "50030-230", "country": "BR", "phone": "+55 81 5550-0104"}
_GREECE = {"city": "Θεσσαλονίκη", "state": "", "postcode": "546 24", "country": "GR", "phone": "+30 231 555 0105"}

STORY: Story[WooCommerceTwin] = Story(
    open=open_shop,
    connects=(
        "Opened the link and chose “Go on”: it led to the shop's own page (wc-auth).",
        "Chose Approve there; the shop's server then handed over keys that read and write.",
    ),
    connects_at="-72:00",
    options={
        "locale": "en",
        "sender": "bestellung@tinte-und-ton.example",
        "colour": "#7a3b2e",
        "invoice-prefix": "TT-",
        "seller-name": "Tinte & Ton GmbH",
        "seller-street": "Lange Straße 1",
        "seller-postcode": "10115",
        "seller-city": "Berlin",
        "seller-country": "DE",
        "seller-tax-id": "DE123456789",
        "seller-email": "bestellung@tinte-und-ton.example",
    },
    acts=(
        _Act(
            "-100:00",
            "ruth",
            "Ordered and paid before the shop was connected.",
            lambda shop, _: shop.place_order(
                first_name="Ruth",
                last_name="O'Neill",
                email="ruth@example.com",
                address_1="5 Quay St",
                locale="en",
                paid=True,
                **_IRELAND,
            ),
            makes="ruth",
        ),
        _Act(
            "-70:00",
            "carmen",
            "Paid at once, with a coupon. WooCommerce tells it under two topics, and each comes twice.",
            lambda shop, _: shop.place_order(
                first_name="Carmen",
                last_name="Ibáñez Ruiz",
                email="carmen@example.com",
                address_1="Calle Feria 12, 3.º B",
                coupon="welcome10",
                locale="es",
                paid=True,
                **_SPAIN,
            ),
            makes="carmen",
            webhooks=Webhooks.TWICE,
        ),
        _Act(
            "-70:00",
            "sara",
            "Paid at once, in Kuwaiti dinars: three decimals.",
            lambda shop, _: shop.place_order(
                first_name="سارة",
                last_name="العنزي",
                email="sara@example.com",
                address_1="شارع سالم المبارك ٧",
                items=(("NOTE", 2), ("STICKER", 4)),
                currency="KWD",
                locale="ar",
                paid=True,
                **_KUWAIT,
            ),
            makes="sara",
        ),
        _Act(
            "-70:00",
            "tom",
            "Waits for a bank transfer.",
            lambda shop, _: shop.place_order(
                first_name="Tom", last_name="Baker", email="tom@example.com", locale="en", payment_method="bacs"
            ),
            makes="tom",
        ),
        _Act(
            "-69:00",
            "ana",
            "Paid at once, and its webhooks are lost: the order is found by looking through the shop.",
            lambda shop, _: shop.place_order(
                first_name="Ana",
                last_name="Brandão",
                email="ana@example.com",
                address_1="Rua da Aurora, 325",
                locale="pt-br",
                paid=True,
                **_BRAZIL,
            ),
            makes="ana",
            webhooks=Webhooks.LOST,
        ),
        _Act(
            "-69:00",
            "nikos",
            "Paid at once.",
            lambda shop, _: shop.place_order(
                first_name="Νίκος",
                last_name="Παπαδόπουλος",
                email="nikos@example.com",
                address_1="Τσιμισκή 41",
                locale="el",
                paid=True,
                **_GREECE,
            ),
            makes="nikos",
        ),
        _Act("-50:00", "tom", "The bank transfer is here.", lambda shop, ids: shop.pay(ids["tom"])),
        _Act(
            "-50:00",
            "lukas",
            "A customer whose language nobody has words for: the shop's own language is used.",
            lambda shop, _: shop.place_order(
                first_name="Lukas", last_name="Weiß", email="lukas@example.com", locale="de", paid=True
            ),
            makes="lukas",
        ),
        _Act(
            "-46:00",
            "carmen",
            "Completed without a word about a parcel: the mail waits half an hour for a number, then goes without one.",
            lambda shop, ids: shop.set_status(ids["carmen"], "completed"),
        ),
        _Act(
            "-46:00",
            "sara",
            "The first of two parcels; the webhook waits in the shop's queue.",
            lambda shop, ids: shop.ship(ids["sara"], "50221477810", "Aramex"),
            makes="sara-1",
            webhooks=Webhooks.WAIT,
        ),
        _Act("-46:00", "sara", "The second parcel; one webhook tells both.", _two_parcels, makes="sara-2"),
        _Act("-46:00", "nikos", "Cancelled, and the money goes back: one mail tells both.", _refund_and_cancel),
        _Act(
            "-46:00",
            "ruth",
            "An order from before the shop was connected is shipped: only what is new is told.",
            lambda shop, ids: shop.ship(ids["ruth"], "CE456789012IE", "An Post"),
            makes="ruth-parcel",
        ),
        _Act(
            "-46:00",
            "lukas",
            "A status of a plugin that nobody knows: kept and shown, nothing is guessed.",
            lambda shop, ids: shop.set_status(ids["lukas"], "at-the-engraver"),
        ),
        _Act(
            "-30:00",
            "",
            "Seven failures in a row: the shop has switched our webhooks off, and tells nobody.",
            lambda shop, _: shop.break_subscription(),
        ),
        _Act(
            "-30:00",
            "pedro",
            "No webhook tells of this order, as they are switched off; the watchdog switches them on again later.",
            lambda shop, _: shop.place_order(
                first_name="Pedro",
                last_name="Gómez",
                email="pedro@example.com",
                address_1="Calle Betis 9",
                items=(("RECIPES", 1),),
                locale="es",
                paid=True,
                **_SPAIN,
            ),
            makes="pedro",
        ),
        _Act(
            "-20:00",
            "tom",
            "The parcel left with its number, and the webhook is lost.",
            lambda shop, ids: shop.ship(ids["tom"], "00340434161094042557", "DHL"),
            makes="tom-parcel",
            webhooks=Webhooks.LOST,
        ),
        _Act("-10:00", "ana", "All the money goes back.", lambda shop, ids: _refund_all(shop, ids["ana"])),
        Given(
            "-8:00",
            "lukas",
            "The merchant gives us the number; we write it to the shop, which tells it back, and one mail goes out.",
            number="00340434161094099001",
            carrier="DHL",
            makes="lukas-parcel",
        ),
    ),
    orders={
        "ruth": Expected("en", False, ("shipped:ruth-parcel",), ("order_received", "payment_received")),
        "carmen": Expected("es", True, ("order_received", "shipped"), ("payment_received",)),
        "sara": Expected("ar", True, ("order_received", "shipped:sara-1", "shipped:sara-2"), ("payment_received",)),
        "tom": Expected("en", True, ("order_received", "payment_received", "shipped:tom-parcel")),
        "ana": Expected("pt-BR", True, ("order_received", "refunded"), ("payment_received",)),
        "nikos": Expected("el", True, ("order_received", "cancelled"), ("payment_received", "refunded")),
        "lukas": Expected("en", True, ("order_received", "shipped:lukas-parcel"), ("payment_received",)),
        "pedro": Expected("es", True, ("order_received",), ("payment_received", "shipped")),
    },
)
