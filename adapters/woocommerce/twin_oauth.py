"""How a stand-in WooCommerce shop checks a signed call: OAuth 1.0a without a token (woocommerce reference, section 2).

This is how keys work over http, and over https where a proxy does not tell PHP of it.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import quote

from adapters.twins import Asked
from adapters.woocommerce.twin_site import Key, Site

PARAMETERS = ("oauth_consumer_key", "oauth_timestamp", "oauth_nonce", "oauth_signature", "oauth_signature_method")
WINDOW = 15 * 60
"""Seconds a timestamp may be off, and a nonce is remembered."""
_ALGORITHMS = {"HMAC-SHA1": hashlib.sha1, "HMAC-SHA256": hashlib.sha256}


class Unsigned(Exception):
    """The signature is not good; `code` and the words are WooCommerce's."""

    def __init__(self, message: str, code: str = "woocommerce_rest_authentication_error") -> None:
        super().__init__(message)
        self.code = code


def signed_key(site: Site, asked: Asked, query: Mapping[str, object]) -> Key | None:
    """The key a call is signed with; None when it is not signed at all. Raises Unsigned."""
    given = {name: str(value) for name, value in query.items()}
    missing = [name for name in PARAMETERS if not given.get(name)]
    if len(missing) == len(PARAMETERS):
        return None
    if missing:
        word = "parameter" if len(missing) == 1 else "parameters"
        code = "woocommerce_rest_authentication_missing_parameter"
        raise Unsigned(f"Missing OAuth {word} {', '.join(missing)}", code)
    key = next((key for key in site.keys if key.consumer_key == given["oauth_consumer_key"]), None)
    if key is None:
        raise Unsigned("Consumer key is invalid.")
    _check_signature(site, asked, given, key)
    _check_nonce(site, given, key)
    return key


def _check_signature(site: Site, asked: Asked, given: Mapping[str, str], key: Key) -> None:
    """Over the address the shop takes for its own: http unless PHP knows better."""
    algorithm = _ALGORITHMS.get(given["oauth_signature_method"])
    if algorithm is None:
        raise Unsigned("Invalid signature - signature method is invalid.")
    address = f"{'https' if site.is_ssl else 'http'}://{site.own_host}{asked.path}"
    pairs = sorted((name, value) for name, value in given.items() if name != "oauth_signature")
    query = "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in pairs)
    text = f"{asked.method}&{quote(address, safe='~')}&{quote(query, safe='~')}"
    signature = hmac.new(f"{key.consumer_secret}&".encode(), text.encode(), algorithm).digest()
    if not hmac.compare_digest(base64.b64encode(signature), given["oauth_signature"].replace(" ", "+").encode()):
        raise Unsigned("Invalid signature - provided signature does not match.")


def _check_nonce(site: Site, given: Mapping[str, str], key: Key) -> None:
    now = int(site.now().timestamp())
    if not given["oauth_timestamp"].isdigit() or abs(int(given["oauth_timestamp"]) - now) > WINDOW:
        raise Unsigned("Invalid timestamp.")
    for nonce, moment in list(key.nonces.items()):
        if moment < now - WINDOW:
            del key.nonces[nonce]
    if given["oauth_nonce"] in key.nonces:
        raise Unsigned("Invalid nonce - nonce has already been used.")
    key.nonces[given["oauth_nonce"]] = int(given["oauth_timestamp"])
