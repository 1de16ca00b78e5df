"""The words of every kind of message in every language: which language is spoken, and the templates made ready once."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale
from liquid import BoundTemplate, Environment, StrictUndefined
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from connector.domain.order import OrderSnapshot
from connector.domain.shop import Shop
from notifications.formatting import isolated

TEMPLATES = Path(__file__).parent / "templates"
LOCALES = ("en", "es", "pt-BR", "ar", "el")

COUNTRY_LANGUAGES: Mapping[str, str] = {
    country: locale
    for locale, countries in {
        "en": "AU BB BS GB IE JM NZ TT US",
        "es": "AR CL CO CR CU DO EC ES GT HN MX NI PA PE PR SV UY VE",
        "pt-BR": "AO BR PT",
        "ar": "AE BH EG IQ JO KW LB LY OM PS QA SA SD SY TN YE",
        "el": "CY GR",
    }.items()
    for country in countries.split()
}
"""Countries where one of our languages is the main official one; those with several (CA, BO, MA…) are left out."""

_LANGUAGES = {locale.split("-")[0]: locale for locale in LOCALES}
_GAP = re.compile(r"\{(\w+)\}")
_LANGUAGE_TAG = re.compile(r"\s*([A-Za-z]{2,3})(?:[-_.@][A-Za-z0-9_.@=-]*)?\s*")


def choose_locale(snapshot: OrderSnapshot, shop: Shop) -> tuple[str, str]:
    """The language to speak with the customer, one of LOCALES, and where the choice comes from (P9).

    The order's own word wins, then the country it is shipped to, then the shop's language, then English. A regional
    form we do not have (`pt-PT`, `es-MX`) gets the form we have of the same language.
    """
    country = snapshot.shipping.country if snapshot.shipping else ""
    candidates = (
        (_spoken(snapshot.locale), f"order: {snapshot.locale_source or 'locale'}"),
        (COUNTRY_LANGUAGES.get(country.strip().upper(), ""), f"shipping country {country.strip().upper()}"),
        (_spoken(shop.locale), "shop"),
    )
    return next((choice for choice in candidates if choice[0]), ("en", "default"))


def _spoken(word: str) -> str:
    match = _LANGUAGE_TAG.fullmatch(word)
    return _LANGUAGES.get(match[1].lower(), "") if match else ""


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of one kind in one language, compiled; each part takes all `placeholders.PLACEHOLDERS` by name."""

    subject: BoundTemplate
    preheader: BoundTemplate
    html: BoundTemplate
    """Escapes every value."""
    text: BoundTemplate


@dataclass(frozen=True, slots=True)
class Phrases:
    """The short fixed phrases around the words, in one language."""

    texts: Mapping[str, str]
    plural_form: Callable[[int], str]
    rtl: bool

    def __getitem__(self, key: str) -> str:
        return self.texts[key]

    def filled(self, key: str, **values: str) -> str:
        """The phrase with `{name}` replaced by each value, isolated; braces inside a value stay as they are."""
        return _GAP.sub(lambda match: isolated(values[match[1]], rtl=self.rtl), self.texts[key])

    def plural(self, key: str, count: int) -> str:
        """The phrase in the form this language uses for that many, with `{count}` replaced."""
        return self.filled(f"{key}.{self.plural_form(count)}", count=str(count))


@cache
def wording(kind: str, locale: str) -> Wording:
    """Raises FileNotFoundError when a language has no words for a kind: no other language steps in (P9)."""
    return compile_wording((TEMPLATES / kind / f"{locale}.md").read_text(encoding="utf-8"))


@cache
def phrases(locale: str) -> Phrases:
    """The phrases of one language. Raises FileNotFoundError for any that is not in LOCALES."""
    source = (TEMPLATES / "_shell" / f"{locale}.txt").read_text(encoding="utf-8")
    language = Locale.parse(locale, sep="-")
    return Phrases(_fields(source), language.plural_form, rtl=language.text_direction == "rtl")


def compile_wording(source: str) -> Wording:
    """Words as in `templates/<kind>/<locale>.md`, made ready. Raises ValueError when the front matter is not complete,
    and liquid's LiquidError for a mistake in a placeholder."""
    match = re.fullmatch(r"---\n(.*?)\n---\n(.*)", source, re.DOTALL)
    if not match:
        raise ValueError("words start with a line of ---, then subject and preheader, then --- again")
    fields = _fields(match[1])
    if fields.keys() != {"subject", "preheader"}:
        raise ValueError("the front matter of words has exactly a subject and a preheader")
    tokens = _MARKDOWN.parse(match[2])
    return Wording(
        subject=_PLAIN.from_string(fields["subject"]),
        preheader=_PLAIN.from_string(fields["preheader"]),
        html=_ESCAPING.from_string(str(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}))),
        text=_PLAIN.from_string(_as_text(tokens)),
    )


def _fields(source: str) -> dict[str, str]:
    """`key: value` lines; empty lines are skipped."""
    pairs = (line.split(":", 1) for line in source.splitlines() if line.strip())
    return {key.strip(): value.strip() for key, value in pairs}


class _Limited(Environment):
    """Liquid that stops early: nobody's words need loops of a thousand or a megabyte of output."""

    loop_iteration_limit = 1000
    output_stream_limit = 1_000_000
    context_depth_limit = 10


_PLAIN = _Limited(undefined=StrictUndefined)
_ESCAPING = _Limited(undefined=StrictUndefined, autoescape=True)

_LIQUID = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")
_LIQUID_LINE = re.compile(r"\{%(?:(?!%\}).)*%\}")
_STYLES = {
    "h1": "margin:0 0 16px;font-size:24px;line-height:1.3;font-weight:700",
    "p": "margin:0 0 14px",
    "ul": "margin:0 0 14px;padding:0 20px",
}


def _liquid_line(state: StateBlock, start_line: int, _end_line: int, silent: bool) -> bool:
    """A line that is only `{% … %}` stands between paragraphs and is never inside one."""
    line = state.src[state.bMarks[start_line] + state.tShift[start_line] : state.eMarks[start_line]].strip()
    if not _LIQUID_LINE.fullmatch(line):
        return False
    if not silent:
        state.push("liquid_line", "", 0).content = line
        state.line = start_line + 1
    return True


def _liquid_inline(state: StateInline, silent: bool) -> bool:
    """`{{ … }}` and `{% … %}` inside a sentence pass through Markdown untouched."""
    match = _LIQUID.match(state.src, state.pos)
    if not match:
        return False
    if not silent:
        state.push("liquid_inline", "", 0).content = match[0]
    state.pos = match.end()
    return True


def _render_line(_self: RendererHTML, tokens: Sequence[Token], index: int, _options: OptionsDict, _env: EnvType) -> str:
    return tokens[index].content


def _render_inline(
    _self: RendererHTML, tokens: Sequence[Token], index: int, _options: OptionsDict, _env: EnvType
) -> str:
    """A value keeps its own direction of writing inside the sentence."""
    content = tokens[index].content
    return f"<bdi>{content}</bdi>" if content.startswith("{{") else content


def _style_rule(state: Any) -> None:
    for token in state.tokens:
        if token.nesting == 1 and token.tag in _STYLES:
            token.attrSet("style", _STYLES[token.tag])


def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False})
    markdown.disable(["link", "image", "autolink"])
    markdown.block.ruler.before("paragraph", "liquid_line", _liquid_line, {"alt": ["paragraph", "list"]})
    markdown.inline.ruler.push("liquid_inline", _liquid_inline)
    markdown.core.ruler.push("styles", _style_rule)
    markdown.add_render_rule("liquid_line", _render_line)
    markdown.add_render_rule("liquid_inline", _render_inline)
    return markdown


_MARKDOWN = _markdown()


def _as_text(tokens: Sequence[Token]) -> str:
    """The words without marks, one paragraph a line, as they stand in the text part."""
    pieces: list[str] = []
    bullet = ""
    for token in tokens:
        if token.type == "list_item_open":
            bullet = "- "
        elif token.type == "liquid_line":
            pieces.append(token.content)
        elif token.type == "inline":
            pieces.append(f"\n{bullet}{''.join(map(_inline_text, token.children or ()))}\n")
            bullet = ""
    return "".join(pieces)


def _inline_text(token: Token) -> str:
    return " " if token.type in {"softbreak", "hardbreak"} else token.content
