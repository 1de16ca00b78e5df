"""The demo's Magento shop: a chandlery in Piraeus with a store view for each of five languages, and async-events."""

from collections.abc import Mapping
from decimal import Decimal

from adapters.magento.twin import MagentoTwin
from adapters.magento.twin_catalog import APRON
from adapters.magento.twin_rows import Buyer, StoreView
from adapters.magento.webhooks import STATIC_SECRET
from adapters.stories import Act, Expected, Given, Ids, Story, Webhooks
from connector.domain.clock import Clock

HOST = "karavi.example.test"
STORES = (
    StoreView(1, "default", "Ελληνικά", "el_GR", tax=2400),
    StoreView(2, "en", "English", "en_US", tax=0),
    StoreView(3, "ar", "العربية", "ar_KW", currency="KWD", rate=356_000, tax=0),
    StoreView(4, "es", "Español", "es_ES", tax=2100),
    StoreView(5, "pt", "Português", "pt_BR", tax=0),
)

_Act = Act[MagentoTwin]

_FAHAD = Buyer("فهد", "المطيري", "fahad@example.com", "شارع بيروت ٢١", "حولي", "32001", "KW", "+965 5550 0301")
_INES = Buyer("Inés", "Navarro", "ines@example.com", "Carrer de Sueca 40", "València", "46006", "ES", "+34 600 550 302")
_IRO = Buyer("Ηρώ", "Σταματίου", "iro@example.com", "Ακτή Μιαούλη 17", "Πειραιάς", "18535", "GR", "+30 210 5550303")
_RUI = Buyer("Rui", "Teixeira", "rui@example.com", "Rua do Bom Jesus 15", "Recife", "50030", "BR", "+55 81 5550304")
_PETER = Buyer("Peter", "Novak", "peter@example.com", "4 Water Lane", "Cork", "T12 X8E2", "IE", "+353 21 555 0305")
_GRACE = Buyer("Grace", "Adeyemi", "grace@example.com", "88 Pier St", "Boston", "02110", "US", "+1 617 555 0306")
_ZOE = Buyer("Ζωή", "Λαμπράκη", "zoe@example.com", "Ερμού 112", "Πάτρα", "26221", "GR", "+30 261 0555 307")


def open_shop(clock: Clock, routes: Mapping[str, str], _address: str) -> MagentoTwin:
    """The shop, not serving yet."""
    return MagentoTwin(clock, host=HOST, routes=routes, stores=STORES, timezone="Europe/Athens", async_events=True)


def _aprons(shop: MagentoTwin, ids: Ids) -> str:
    row = shop.items(ids["iro"])[APRON.sku]
    return shop.ship(ids["iro"], "7228001122", "ACS", items={row: 2})


def _empty_ping(shop: MagentoTwin, ids: Ids) -> None:
    shop.ping(ids["webhooks"], header=STATIC_SECRET.headers[0], secret=ids["secret"], broken=True)
    shop.comment(ids["iro"], "Τηλεφώνησε για την απόδειξη")
    shop.stop_pings()


STORY: Story[MagentoTwin] = Story(
    open=open_shop,
    connects=(
        "Opened the link and copied its two addresses into a new integration in Magento's admin.",
        "Chose Save & Activate and Allow; Magento handed over its keys, and its little window closed by itself.",
    ),
    connects_at="-72:00",
    name="Καράβι",
    options={
        "sender": "orders@karavi.example",
        "colour": "#1c5d8c",
        "invoice-prefix": "KR-",
        "country": "GR",
        "seller-name": "Καράβι Ναυτιλιακά Είδη Μ.Ι.Κ.Ε.",
        "seller-street": "Ακτή Μουτσοπούλου 8",
        "seller-postcode": "185 34",
        "seller-city": "Πειραιάς",
        "seller-country": "GR",
        "seller-tax-id": "EL801234567",
        "seller-email": "orders@karavi.example",
    },
    acts=(
        _Act(
            "-70:00",
            "fahad",
            "Paid on delivery, in Kuwaiti dinars.",
            lambda shop, _: shop.place_order(kind="simple", store_id=3, buyer=_FAHAD),
            makes="fahad",
        ),
        _Act(
            "-70:00",
            "ines",
            "Paid at once; each event comes twice.",
            lambda shop, _: shop.place_order(kind="configurable", store_id=4, buyer=_INES, paid=True),
            makes="ines",
            webhooks=Webhooks.TWICE,
        ),
        _Act(
            "-69:00",
            "iro",
            "Paid at once, with a discount; the events wait in the shop's queue.",
            lambda shop, _: shop.place_order(kind="discounted", store_id=1, buyer=_IRO, paid=True),
            makes="iro",
            webhooks=Webhooks.WAIT,
        ),
        _Act(
            "-69:00",
            "iro",
            "The aprons are sent at once. The events come in the wrong order: the parcel is told before its order, and "
            "is kept until the order is known.",
            _aprons,
            makes="iro-1",
            webhooks=Webhooks.BACKWARDS,
        ),
        _Act(
            "-69:00",
            "rui",
            "A course on video, paid at once: nothing will be shipped.",
            lambda shop, _: shop.place_order(kind="virtual", store_id=5, buyer=_RUI, paid=True),
            makes="rui",
        ),
        _Act(
            "-50:00",
            "peter",
            "Not paid yet.",
            lambda shop, _: shop.place_order(kind="bundle", store_id=2, buyer=_PETER),
            makes="peter",
        ),
        _Act(
            "-50:00",
            "grace",
            "Not paid yet.",
            lambda shop, _: shop.place_order(kind="single", store_id=2, buyer=_GRACE),
            makes="grace",
        ),
        _Act(
            "-48:00",
            "ines",
            "The parcel left, without a number; none comes within the half hour, so the mail goes out without it.",
            lambda shop, ids: shop.ship(ids["ines"]),
            makes="ines-parcel",
        ),
        _Act(
            "-46:00",
            "fahad",
            "The parcel left, without a number: the mail waits for it.",
            lambda shop, ids: shop.ship(ids["fahad"]),
            makes="fahad-parcel",
        ),
        _Act(
            "-46:00",
            "peter",
            "Cancelled before it was paid, and the events are lost.",
            lambda shop, ids: shop.cancel(ids["peter"]),
            webhooks=Webhooks.LOST,
        ),
        _Act(
            "-46:00",
            "grace",
            "Edited: Magento cancels the order and makes another, and the customer hears of no cancellation.",
            lambda shop, ids: shop.edit(ids["grace"], kind="simple"),
            makes="grace-2",
        ),
        _Act(
            "-45:50",
            "fahad",
            "The number is added, which Magento tells nobody: the parcel is looked at again, then the mail goes out.",
            lambda shop, ids: shop.add_track(ids["fahad-parcel"], "50221499123", "Aramex"),
        ),
        _Act(
            "-46:00",
            "iro",
            "The rest follows in a parcel of its own.",
            lambda shop, ids: shop.ship(ids["iro"], "7228001133", "ACS"),
            makes="iro-2",
        ),
        _Act(
            "-44:00",
            "ines",
            "The number comes hours later, untold: the parcel is watched, and the customer is told it, once.",
            lambda shop, ids: shop.add_track(ids["ines-parcel"], "PK4V6T0610015110108050L", "Correos"),
        ),
        _Act(
            "-30:00",
            "zoe",
            "Paid at once, and the events are lost.",
            lambda shop, _: shop.place_order(kind="simple", store_id=1, buyer=_ZOE, paid=True),
            makes="zoe",
            webhooks=Webhooks.LOST,
        ),
        _Act("-20:00", "fahad", "Paid at the door.", lambda shop, ids: shop.pay(ids["fahad"])),
        _Act(
            "-20:00",
            "iro",
            "A hook the merchant tried out sends an empty body: kept for a person, nothing is guessed.",
            _empty_ping,
        ),
        _Act(
            "-10:00",
            "ines",
            "A shirt goes back: a part of the money is returned, and the events are lost.",
            lambda shop, ids: shop.refund(ids["ines"], Decimal("49.00")),
            webhooks=Webhooks.LOST,
        ),
        Given(
            "-8:00",
            "zoe",
            "The merchant gives us the number; we write it to Magento, which mails nobody and tells it back.",
            number="7228004455",
            carrier="ACS",
            makes="zoe-parcel",
        ),
    ),
    orders={
        "fahad": Expected("ar", True, ("order_received", "shipped:fahad-parcel", "payment_received")),
        "ines": Expected(
            "es",
            True,
            ("order_received", "shipped:ines-parcel", "tracking_added:ines-parcel", "refunded"),
            ("payment_received",),
        ),
        "iro": Expected("el", True, ("order_received", "shipped:iro-1", "shipped:iro-2"), ("payment_received",)),
        "rui": Expected("pt-BR", True, ("order_received",), ("payment_received", "shipped")),
        "peter": Expected("en", False, ("order_received", "cancelled")),
        "grace": Expected("en", False, ("order_received",), ("cancelled",)),
        "grace-2": Expected("en", False, ("order_received",)),
        "zoe": Expected("el", True, ("order_received", "shipped:zoe-parcel"), ("payment_received",)),
    },
)
