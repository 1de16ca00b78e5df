"""What a stand-in WooCommerce shop tells of itself over REST: its index, system status and settings."""

from collections.abc import Sequence
from datetime import timedelta

from adapters.twins import Answered
from adapters.woocommerce import twin_mails
from adapters.woocommerce.twin_documents import Json
from adapters.woocommerce.twin_rest import EDIT, Call, Error, Route, fields, reply
from adapters.woocommerce.twin_site import SYMBOLS, Site

HPOS = "Automattic\\WooCommerce\\Internal\\DataStores\\Orders\\OrdersTableDataStore"
POSTS = "WC_Order_Data_Store_CPT"
SETTING_METHODS = ["GET", "POST", "PUT", "PATCH"]


class ShopRoutes:
    """`/`, `/wc/v3/system_status`, `/wc/v3/settings…` and the currency."""

    def __init__(self) -> None:
        self.listed: Sequence[Route] = ()
        """All routes there are, for the index; set by the twin."""

    def routes(self) -> list[Route]:
        group = r"/wc/v3/settings/(?P<group_id>[\w-]+)"
        one = rf"{group}/(?P<id>[\w-]+)"
        return [
            Route(("GET",), "/", self.index),
            Route(("GET",), "/wc/v3/system_status", self.system_status),
            Route(("GET",), "/wc/v3/data/currencies/current", self.currency),
            Route(("GET",), "/wc/v3/settings", self.groups),
            Route(("GET",), group, self.group),
            Route(("GET",), one, self.setting),
            Route(EDIT, one, self.change),
        ]

    def index(self, call: Call) -> Answered:
        """Public, without keys (woocommerce reference, section 2)."""
        site = call.site
        offset = site.now().astimezone(site.zone).utcoffset() or timedelta()
        routes = [route for route in self.listed if route.only(site)]
        document: Json = {
            "name": site.title,
            "description": "",
            "url": site.home,
            "home": site.home,
            "gmt_offset": str(offset / timedelta(hours=1)).removesuffix(".0"),
            "timezone_string": site.timezone,
            "namespaces": _namespaces(site),
            "authentication": [],
            "routes": {route.pattern: _listed(route) for route in routes},
        }
        return reply(fields(call, [document])[0])

    def system_status(self, call: Call) -> Answered:
        call.may("woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
        if call.listed("_fields") == [] or "environment" in call.listed("_fields"):
            call.site.tried_internet += 1
        return reply(fields(call, [_system_status(call.site)])[0])

    def currency(self, call: Call) -> Answered:
        call.may("woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
        code = call.site.currency
        return reply({"code": code, "name": code, "symbol": SYMBOLS.get(code, code)})

    def groups(self, call: Call) -> Answered:
        call.may("woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
        plain = [{"id": "general", "label": "General", "description": "", "parent_id": "", "sub_groups": []}]
        mails = [
            {"id": f"email_{kind.name}", "label": kind.title, "description": "", "parent_id": "email", "sub_groups": []}
            for kind in twin_mails.kinds(call.site)
        ]
        return reply([*plain, *mails])

    def group(self, call: Call) -> Answered:
        call.may("woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
        return reply(fields(call, _settings(call)))

    def setting(self, call: Call) -> Answered:
        call.may("woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
        return reply(fields(call, [_setting(call)])[0])

    def change(self, call: Call) -> Answered:
        """A checkbox takes `yes` and `no` and nothing else."""
        call.may("woocommerce_rest_cannot_edit", "Sorry, you cannot edit this resource.")
        setting, site = _setting(call), call.site
        value = call.text("value")
        options = setting.get("options")
        if setting["type"] == "checkbox" and value not in ("yes", "no"):
            raise Error("rest_setting_value_invalid", "An invalid setting value was passed.", 400)
        if isinstance(options, dict) and value not in options:
            raise Error("rest_setting_value_invalid", "An invalid setting value was passed.", 400)
        site.options[call.parts["group_id"], call.parts["id"]] = value
        if call.parts["id"] == "woocommerce_price_num_decimals":
            site.decimals = int(value)
        if call.parts["id"] == "woocommerce_currency":
            site.currency = value
        return reply(_setting(call))


def _listed(route: Route) -> Json:
    return {"namespace": "/".join(route.pattern.split("/")[1:3]), "methods": list(route.methods)}


def _namespaces(site: Site) -> list[str]:
    plugins = {"none": [], "ast": ["wc-ast/v3", "wc-shipment-tracking/v3"], "official": ["wc-shipment-tracking/v3"]}
    return ["oembed/1.0", "wc/v1", "wc/v2", "wc/v3", "wc-analytics", "wc/store/v1", *plugins[site.trackings], "wp/v2"]


def _settings(call: Call) -> list[Json]:
    group, site = call.parts["group_id"], call.site
    if group == "general":
        found = _general(site)
    else:
        kind = next((kind for kind in twin_mails.kinds(site) if f"email_{kind.name}" == group), None)
        if kind is None:
            raise Error("rest_setting_setting_group_invalid", "Invalid setting group.", 404)
        found = _of_mail(kind)
    for setting in found:
        name = str(setting["id"])
        setting["value"] = site.options.get((group, name), setting.get("value", setting["default"]))
        setting["group_id"] = group
        setting["_links"] = call.writer.links(f"settings/{group}/{name}", SETTING_METHODS)
    return found


def _setting(call: Call) -> Json:
    found = next((setting for setting in _settings(call) if setting["id"] == call.parts["id"]), None)
    if found is None:
        raise Error("rest_setting_setting_invalid", "Invalid setting.", 404)
    return found


def _general(site: Site) -> list[Json]:
    currencies: Json = {"options": {code: f"{code} ({symbol}) — {code}" for code, symbol in SYMBOLS.items()}}
    return [
        _field("woocommerce_store_address", "Address line 1", "text", "", "Lange Straße 1"),
        _field("woocommerce_store_address_2", "Address line 2", "text", "", ""),
        _field("woocommerce_store_city", "City", "text", "", "Berlin"),
        _field("woocommerce_default_country", "Country / State", "select", "US:CA", site.country),
        _field("woocommerce_store_postcode", "Postcode / ZIP", "text", "", "10115"),
        _field("woocommerce_calc_taxes", "Enable taxes", "checkbox", "no", "yes"),
        _field("woocommerce_currency", "Currency", "select", "USD", site.currency) | currencies,
        _field("woocommerce_currency_pos", "Currency position", "select", "left", "left"),
        _field("woocommerce_price_thousand_sep", "Thousand separator", "text", ",", ","),
        _field("woocommerce_price_decimal_sep", "Decimal separator", "text", ".", "."),
        _field("woocommerce_price_num_decimals", "Number of decimals", "number", "2", str(site.decimals)),
    ]


def _of_mail(kind: twin_mails.MailKind) -> list[Json]:
    """The manual invoice has no switch."""
    default = "yes" if kind.on else "no"
    switch = [_field("enabled", "Enable/Disable", "checkbox", default, default)] if kind.switchable else []
    email_type = _field("email_type", "Email type", "select", "html", "html")
    email_type["options"] = {"plain": "Plain text", "html": "HTML", "multipart": "Multipart"}
    return [
        *switch,
        _field("subject", "Subject", "text", "", ""),
        _field("heading", "Email heading", "text", "", ""),
        _field("additional_content", "Additional content", "textarea", "", ""),
        email_type,
    ]


def _field(name: str, label: str, kind: str, default: str, value: str) -> Json:
    return {"id": name, "label": label, "description": "", "type": kind, "default": default, "tip": "", "value": value}


def _system_status(site: Site) -> Json:
    features = ["analytics", "marketplace", "order_attribution", "remote_logging"]
    features += ["custom_order_tables"] if site.hpos else []
    features += ["fulfillments"] if site.fulfillments else []
    return {
        "environment": {
            "home_url": site.home,
            "site_url": site.home,
            "version": site.version,
            "wp_version": site.wordpress,
            "wp_multisite": False,
            "wp_cron": site.cron == "visits",
            "language": "en_US",
            "php_version": "8.2.36",
            "default_timezone": "UTC",
        },
        "database": {"wc_database_version": site.version, "database_prefix": "wp_"},
        "active_plugins": _plugins(site),
        "theme": {"name": "Storefront", "version": "4.6.2", "is_child_theme": False},
        "settings": {
            "api_enabled": False,
            "force_ssl": False,
            "currency": site.currency,
            "currency_symbol": SYMBOLS.get(site.currency, site.currency),
            "currency_position": "left",
            "thousand_separator": ",",
            "decimal_separator": ".",
            "number_of_decimals": site.decimals,
            "order_datastore": HPOS if site.hpos else POSTS,
            "HPOS_enabled": site.hpos,
            "HPOS_sync_enabled": False,
            "enabled_features": features,
        },
        "security": {"secure_connection": site.is_ssl, "hide_errors": True},
    }


def _plugins(site: Site) -> list[Json]:
    there = [("woocommerce/woocommerce.php", "WooCommerce", site.version)]
    if site.trackings == "ast":
        name = "woo-advanced-shipment-tracking/woocommerce-advanced-shipment-tracking.php"
        there.append((name, "Advanced Shipment Tracking for WooCommerce", "3.9.2"))
    if site.trackings == "official":
        there.append(("woocommerce-shipment-tracking/woocommerce-shipment-tracking.php", "Shipment Tracking", "2.5.0"))
    return [
        {"plugin": plugin, "name": name, "version": version, "version_latest": version, "network_activated": False}
        for plugin, name, version in there
    ]
