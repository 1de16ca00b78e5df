"""The platforms the contract suite runs over: every adapter with its recorded samples, and the fake one."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import adapters
from adapters.contract import Manifest
from connector.domain.delivery import Delivery
from connector.domain.shop import Shop
from connector.domain.signing import Secrets
from connector.inspection import describe, read_stored_delivery
from tests import fake_platform

RECEIVED = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
ADAPTERS = Path(adapters.__file__).parent


@dataclass(frozen=True)
class Sample:
    """A recorded delivery with what it must be understood as, and an answer of the platform's API if it is a hint."""

    delivery: Delivery
    expected: dict[str, Any]
    answer: bytes | None = None
    resolved: dict[str, Any] | None = None


@dataclass(frozen=True)
class Platform:
    """A manifest with everything a test of it needs."""

    manifest: Manifest
    shop: Shop
    secrets: Secrets
    samples: dict[str, Sample]


def names() -> tuple[str, ...]:
    """The fake platform and every adapter there is."""
    return ("fake", *adapters.NAMES)


def sample_names(platform: str) -> list[str]:
    """Without importing the adapter, so that a broken one fails its own tests only."""
    if platform == "fake":
        return sorted(_FAKE_DOCUMENTS)
    return sorted(path.stem for path in (ADAPTERS / platform / "samples").glob("*.http"))


@cache
def load(name: str) -> Platform:
    """A platform with its samples."""
    shop = Shop("shop-1", name, "key-1", "Sample shop", "sample.example.test", datetime(2026, 1, 1, tzinfo=UTC))
    if name == "fake":
        return Platform(fake_platform.MANIFEST, shop, fake_platform.SECRETS, _fake_samples(shop))
    samples = {stem: _read_sample(name, stem) for stem in sample_names(name)}
    return Platform(adapters.manifest(name), shop, _read_secrets(name), samples)


def _read_secrets(platform: str) -> Secrets:
    given = json.loads((ADAPTERS / platform / "samples" / "secrets.json").read_text("utf-8"))
    return Secrets(
        shared=tuple(given.get("shared", ())),
        public_keys=given.get("public_keys", {}),
        audiences=tuple(given.get("audiences", ())),
    )


def _read_sample(platform: str, stem: str) -> Sample:
    folder = ADAPTERS / platform / "samples"
    delivery = read_stored_delivery(platform, (folder / f"{stem}.http").read_bytes(), received_at=RECEIVED)
    expected = json.loads((folder / f"{stem}.order.json").read_text("utf-8"))
    answer, resolved = folder / f"{stem}.answer.json", folder / f"{stem}.resolved.json"
    if not answer.exists():
        return Sample(delivery, expected)
    return Sample(delivery, expected, answer.read_bytes(), json.loads(resolved.read_text("utf-8")))


_PARCEL = fake_platform.shipment_document()
_REFUND = fake_platform.refund_document()
_SHIPPED_AT = "2026-11-21T14:00:00Z"
_FAKE_DOCUMENTS: dict[str, Any] = {
    "placed": fake_platform.order_document(),
    "shipped": fake_platform.order_document(updated_at=_SHIPPED_AT, shipments=[_PARCEL]),
    "refunded": fake_platform.order_document(
        updated_at="2026-11-22T08:00:00Z", payment="partially_refunded", shipments=[_PARCEL], refunds=[_REFUND]
    ),
    "parcel": {"type": "shipment", "order_id": "1001", "shipment": _PARCEL},
    "money-back": {"type": "refund", "order_id": "1001", "refund": _REFUND},
    "hint": {"type": "hint", "order_id": "1001"},
    "gone": {"type": "gone"},
    "batch": [fake_platform.order_document(id="1002"), fake_platform.order_document(id="1003")],
}


def _fake_samples(shop: Shop) -> dict[str, Sample]:
    samples = {}
    for name, document in _FAKE_DOCUMENTS.items():
        delivery = fake_platform.delivery(document, received_at=RECEIVED)
        samples[name] = Sample(delivery, describe(fake_platform.MANIFEST.parse(delivery, shop)[0]))
    answer = fake_platform.encoded(_FAKE_DOCUMENTS["shipped"])
    samples["hint"] = Sample(samples["hint"].delivery, samples["hint"].expected, answer, samples["shipped"].expected)
    return samples
