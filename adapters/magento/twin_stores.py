"""Websites, store groups, store views and their settings as Magento's REST service tells them."""

from adapters.magento.twin_documents import BASE_CURRENCY, Document
from adapters.magento.twin_rows import GROUP, WEBSITE, StoreView

Stores = tuple[StoreView, ...]


def store_configs(stores: Stores, base: str, timezone: str) -> list[Document]:
    """`GET /V1/store/storeConfigs`; the admin's view is not among them."""
    return [_config(store, base, timezone) for store in stores]


def store_views(stores: Stores) -> list[Document]:
    """`GET /V1/store/storeViews`."""
    views = [_view(store.store_id, store.code, store.name, 1) for store in stores]
    return [*views, _view(0, "admin", "Admin", 0)]


def websites() -> list[Document]:
    """`GET /V1/store/websites`."""
    return [
        {"id": 1, "code": "base", "name": WEBSITE, "default_group_id": 1},
        {"id": 0, "code": "admin", "name": "Admin", "default_group_id": 0},
    ]


def store_groups(stores: Stores) -> list[Document]:
    """`GET /V1/store/storeGroups`."""
    return [_group(0, 0, 0, "Default", "default"), _group(1, 2, stores[0].store_id, GROUP, "main_website_store")]


def _group(group_id: int, category: int, store_id: int, name: str, code: str) -> Document:
    return {
        "id": group_id,
        "website_id": group_id,
        "root_category_id": category,
        "default_store_id": store_id,
        "name": name,
        "code": code,
    }


def _view(store_id: int, code: str, name: str, group: int) -> Document:
    return {
        "id": store_id,
        "code": code,
        "name": name,
        "website_id": group,
        "store_group_id": group,
        "is_active": 1,
    }


def _config(store: StoreView, base: str, timezone: str) -> Document:
    document: Document = {
        "id": store.store_id,
        "code": store.code,
        "website_id": 1,
        "locale": store.locale,
        "base_currency_code": BASE_CURRENCY,
        "default_display_currency_code": store.currency,
        "timezone": timezone,
        "weight_unit": "kgs",
    }
    for prefix in ("", "secure_"):
        document[f"{prefix}base_url"] = f"{base}/"
        document[f"{prefix}base_link_url"] = f"{base}/"
        document[f"{prefix}base_static_url"] = f"{base}/static/version1763710000/"
        document[f"{prefix}base_media_url"] = f"{base}/media/"
    return document
