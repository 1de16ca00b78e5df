"""Parcels in a stand-in WooCommerce shop: the core Fulfillments and the tracking plugins, with all their oddities."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from adapters.woocommerce.twin_desk import Desk
from adapters.woocommerce.twin_documents import Json, md5
from adapters.woocommerce.twin_orders import Line, Meta, Order
from adapters.woocommerce.twin_site import Site

TRACKINGS = "_wc_shipment_tracking_items"
PROVIDERS = ("amazon-logistics", "canada-post", "correos", "deutsche-post", "dhl", "dpd", "fedex", "gls", "ups", "usps")
"""Some of the more than seventy the core feature knows."""


class Unfit(Exception):
    """The fulfillment is refused; the words are WooCommerce's."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A parcel as a test wants to see it."""

    parcel_id: str
    number: str
    carrier: str
    url: str
    where: str
    """`fulfillment`, `tracking` (a plugin) or `meta`."""


@dataclass(slots=True)
class Fulfillment:
    fulfillment_id: int
    order_id: int
    status: str
    updated: datetime
    meta: list[Meta] = field(default_factory=list)

    @property
    def fulfilled(self) -> bool:
        return self.status == "fulfilled"

    def value(self, key: str) -> object:
        return next((meta.value for meta in self.meta if meta.key == key), None)

    def document(self, site: Site, *, listed: bool = False) -> Json:
        """In a list the truth is `"0"` or `"1"` (woocommerce reference, section 5.1)."""
        return {
            "id": self.fulfillment_id,
            "entity_type": "WC_Order",
            "entity_id": str(self.order_id),
            "status": self.status,
            "is_fulfilled": str(int(self.fulfilled)) if listed else self.fulfilled,
            "date_updated": _dated(site, self.updated),
            "date_deleted": None,
            "meta_data": self.meta_document(),
        }

    def meta_document(self) -> list[Json]:
        return [{"id": meta.meta_id, "key": meta.key, "value": meta.value} for meta in self.meta]


class Parcels:
    """All parcels of a shop. Every method is called with the site's lock held."""

    def __init__(self, site: Site, desk: Desk) -> None:
        self.fulfillments: dict[int, Fulfillment] = {}
        self._site = site
        self._desk = desk

    # -- the core feature

    def of(self, order: Order) -> list[Fulfillment]:
        return [one for one in self.fulfillments.values() if one.order_id == order.order_id]

    def create(self, order: Order, status: object, meta: list[Json], *, notify: bool) -> Fulfillment:
        """Quantities are not checked against the order. Raises Unfit."""
        made = Fulfillment(0, order.order_id, _status(status, "unfulfilled"), self._site.now())
        if status is None:
            raise Unfit("Invalid fulfillment status.")
        self._put(made, meta)
        _check_items(made)
        if made.fulfilled:
            self._stamp(made)
        made.fulfillment_id = self._site.next("fulfillment")
        self.fulfillments[made.fulfillment_id] = made
        self._after(order)
        self._desk.tell("woocommerce_fulfillment_after_create", [])
        if made.fulfilled:
            self._desk.tell("woocommerce_fulfillment_after_fulfill", [])
        if made.fulfilled and notify:
            self._desk.mail(order, "customer_fulfillment_created")
            self._desk.tell("woocommerce_fulfillment_created_notification", order.order_id)
        return made

    def update(self, order: Order, one: Fulfillment, status: object, meta: list[Json], *, notify: bool) -> None:
        """What is not sent is deleted (section 5.1). Raises Unfit, with nothing changed."""
        was, kept = one.fulfilled, (one.status, list(one.meta))
        one.status = _status(status, one.status) if status is not None else one.status
        self._put(one, meta)
        try:
            _check_items(one)
        except Unfit:
            one.status, one.meta = kept
            raise
        if one.fulfilled and one.value("_date_fulfilled") is None:
            self._stamp(one)
        one.updated = self._site.now()
        self._after(order)
        if notify and one.fulfilled:
            created = not was
            self._desk.mail(order, "customer_fulfillment_created" if created else "customer_fulfillment_updated")
            if created:
                self._desk.tell("woocommerce_fulfillment_created_notification", order.order_id)

    def delete(self, order: Order, one: Fulfillment, *, notify: bool) -> None:
        del self.fulfillments[one.fulfillment_id]
        self._after(order)
        if notify and one.fulfilled:
            self._desk.mail(order, "customer_fulfillment_deleted")

    def drop_meta(self, order: Order, one: Fulfillment, key: str) -> None:
        """Raises Unfit when nothing would be left in the parcel."""
        if key == "_items":
            raise Unfit("The fulfillment should contain at least one item.")
        one.meta = [meta for meta in one.meta if meta.key != key]
        self._after(order)

    def after_payment(self, order: Order) -> None:
        """Downloads need no parcel: they are fulfilled as soon as the order is in processing or completed."""
        if not self._site.fulfillments or order.meta_value("_auto_fulfill_processed"):
            return
        self._desk.set_meta(order, "_auto_fulfill_processed", "1")
        lines = [line for line in order.lines if line.product.downloadable]
        if lines:
            self.create(order, "fulfilled", [_items_meta(lines)], notify=False)

    def pending(self, order: Order) -> list[Line]:
        """Lines not wholly in a parcel yet."""
        inside = self._inside(order)
        return [line for line in order.lines if line.quantity > inside.get(line.line_id, 0)]

    # -- the plugins

    def trackings(self, order: Order) -> list[Json]:
        kept = order.meta_value(TRACKINGS)
        return [one for one in kept if isinstance(one, dict)] if isinstance(kept, list) else []

    def add_tracking(self, order: Order, given: Json) -> Json:
        """The same number again is one more parcel (section 5.2)."""
        kept = [] if str(given.get("replace_tracking", "")) == "1" else self.trackings(order)
        made = self._ast_item(given) if self._site.trackings == "ast" else self._official_item(given)
        self._desk.set_meta(order, TRACKINGS, [*kept, made])
        if self._site.trackings == "ast" and str(given.get("status_shipped", "")) == "1":
            self._desk.change_status(order, "completed")
        elif self._site.trackings == "ast" and str(given.get("status_shipped", "")) == "2":
            partly = "partial-shipped" if "partial-shipped" in self._site.statuses else order.status
            self._desk.change_status(order, partly)
        else:
            self._desk.save(order)
        return made

    def remove_tracking(self, order: Order, tracking_id: str) -> None:
        left = [one for one in self.trackings(order) if one.get("tracking_id") != tracking_id]
        self._desk.set_meta(order, TRACKINGS, left or None)
        self._desk.save(order)

    # -- for tests

    def all_of(self, order: Order) -> Iterator[Parcel]:
        for one in self.of(order):
            carrier = str(one.value("_provider_name") or one.value("_shipment_provider") or "")
            number, url = str(one.value("_tracking_number") or ""), str(one.value("_tracking_url") or "")
            yield Parcel(str(one.fulfillment_id), number, carrier, url, "fulfillment")
        for item in self.trackings(order):
            carrier = str(item.get("tracking_provider") or item.get("custom_tracking_provider") or "")
            number, url = str(item.get("tracking_number", "")), str(item.get("custom_tracking_link", ""))
            yield Parcel(str(item.get("tracking_id", "")), number, carrier, url, "tracking")
        plain = order.meta_value("_tracking_number")
        if plain:
            yield Parcel(str(plain), str(plain), str(order.meta_value("_tracking_provider") or ""), "", "meta")

    # -- inside

    def _put(self, one: Fulfillment, given: list[Json]) -> None:
        numbers = {meta.key: meta.meta_id for meta in one.meta}
        values = {str(item.get("key", "")): item.get("value") for item in given}
        one.meta = [
            Meta(numbers.get(key) or self._site.next("fulfillment_meta"), key, value) for key, value in values.items()
        ]

    def _stamp(self, one: Fulfillment) -> None:
        if one.value("_date_fulfilled") is None:
            one.meta.append(
                Meta(self._site.next("fulfillment_meta"), "_date_fulfilled", _dated(self._site, self._site.now()))
            )

    def _after(self, order: Order) -> None:
        """The order is told how far it is; its own status is not touched."""
        there = self.of(order)
        status: str | None = "unfulfilled"
        if not there:
            status = None
        elif all(one.fulfilled for one in there) and not self.pending(order):
            status = "fulfilled"
        elif any(one.fulfilled for one in there):
            status = "partially_fulfilled"
        self._desk.set_meta(order, "_fulfillment_status", status)
        self._desk.save(order)

    def _inside(self, order: Order) -> dict[int, Decimal]:
        inside: dict[int, Decimal] = {}
        for one in self.of(order):
            items = one.value("_items")
            for item in items if isinstance(items, list) else []:
                number = int(item["item_id"])
                inside[number] = inside.get(number, Decimal()) + Decimal(str(item["qty"]))
        return inside

    def _ast_item(self, given: Json) -> Json:
        """Of a freshly activated plugin: no carriers, and every date is today (section 5.2)."""
        now = self._site.now()
        provider = str(given.get("custom_tracking_provider") or given.get("tracking_provider") or "")
        number = str(given.get("tracking_number", ""))
        return {
            "tracking_provider": provider,
            "custom_tracking_provider": "",
            "custom_tracking_link": str(given.get("custom_tracking_link") or ""),
            "tracking_number": number,
            "tracking_product_code": "",
            "source": "REST_API",
            "date_shipped": int(now.timestamp()),
            "status_shipped": str(given.get("status_shipped") or ""),
            "tracking_id": md5(provider, number, now.isoformat(), self._site.next("tracking")),
            "user_id": self._site.merchant.user_id,
        }

    def _official_item(self, given: Json) -> Json:
        custom = str(given.get("custom_tracking_provider") or "")
        provider = "" if custom else str(given.get("tracking_provider") or "").lower().replace(" ", "-")
        number = str(given.get("tracking_number", ""))
        return {
            "tracking_provider": provider,
            "custom_tracking_provider": custom,
            "custom_tracking_link": str(given.get("custom_tracking_link") or "") if custom else "",
            "tracking_number": number,
            "date_shipped": str(self._shipped_at(str(given.get("date_shipped") or ""))),
            "tracking_id": md5(provider, custom, number, self._site.next("tracking")),
        }

    def _shipped_at(self, day: str) -> int:
        try:
            return int(datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).timestamp())
        except ValueError:
            return int(self._site.now().timestamp())


def ship_meta(lines: list[Line], number: str, carrier: str) -> list[Json]:
    """What the shopkeeper's own page sends for a parcel with these lines."""
    made = [_items_meta(lines)]
    if number:
        slug = carrier.lower().replace(" ", "-")
        known = slug in PROVIDERS
        made.append({"key": "_tracking_number", "value": number})
        made.append({"key": "_shipment_provider", "value": slug if known else "other"})
        made += [{"key": "_provider_name", "value": carrier}] if carrier and not known else []
    return made


def _items_meta(lines: list[Line]) -> Json:
    return {"key": "_items", "value": [{"item_id": line.line_id, "qty": line.quantity} for line in lines]}


def _status(given: object, otherwise: str) -> str:
    return given if isinstance(given, str) and given in ("fulfilled", "unfulfilled") else otherwise


def _check_items(one: Fulfillment) -> None:
    items = one.value("_items")
    if not items:
        raise Unfit("The fulfillment should contain at least one item.")
    if not isinstance(items, list):
        raise Unfit("The fulfillment items should be an array.")
    for item in items:
        number, quantity = (item.get("item_id"), item.get("qty")) if isinstance(item, dict) else (None, None)
        good = isinstance(number, int) and isinstance(quantity, int | float) and number > 0 and quantity > 0
        if not good or isinstance(number, bool) or isinstance(quantity, bool):
            raise Unfit("Invalid item.")


def _dated(site: Site, moment: datetime) -> str:
    """In UTC; before 11.0 in the shop's own time, without a zone (FulfillmentsDataStore.php)."""
    if site.at_least("11.0"):
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return moment.astimezone(site.zone).strftime("%Y-%m-%d %H:%M:%S")
