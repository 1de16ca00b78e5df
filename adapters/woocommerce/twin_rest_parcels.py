"""Parcels over the REST API of a stand-in WooCommerce shop (woocommerce reference, section 5)."""

from datetime import UTC, datetime

from adapters.twins import Answered
from adapters.woocommerce.twin_desk import Desk
from adapters.woocommerce.twin_documents import Json
from adapters.woocommerce.twin_orders import Order
from adapters.woocommerce.twin_parcels import Fulfillment, Parcels, Unfit
from adapters.woocommerce.twin_rest import EDIT, Call, Error, Route, reply
from adapters.woocommerce.twin_site import Site

PLUGIN_NAMESPACES: dict[str, tuple[str, ...]] = {
    "none": (),
    "ast": ("wc-ast/v3", "wc-shipment-tracking/v3", "wc/v1", "wc/v2", "wc/v3"),
    "official": ("wc-shipment-tracking/v3", "wc/v1", "wc/v2", "wc/v3"),
}
OFFICIAL_PROVIDERS: Json = {
    "Germany": {"DHL Intraship (DE)": "https://www.dhl.example/track?idc=%1$s", "DPD.de": "https://dpd.example/%1$s"},
    "Spain": {"Correos": "https://correos.example/%1$s"},
    "United States (US)": {"UPS": "https://ups.example/track?n=%1$s", "USPS": "https://usps.example/%1$s"},
}
FORBIDDEN = {
    "GET": ("woocommerce_rest_cannot_view", "Sorry, you cannot view resources."),
    "POST": ("woocommerce_rest_cannot_create", "Sorry, you cannot create resources."),
    "DELETE": ("woocommerce_rest_cannot_delete", "Sorry, you cannot delete resources."),
}
SPECIAL = "Special character not allowd in tracking number"


class ParcelRoutes:
    """The core Fulfillments, where they are on, and the routes of a tracking plugin, where one is there."""

    def __init__(self, desk: Desk, parcels: Parcels) -> None:
        self._desk = desk
        self._parcels = parcels

    def routes(self) -> list[Route]:
        every = r"/wc/v3/orders/(?P<order_id>[\d]+)/fulfillments"
        one = rf"{every}/(?P<fulfillment_id>[\d]+)"
        core = [
            Route(("GET",), every, self.list, _has_fulfillments),
            Route(("POST",), every, self.create, _has_fulfillments),
            Route(("GET",), f"{every}/lookup", self.lookup, _has_fulfillments),
            Route(("GET",), one, self.read, _has_fulfillments),
            Route(EDIT, one, self.update, _has_fulfillments),
            Route(("DELETE",), one, self.delete, _has_fulfillments),
            Route(("GET",), f"{one}/metadata", self.read_meta, _has_fulfillments),
            Route(EDIT, f"{one}/metadata", self.update_meta, _has_fulfillments),
            Route(("DELETE",), f"{one}/metadata", self.delete_meta, _has_fulfillments),
        ]
        return core + self._plugin_routes()

    def _plugin_routes(self) -> list[Route]:
        return [route for namespace in PLUGIN_NAMESPACES["ast"] for route in self._of_namespace(namespace)]

    def _of_namespace(self, namespace: str) -> list[Route]:
        def has_plugin(site: Site) -> bool:
            return namespace in PLUGIN_NAMESPACES[site.trackings]

        every = rf"/{namespace}/orders/(?P<order_id>[\d]+)/shipment-trackings"
        one = rf"{every}/(?P<id>[a-fA-F0-9]{{0,32}})"
        return [
            Route(("GET",), every, self.list_trackings, has_plugin),
            Route(("POST",), every, self.create_tracking, has_plugin),
            Route(("GET",), f"{every}/providers", self.providers, has_plugin),
            Route(("GET",), one, self.read_tracking, has_plugin),
            Route(("DELETE",), one, self.delete_tracking, has_plugin),
        ]

    # -- Fulfillments

    def list(self, call: Call) -> Answered:
        order = self._order(call)
        return reply([one.document(call.site, listed=True) for one in self._parcels.of(order)])

    def create(self, call: Call) -> Answered:
        meta = _meta(call)
        order = self._order(call)
        try:
            made = self._parcels.create(order, call.body.get("status"), meta, notify=call.flag("notify_customer"))
        except Unfit as error:
            raise _bad(str(error)) from error
        return reply(made.document(call.site), 201)

    def read(self, call: Call) -> Answered:
        return reply(self._fulfillment(call, self._order(call)).document(call.site))

    def update(self, call: Call) -> Answered:
        meta = _meta(call)
        order = self._order(call)
        one = self._fulfillment(call, order)
        try:
            notify = call.flag("notify_customer")
            self._parcels.update(order, one, call.body.get("status"), meta, notify=notify)
        except Unfit as error:
            raise _bad(str(error)) from error
        return reply(one.document(call.site))

    def delete(self, call: Call) -> Answered:
        order = self._order(call)
        self._parcels.delete(order, self._fulfillment(call, order), notify=call.flag("notify_customer"))
        return reply({"message": "Fulfillment deleted successfully."})

    def read_meta(self, call: Call) -> Answered:
        return reply(self._fulfillment(call, self._order(call)).meta_document())

    def update_meta(self, call: Call) -> Answered:
        meta = _meta(call)
        order = self._order(call)
        one = self._fulfillment(call, order)
        try:
            self._parcels.update(order, one, None, meta, notify=False)
        except Unfit as error:
            raise _bad(str(error)) from error
        return reply(one.meta_document())

    def delete_meta(self, call: Call) -> Answered:
        call.required("meta_key")
        order = self._order(call)
        one = self._fulfillment(call, order)
        try:
            self._parcels.drop_meta(order, one, call.text("meta_key"))
        except Unfit as error:
            raise _bad(str(error)) from error
        return reply(one.meta_document())

    def lookup(self, call: Call) -> Answered:
        """Of all carriers the stand-in recognises UPS alone."""
        call.required("tracking_number")
        self._order(call)
        number = call.text("tracking_number")
        if not number.upper().startswith("1Z"):
            return reply([])
        url = f"https://www.ups.com/track?tracknum={number}"
        return reply({"tracking_number": number, "shipping_provider": "ups", "tracking_url": url})

    # -- the plugins

    def list_trackings(self, call: Call) -> Answered:
        call.may("woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
        order = self._tracked_order(call)
        return reply([self._tracking(call, order, one) for one in self._parcels.trackings(order)])

    def create_tracking(self, call: Call) -> Answered:
        """Unknown carriers are taken without a word and come out empty (section 5.2)."""
        call.required("tracking_number")
        call.may("woocommerce_rest_cannot_create", "Sorry, you are not allowed to create resources.")
        order = self._tracked_order(call)
        number = call.text("tracking_number")
        if call.site.trackings == "ast" and not all(c.isascii() and (c.isalnum() or c in "- ") for c in number):
            raise Error("woocommerce_rest_order_invalid_id", SPECIAL, 404)
        made = self._parcels.add_tracking(order, call.body)
        return reply(self._tracking(call, order, made), 201)

    def providers(self, call: Call) -> Answered:
        """Of Advanced Shipment Tracking none: its list comes from its maker's server (section 5.2)."""
        call.may("woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
        return reply([] if call.site.trackings == "ast" else OFFICIAL_PROVIDERS)

    def read_tracking(self, call: Call) -> Answered:
        call.may("woocommerce_rest_cannot_view", "Sorry, you cannot view this resource.")
        order = self._tracked_order(call)
        return reply(self._tracking(call, order, self._found(call, order)))

    def delete_tracking(self, call: Call) -> Answered:
        call.may("woocommerce_rest_cannot_delete", "Sorry, you are not allowed to delete this resource.")
        order = self._tracked_order(call)
        document = self._tracking(call, order, self._found(call, order))
        self._parcels.remove_tracking(order, call.parts["id"])
        return reply(document)

    # -- inside

    def _order(self, call: Call) -> Order:
        """The order is looked for before the rights are; its error carries the status as text."""
        order = self._desk.orders.get(call.number("order_id"))
        if order is None:
            data = {"status": "404"}
            raise Error("woocommerce_rest_order_invalid_id", "Invalid order ID.", 404, data=data)
        code, words = FORBIDDEN.get(call.method, ("rest_forbidden", "Sorry, you are not allowed to do that."))
        call.may(code, words)
        return order

    def _fulfillment(self, call: Call, order: Order) -> Fulfillment:
        one = self._parcels.fulfillments.get(call.number("fulfillment_id"))
        if one is None:
            raise _bad("Fulfillment not found.")
        if one.order_id != order.order_id:
            raise _bad("Invalid fulfillment ID.")
        return one

    def _tracked_order(self, call: Call) -> Order:
        order = self._desk.orders.get(call.number("order_id"))
        if order is None:
            raise Error("woocommerce_rest_order_invalid_id", "Invalid order ID.", 404)
        return order

    def _found(self, call: Call, order: Order) -> Json:
        for one in self._parcels.trackings(order):
            if one.get("tracking_id") == call.parts["id"]:
                return one
        code = "woocommerce_rest_order_shipment_tracking_invalid_id"
        raise Error(code, "Invalid shipment tracking ID.", 404)

    def _tracking(self, call: Call, order: Order, item: Json) -> Json:
        shipped = str(item.get("date_shipped", ""))
        day = datetime.fromtimestamp(int(shipped), UTC) if shipped.isdigit() else call.site.now()
        number, custom = str(item.get("tracking_number", "")), str(item.get("custom_tracking_provider") or "")
        provider, link = _known_provider(call.site, str(item.get("tracking_provider") or ""), number)
        place = f"shipment-trackings/{item.get('tracking_id', '')}"
        namespace = call.route[1:].partition("/orders/")[0]
        return {
            "tracking_id": item.get("tracking_id", ""),
            "tracking_provider": custom or provider,
            "tracking_link": str(item.get("custom_tracking_link") or "") or link,
            "tracking_number": number,
            "date_shipped": day.strftime("%Y-%m-%d"),
            "_links": call.writer.below_order(order, place, namespace=namespace),
        }


def _has_fulfillments(site: Site) -> bool:
    return site.fulfillments and site.at_least("10.1")


def _known_provider(site: Site, slug: str, number: str) -> tuple[str, str]:
    """(name, link) of a carrier the plugin knows; empty for another."""
    if site.trackings != "official":
        return "", ""
    for carriers in OFFICIAL_PROVIDERS.values():
        for name, link in carriers.items() if isinstance(carriers, dict) else ():
            if name.lower().replace(" ", "-") == slug:
                return name, link.replace("%1$s", number)
    return "", ""


def _meta(call: Call) -> list[Json]:
    call.required("meta_data")
    call.typed("meta_data", list, "array")
    call.checked()
    given = call.get("meta_data")
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []


def _bad(words: str) -> Error:
    """WooCommerce gives these no code but 0."""
    return Error(0, words, 400)
