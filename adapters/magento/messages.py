"""Magento's errors: a template and its parameters, as one sentence."""

import re

from adapters.reading import Reader

LONGEST_MESSAGE = 500

_PLACEHOLDER = re.compile(r"%(\w{1,40})")


def error_message(document: Reader) -> str:
    """What an error document says, with its parameters in their places; a placeholder nobody fills stays as it is.

    Raises UnreadableDelivery where its parts are not text.
    """
    return _PLACEHOLDER.sub(lambda found: _parameter(document, found), document.text("message"))[:LONGEST_MESSAGE]


def _parameter(document: Reader, found: re.Match[str]) -> str:
    name = found[1]
    if isinstance(document.value("parameters"), dict):
        return document.text(f"parameters.{name}")[:100] or found[0]
    listed = document.texts("parameters")
    return listed[int(name) - 1][:100] if name.isdecimal() and 0 < int(name) <= len(listed) else found[0]
