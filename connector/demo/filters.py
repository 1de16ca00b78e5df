"""How the demo's pages write single values."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from babel import Locale
from markupsafe import Markup

from connector.domain.delivery import Source
from connector.domain.shop import Voice
from connector.domain.timeline import TimelineEntry
from connector.story import kind_name
from notifications.formatting import clean, person_name
from notifications.reasons import sentence as reason_sentence
from notifications.wording import LOCALES, phrases

LONGEST_BODY = 4000
"""Characters of a delivery's body that are shown."""
LATE_SECONDS = 5 * 60


def _moment(moment: datetime) -> Markup:
    """A moment for people, and for machines beside it."""
    shown = f"{moment:%b} {moment.day}, {moment:%H:%M}"
    return Markup('<time datetime="{}">{}</time>').format(moment.isoformat(timespec="seconds"), shown)


def _language_name(locale: str) -> str:
    """A language's English name: `pt-BR` is "Portuguese (Brazil)"."""
    return str(Locale.parse(locale, sep="-").get_display_name("en")) if locale in LOCALES else locale


def _direction(locale: str) -> str:
    return "rtl" if locale in LOCALES and phrases(locale).rtl else "ltr"


def _body(body: bytes) -> str:
    """A delivery's body as far as it is shown, whatever its bytes are."""
    text = body[: LONGEST_BODY * 4].decode("utf-8", "replace")
    shown = "".join(letter if letter.isprintable() or letter == "\n" else "\ufffd" for letter in text[:LONGEST_BODY])
    return f"{shown} …" if len(body) > len(shown.encode()) else shown


def _told_late(entry: TimelineEntry) -> bool:
    """Whether an entry was learned so much later than it happened that both moments should be shown."""
    return (entry.learned_at - entry.occurred_at).total_seconds() >= LATE_SECONDS


_SOURCES: Mapping[Source, str] = {
    Source.WEBHOOK: "Webhook",
    Source.IMPORT: "Read when the shop was connected",
    Source.SWEEP: "Found by looking through the shop",
    Source.WATCH: "Found by looking at the parcel again",
    Source.HAND: "Entered by hand",
}
_SPEAKERS: Mapping[Voice, str] = {
    Voice.US: "Connector",
    Voice.PLATFORM: "the platform",
    Voice.SHADOW: "nobody yet: Connector only notes what it would have sent",
    Voice.NOBODY: "nobody",
}
_MAILS: Mapping[bool | None, str] = {True: "on", False: "off", None: "the platform does not tell"}


FILTERS: Mapping[str, Callable[..., Any]] = {
    "moment": _moment,
    "language_name": _language_name,
    "direction": _direction,
    "kind_name": kind_name,
    "reason": reason_sentence,
    "person_name": person_name,
    "clean": clean,
    "shown_body": _body,
    "told_late": _told_late,
    "source": _SOURCES.__getitem__,
    "speaker": _SPEAKERS.__getitem__,
    "own_mails": _MAILS.__getitem__,
}
