"""Platform adapters: one folder a platform, one line here."""

from functools import cache
from importlib import import_module
from typing import cast

from adapters.contract import Manifest

NAMES = (
    "shopify",
    "woocommerce",
    "magento",
)


@cache
def manifest(name: str) -> Manifest:
    """The manifest of a platform. Raises KeyError for a name that is not in NAMES."""
    if name not in NAMES:
        raise KeyError(name)
    return cast(Manifest, import_module(f"adapters.{name}").MANIFEST)
