"""Everything known about an order becomes one finished mail: subject, HTML part and text part in one language."""

import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache, partial
from typing import Any

from css_inline import CSSInliner
from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from connector.domain.errors import Permanent
from connector.domain.order import Address, OrderSnapshot, Refund, Shipment
from connector.domain.record import OrderRecord
from connector.domain.shop import Shop
from notifications.channels.contract import Attachment, Message
from notifications.formatting import RIGHT_TO_LEFT_MARK, Formats, clean, formats, isolated, person_name, web_link
from notifications.placeholders import placeholders
from notifications.structured_data import json_ld
from notifications.summary import order_items, parcel, totals
from notifications.wording import TEMPLATES, Phrases, phrases, wording

TEXT_WIDTH = 76
SUBJECT_LENGTH = 150
DEFAULT_COLOUR = "#1f4e79"
_PARCEL_KINDS = frozenset({"shipped", "tracking_added", "delivered"})
_ADDRESSED_KINDS = frozenset({"order_received", "payment_received", "shipped", "tracking_added"})
_WITHOUT_SUMS = frozenset({"tracking_added", "delivered"})
"""What these tell is the parcel; the order with its sums was told before."""
_COLOUR = re.compile("#[0-9a-fA-F]{6}")
_CONSTANT = re.compile(r"\[\[(\w+)\]\]")
_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_HIDDEN = re.compile(r"<!--tag(\d+)tag-->|tag(\d+)tag")
_EMPTY_LINES = re.compile(r"\n[ \n]*\n")


def render(
    kind: str,
    subject: str,
    record: OrderRecord,
    shop: Shop,
    *,
    locale: str,
    recipient: str,
    message_id: str,
    thread_id: str,
    sender_address: str,
    created_at: datetime,
    attachments: tuple[Attachment, ...] = (),
    paid: bool | None = None,
) -> Message:
    """Make the message of one kind (a key of KINDS) about one subject (a shipment or refund id, else empty; "shipped"
    may be about the whole order, of which no parcel is known).

    `paid`: whether an order_received mail says that the order is paid, for a caller who tells of the payment elsewhere;
    None: as the order says. The same arguments always give the same message. Raises Permanent when the record does not
    hold what the message is about.
    """
    snapshot = record.snapshot
    if snapshot is None:
        raise Permanent(f"order {record.order_id} is not known yet; fetch it from the platform, then send again")
    shipment, refund = _shipment(kind, subject, record), _refund(kind, subject, record)
    written, phrased, words = formats(locale, shop.timezone), phrases(locale), wording(kind, locale)
    values = placeholders(
        record,
        snapshot,
        shop,
        written,
        shipment=shipment,
        refund=refund,
        paid=snapshot.payment.settled if paid is None else paid,
        attached=bool(attachments),
    )
    plain = {
        key: isolated(value, rtl=written.rtl) if isinstance(value, str) else value for key, value in values.items()
    }
    view = _view(kind, record, snapshot, shop, shipment, written, phrased)
    html = _shell("mail.html", locale).render(
        view,
        words=Markup(words.html.render(**values)),  # noqa: S704 - Liquid escaped every value in it
        preheader=words.preheader.render(**plain),
        json_ld=Markup(json_ld(kind, snapshot, shop, shipment, is_part=bool(values["parcel_is_part"]))),  # noqa: S704
    )
    text = _shell("mail.txt", locale).render(view, words=words.text.render(**plain))
    return Message(
        message_id=message_id,
        thread_id=thread_id,
        sender_name=clean(shop.name, 80),
        sender_address=sender_address,
        recipient_name=person_name(snapshot.billing or snapshot.shipping or Address()),
        recipient_address=recipient,
        subject=words.subject.render(**plain)[:SUBJECT_LENGTH],
        text=_laid_out(text, rtl=written.rtl),
        html=html,
        locale=locale,
        created_at=created_at,
        attachments=attachments,
        reply_to=clean(shop.seller.email, 254),
    )


def readable_on(colour: str) -> str:
    """Black or white, whichever contrasts more with the `#rrggbb` background (relative luminance as in WCAG 2)."""

    def linear(place: int) -> float:
        share = int(colour[place : place + 2], 16) / 255
        return share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4

    return "#000000" if 0.2126 * linear(1) + 0.7152 * linear(3) + 0.0722 * linear(5) > 0.179 else "#ffffff"


def _shipment(kind: str, subject: str, record: OrderRecord) -> Shipment | None:
    if kind not in _PARCEL_KINDS or (kind == "shipped" and not subject):
        return None
    if (found := record.shipment(subject)) is None:
        raise Permanent(f"parcel {subject} of order {record.order_id} is not known; see the order's timeline")
    if kind == "tracking_added" and not any(clean(one.number) for one in found.tracking):
        raise Permanent(f"parcel {subject} of order {record.order_id} has no tracking number; see the order's timeline")
    return found


def _refund(kind: str, subject: str, record: OrderRecord) -> Refund | None:
    if kind != "refunded":
        return None
    if (found := record.refund(subject)) is None:
        raise Permanent(f"refund {subject} of order {record.order_id} is not known; see the order's timeline")
    return found


def _view(
    kind: str,
    record: OrderRecord,
    snapshot: OrderSnapshot,
    shop: Shop,
    shipment: Shipment | None,
    written: Formats,
    phrased: Phrases,
) -> dict[str, Any]:
    """What both shells show beside the words."""
    colour = shop.brand.colour if _COLOUR.fullmatch(shop.brand.colour) else DEFAULT_COLOUR
    shows_address = snapshot.shipping and snapshot.needs_shipping and kind in _ADDRESSED_KINDS
    return {
        "shop_name": clean(shop.name, 60),
        "logo_url": web_link(shop.brand.logo_url),
        "colour": colour,
        "text_colour": readable_on(colour),
        "order_number": clean(snapshot.number, 40),
        "order_date": written.date(snapshot.placed_at),
        "order_page": web_link(snapshot.status_url),
        "payment_method": clean(snapshot.payment_method, 80),
        "parcel": parcel(record, snapshot, shipment, written, phrased) if shipment else None,
        "items": order_items(snapshot, written, phrased) if kind not in _WITHOUT_SUMS else None,
        "totals": totals(record, snapshot, written, phrased),
        "address": written.address(snapshot.shipping) if snapshot.shipping and shows_address else (),
        "footer": tuple(_footer(snapshot, shop, written, phrased)),
    }


def _footer(snapshot: OrderSnapshot, shop: Shop, written: Formats, phrased: Phrases) -> Iterator[str]:
    """Why this mail comes, whom to ask, and who the seller is."""
    seller = shop.seller
    yield phrased.filled("why", order=clean(snapshot.number, 40), shop=clean(shop.name, 60))
    if seller.email:
        yield phrased.filled("questions", email=clean(seller.email, 100))
    if identity := ", ".join(filter(None, (clean(seller.legal_name, 120), *written.address(seller.address)))):
        yield isolated(identity, rtl=written.rtl)
    if seller.registration:
        yield isolated(clean(seller.registration), rtl=written.rtl)
    if seller.tax_id:
        yield phrased.filled("tax_id", number=clean(seller.tax_id, 40))


def _laid_out(text: str, *, rtl: bool) -> str:
    """Lines of at most TEXT_WIDTH where words allow it, one empty line between paragraphs; each line of a right-to-left
    text begins with a mark, because mail programs take a line's direction from its first letter."""
    mark = RIGHT_TO_LEFT_MARK if rtl else ""
    lines: list[str] = []
    for line in _EMPTY_LINES.sub("\n\n", text.strip()).split("\n"):
        if not line or line.startswith(("https://", "http://")):
            lines.append(line)
        elif len(line) <= TEXT_WIDTH:
            lines.append(mark + line)
        else:
            lines.extend(mark + part for part in _wrapped(line))
    return "\n".join(lines) + "\n"


def _wrapped(line: str) -> Iterator[str]:
    indent = "  " if line.startswith(("  ", "- ")) else ""
    line = line.rstrip()
    while len(line) > TEXT_WIDTH and (cut := line.rfind(" ", len(indent) + 1, TEXT_WIDTH + 1)) > 0:
        yield line[:cut]
        line = indent + line[cut + 1 :]
    yield line


@cache
def _shell(name: str, locale: str) -> Template:
    """Our own layout in one language, compiled once.

    What all its mails have in common is written in before: `[[…]]`, which are the phrases and the direction of writing,
    and the styles, which mail programs want inside the elements.
    """
    is_html = name.endswith(".html")
    phrased = phrases(locale)
    direction, start, end = ("rtl", "right", "left") if phrased.rtl else ("ltr", "left", "right")
    constants = {**phrased.texts, "locale": locale, "direction": direction, "start": start, "end": end}
    source = (TEMPLATES / "_shell" / name).read_text(encoding="utf-8")
    source = _CONSTANT.sub(lambda match: escape(constants[match[1]]) if is_html else constants[match[1]], source)
    environment = Environment(
        autoescape=is_html,  # noqa: S701 - the text part is no markup
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["isolated"] = partial(isolated, rtl=phrased.rtl)
    return environment.from_string(_inlined(source) if is_html else source)


def _inlined(source: str) -> str:
    """The template with its styles inside the elements. The template's own tags step aside meanwhile: an HTML parser
    would move them out of tables and escape their quotes. (Tables need a `tbody` in the source: the parser adds one
    wherever it thinks it belongs, which may be inside a loop.)"""
    tags: list[str] = []

    def hide(match: re.Match[str]) -> str:
        tags.append(match[0])
        name = f"tag{len(tags) - 1}tag"
        return f"<!--{name}-->" if match[0].startswith("{%") else name

    html = CSSInliner(keep_at_rules=True, load_remote_stylesheets=False).inline(_TAG.sub(hide, source))
    return _HIDDEN.sub(lambda match: tags[int(match[1] or match[2])], html)
