"""The words: there are all of them, in every language, each saying the same things (P9)."""

import itertools
import re
from pathlib import Path

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st
from liquid.exceptions import LiquidError

from notifications.kinds import KINDS
from notifications.placeholders import PLACEHOLDERS
from notifications.wording import (
    COUNTRY_LANGUAGES,
    LOCALES,
    TEMPLATES,
    choose_locale,
    compile_wording,
    phrases,
    wording,
)
from tests.builders import address, order_snapshot, shop

WORDS = [(kind, locale) for kind in KINDS for locale in LOCALES]
README = Path(__file__).parents[2] / "notifications" / "README.md"
_TAG = re.compile(r"\{\{(.*?)\}\}|\{%(.*?)%\}")


def source(kind: str, locale: str) -> str:
    return (TEMPLATES / kind / f"{locale}.md").read_text(encoding="utf-8")


def named(text: str) -> set[str]:
    keywords = {"if", "elsif", "else", "endif", "unless", "endunless"}
    return {word for tag in _TAG.finditer(text) for word in re.findall(r"\w+", tag[1] or tag[2])} - keywords


def sentences(text: str) -> set[str]:
    return {piece for piece in map(str.strip, re.split(r"[\n.!?:]|\{[{%].*?[}%]\}", text)) if len(piece) > 12}


def test_p9_every_kind_has_words_in_every_language_and_no_others() -> None:
    there = {(path.parent.name, path.stem) for path in TEMPLATES.glob("*/*.md")}
    assert there == set(WORDS)


@pytest.mark.parametrize(("kind", "locale"), WORDS)
def test_p9_every_language_says_the_same_things(kind: str, locale: str) -> None:
    assert named(source(kind, locale)) == named(source(kind, "en"))


@pytest.mark.parametrize(("kind", "locale"), WORDS)
def test_words_name_only_what_there_is(kind: str, locale: str) -> None:
    assert named(source(kind, locale)) <= PLACEHOLDERS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_p9_no_sentence_is_left_in_another_language(kind: str) -> None:
    for one, other in itertools.combinations(LOCALES, 2):
        assert not sentences(source(kind, one)) & sentences(source(kind, other)), (one, other)


@pytest.mark.parametrize(("locale", "letters"), [("ar", "[\u0600-\u06ff]"), ("el", "[\u0370-\u03ff\u1f00-\u1fff]")])
@pytest.mark.parametrize("kind", KINDS)
def test_p9_words_are_written_in_the_languages_own_letters(kind: str, locale: str, letters: str) -> None:
    text = re.sub(r"\{[{%].*?[}%]\}|^(---|subject:|preheader:)", "", source(kind, locale), flags=re.MULTILINE)
    assert re.search(letters, text)
    assert not re.search("[A-Za-z]", text)


@pytest.mark.parametrize(("kind", "locale"), WORDS)
def test_subjects_are_short(kind: str, locale: str) -> None:
    everything_off = dict.fromkeys(PLACEHOLDERS)
    for values in (PLACEHOLDERS, {**everything_off, "order_number": "#1042", "shop_name": "Hafen & Hügel"}):
        assert len(wording(kind, locale).subject.render(**values)) <= 60


@pytest.mark.parametrize("locale", LOCALES)
def test_p9_every_language_has_every_phrase_in_each_of_its_plural_forms(locale: str) -> None:
    english = {key.split(".")[0] for key in phrases("en").texts}
    plurals = {f"and_more.{form}" for form in {*Locale.parse(locale, sep="-").plural_form.tags, "other"}}
    assert phrases(locale).texts.keys() == english - {"and_more"} | plurals
    assert all(phrases(locale).texts.values())


@pytest.mark.parametrize("locale", [locale for locale in LOCALES if locale != "en"])
def test_p9_no_phrase_is_left_in_english(locale: str) -> None:
    english = phrases("en").texts
    assert [key for key, text in phrases(locale).texts.items() if english.get(key) == text] == []


@pytest.mark.parametrize("locale", LOCALES)
def test_phrases_have_the_same_gaps_in_every_language(locale: str) -> None:
    for key, text in phrases("en").texts.items():
        if not key.startswith("and_more"):
            assert set(re.findall(r"\{\w+\}", phrases(locale)[key])) == set(re.findall(r"\{\w+\}", text)), key


@pytest.mark.parametrize(
    ("locale", "count", "expected"),
    [
        ("en", 1, "and 1 more product"),
        ("en", 2, "and 2 more products"),
        ("es", 1, "y 1 producto más"),
        ("pt-BR", 170, "e mais 170 produtos"),
        ("el", 3, "και 3 ακόμη προϊόντα"),
        ("ar", 1, "ومنتج واحد آخر"),
        ("ar", 2, "ومنتجان آخران"),
        ("ar", 3, "و\u20683\u2069 منتجات أخرى"),
        ("ar", 11, "و\u206811\u2069 منتجًا آخر"),
        ("ar", 100, "و\u2068100\u2069 منتج آخر"),
    ],
)
def test_plurals_are_right(locale: str, count: int, expected: str) -> None:
    assert phrases(locale).plural("and_more", count) == expected


def test_braces_inside_a_value_are_no_gaps() -> None:
    assert phrases("en").filled("questions", email="{order}") == "Questions? Write to {order}."


def test_words_may_hold_markdown_but_no_html_and_values_hold_neither() -> None:
    made = compile_wording(
        "---\nsubject: {{ a }}\npreheader: p\n---\n# Hi {{ a }}\n\n<b>x</b> **bold**\n\n- one\n- two\n"
    )
    html = made.html.render(a="<i>**no**</i> {{ a }}")
    assert "<bdi>&lt;i&gt;**no**&lt;/i&gt; {{ a }}</bdi></h1>" in html
    assert "&lt;b&gt;x&lt;/b&gt; <strong>bold</strong>" in html
    assert made.text.render(a="<i>").split("\n\n") == ["\nHi <i>", "<b>x</b> bold", "- one", "- two\n"]


def test_a_condition_on_its_own_line_leaves_no_empty_paragraph() -> None:
    made = compile_wording("---\nsubject: s\npreheader: p\n---\nOne\n\n{% if a %}\nTwo\n{% endif %}\n\nThree\n")
    assert made.html.render(a=False).count("<p") == 2
    assert made.html.render(a=True).count("<p") == 3


@pytest.mark.parametrize(
    "text", ["no front matter", "---\nsubject: s\n---\nx", "---\nsubject: s\npreheader: p\nx: y\n---\n"]
)
def test_words_without_subject_and_preheader_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="subject"):
        compile_wording(text)


@pytest.mark.parametrize(
    "text", ["{% if a %}", "{% for i in (1..9999) %}x{% endfor %}", "{{ nobody }}", "{% include 'x' %}"]
)
def test_broken_or_greedy_words_fail_instead_of_running_on(text: str) -> None:
    with pytest.raises(LiquidError):
        compile_wording(f"---\nsubject: s\npreheader: p\n---\n{text}\n").text.render(a=1)


@pytest.mark.parametrize(
    ("word", "locale"),
    [
        ("pt-BR", "pt-BR"),
        ("pt_BR", "pt-BR"),
        ("pt", "pt-BR"),
        ("PT-br", "pt-BR"),
        ("pt_PT", "pt-BR"),
        ("es_MX", "es"),
        ("en-GB", "en"),
        ("ar-KW", "ar"),
        ("el_GR", "el"),
        ("el_GR.UTF-8", "el"),
        (" EL ", "el"),
    ],
)
def test_p9_the_orders_own_word_decides(word: str, locale: str) -> None:
    snapshot = order_snapshot(locale=word, locale_source="store view", shipping=address(country="US"))
    assert choose_locale(snapshot, shop(locale="es")) == (locale, "order: store view")


@pytest.mark.parametrize("word", ["", "zh", "zh-Hans-CN", "de", "english", "e", "e1", "en\nGB", "<el>", "-el"])
def test_p9_then_the_country_then_the_shop_then_english(word: str) -> None:
    greek = order_snapshot(locale=word, shipping=address(country="GR"))
    swiss = order_snapshot(locale=word, shipping=address(country="CH"))
    digital = order_snapshot(locale=word, shipping=None)
    assert choose_locale(greek, shop(locale="es")) == ("el", "shipping country GR")
    assert choose_locale(swiss, shop(locale="es-AR")) == ("es", "shop")
    assert choose_locale(digital, shop(locale="es")) == ("es", "shop")
    assert choose_locale(swiss, shop(locale="de")) == ("en", "default")


def test_countries_with_several_main_languages_decide_nothing() -> None:
    assert not {"CA", "CH", "BE", "MA", "PY", "BO", "IN", "ZA"} & COUNTRY_LANGUAGES.keys()
    assert set(COUNTRY_LANGUAGES.values()) == set(LOCALES)


@given(
    st.text(alphabet=st.characters(), max_size=30), st.text(alphabet=st.characters(), max_size=5), st.text(max_size=30)
)
def test_p9_some_language_is_always_chosen_and_always_the_same(word: str, country: str, own: str) -> None:
    snapshot, merchant = order_snapshot(locale=word, shipping=address(country=country)), shop(locale=own)
    locale, why = choose_locale(snapshot, merchant)
    assert locale in LOCALES
    assert why
    assert choose_locale(snapshot, merchant) == (locale, why)


def test_the_readme_lists_every_kind_in_the_order_an_order_goes() -> None:
    listed = re.findall(r"^- `(\w+)`: ", README.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert listed == list(KINDS)


def test_the_readme_names_every_file() -> None:
    text = README.read_text(encoding="utf-8")
    files = {path.name for path in README.parent.glob("*.py")} - {"__init__.py"}
    assert {name for name in files if f"`{name}`" not in text} == set()


def test_the_readme_lists_every_placeholder() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", README.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert listed == list(PLACEHOLDERS)
