"""What a shop of the demo lives through: acts on its twin, and by hand what each of its customers must be told."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from importlib import import_module
from typing import Any, Generic, TypeVar, cast

from adapters import NAMES
from adapters.twins import Twin
from connector.domain.clock import Clock
from connector.domain.connection import App

Place = TypeVar("Place", bound=Twin)
Ids = Mapping[str, str]
"""The platform's ids of a shop's orders and parcels by their names in the story; `webhooks` is our address for that
shop's webhooks and `secret` what they are signed with."""

_AGO = re.compile(r"-(\d+):(\d\d)")


class Webhooks(Enum):
    """What becomes of the webhooks an act sets off."""

    COME = "they come"
    WAIT = "they leave with those of the next act"
    LOST = "they are lost"
    TWICE = "each comes twice"
    BACKWARDS = "they come in the opposite order"


@dataclass(frozen=True)
class Act(Generic[Place]):
    """One thing that happens in a shop."""

    at: str
    """Hours and minutes before now: `-46:00`."""
    order: str
    """Its name in the story; empty for what is about no order."""
    says: str
    """What is shown by it, for people."""
    do: Callable[[Place, Ids], str | None]
    """What happens; a new order's or parcel's id comes back."""
    makes: str = ""
    """The name that id is known by from then on."""
    webhooks: Webhooks = Webhooks.COME
    forged: tuple[str, str] | None = None
    """Afterwards somebody on the way sends the last webhook once more: what fits the first is the second now."""


@dataclass(frozen=True, slots=True)
class Given:
    """The merchant gives us a parcel's number, which we write back to the shop."""

    at: str
    order: str
    says: str
    number: str
    carrier: str
    makes: str
    """The parcel's name."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the customer of one order must be told, and must not; each is `kind` or `kind:parcel`."""

    language: str
    invoice: bool
    told: tuple[str, ...]
    not_told: tuple[str, ...] = ()


@dataclass(frozen=True)
class Story(Generic[Place]):
    """One shop's days."""

    open: Callable[[Clock, Mapping[str, str], str], Place]
    """(clock, how the shop finds hosts, our public address) -> the shop, not serving yet."""
    connects: tuple[str, ...]
    """What its merchant does to connect it, a sentence each."""
    connects_at: str
    options: Mapping[str, str]
    """What the merchant tells us about the shop, as `connector shop connect` takes it."""
    acts: tuple[Act[Place] | Given, ...]
    orders: Mapping[str, Expected]
    """By the order's name."""
    name: str = ""
    """The shop's, where its platform does not tell."""
    app: App = field(default_factory=App)
    """The operator's app on this platform, where it has apps."""
    begins_there: bool = False
    """Whether connecting begins in the platform's own pages, though there is a page to be sent to."""
    past_orders: int = 30
    past: timedelta = timedelta(days=42)
    """How many orders the shop has had in how long before the story."""


def story(platform: str) -> Story[Any]:
    """A platform's story. Raises KeyError for a name that is not in NAMES."""
    if platform not in NAMES:
        raise KeyError(platform)
    return cast("Story[Any]", import_module(f"adapters.{platform}.twin_story").STORY)


def ago(now: datetime, text: str) -> datetime:
    """The moment that `-46:00` (hours and minutes) means. Raises ValueError for anything else."""
    match = _AGO.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not hours and minutes before now, as -46:00")
    return now - timedelta(hours=int(match[1]), minutes=int(match[2]))
