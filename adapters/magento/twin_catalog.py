"""Who buys what in the twin: a few products, customers and store views, all invented."""

from collections.abc import Mapping

from adapters.magento.twin_rows import Buyer, Product, StoreView

STORE_VIEWS = (
    StoreView(1, "default", "Default Store View", "de_DE"),
    StoreView(2, "en", "English", "en_GB"),
    StoreView(3, "el", "Ελληνικά", "el_GR", tax=2400),
    StoreView(4, "us", "US Dollar", "en_US", currency="USD", rate=1_162_000, tax=0),
)
"""The default one, other languages, and one that sells in another currency than the shop's."""

APRON = Product(401, "APRON-OAT", "Linen apron", "simple", 2_400)
MUG = Product(403, "MUG-HARBOUR", "Harbour mug", "simple", 1_249, weight=0.4)
SHIRT = Product(410, "SHIRT-M-BLUE", "Sailor's shirt", "configurable", 4_900, weight=0.3)
SHIRT_CHILD = Product(411, "SHIRT-M-BLUE", "Sailor's shirt-M-Blue", "simple", 4_900, weight=0.3)
COURSE = Product(420, "COURSE-KNOTS", "Knots for beginners, a course", "virtual", 3_950)
SET = Product(430, "SET-GALLEY", "Galley set", "bundle", 3_649, weight=0.9)

BUYERS = (
    Buyer("Mira", "Hansen", "mira.hansen@example.com", "Hafenstr. 12", "Kiel", "24103", "DE", "+49 431 5550101", 77),
    Buyer("Jonas", "Weber", "jonas.weber@example.com", "Am Deich 4/2", "Husum", "25813", "DE", "+49 4841 5550102"),
    Buyer("Ελένη", "Παππά", "eleni@example.com", "Ερμού 7", "Αθήνα", "10563", "GR", "+30 210 5550103", 79),
    Buyer("Ruth", "O'Neill", "ruth.oneill@example.com", "5 Quay St", "Galway", "H91 X2F7", "IE", "+353 91 555 0104"),
)

SHIPPING_CENTS = 490
KINDS: Mapping[str, tuple[tuple[Product, int, tuple[Product, ...]], ...]] = {
    "simple": ((APRON, 1, ()), (MUG, 2, ())),
    "single": ((MUG, 1, ()),),
    "configurable": ((SHIRT, 2, (SHIRT_CHILD,)), (MUG, 1, ())),
    "virtual": ((COURSE, 1, ()),),
    "bundle": ((SET, 1, (APRON, MUG)),),
    "mixed": ((COURSE, 1, ()), (APRON, 1, ())),
    "discounted": ((APRON, 2, ()), (MUG, 1, ())),
    "free": ((MUG, 1, ()),),
}
"""What an order of each kind holds: product, how many, and the rows below it."""
