"""The Authorization header of a request: OAuth 1.0a with a fresh nonce each time, or a bearer token."""

import logging
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Literal, cast

from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, Client

OAUTH_KEYS = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
"""The names of the four secrets in `Credentials.values`; a bearer has `access_token` alone."""

# It writes every token it signs with into the log, and a token alone opens some shops (P10).
logging.getLogger("oauthlib").setLevel(logging.ERROR)


def authorization(values: Mapping[str, str], method: str, url: str, now: datetime) -> str:
    """The header for one try of one request: Magento refuses a nonce it has seen (magento reference, section 1.1).

    `url`: with its query, everything encoded. A JSON body is not signed. A request token's exchange has `verifier`.
    """
    if values.get("access_token") and not values.get("consumer_key"):
        return f"Bearer {values['access_token']}"
    client = Client(
        values["consumer_key"],
        client_secret=values["consumer_secret"],
        resource_owner_key=values.get("access_token"),
        resource_owner_secret=values.get("access_token_secret"),
        verifier=values.get("verifier"),
        signature_method=SIGNATURE_HMAC_SHA256,
        nonce=secrets.token_hex(16),
        timestamp=str(int(now.timestamp())),
    )
    _, headers, _ = client.sign(url, http_method=cast(Literal["GET", "POST", "PUT"], method))
    return str(headers["Authorization"])


def is_bearer(values: Mapping[str, str]) -> bool:
    """Whether these credentials are a token alone."""
    return not values.get("consumer_key")
