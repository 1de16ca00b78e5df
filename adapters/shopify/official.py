"""The few pure parts of Shopify's own library that are used; nothing else of it is imported anywhere.

Its sessions keep one shop's access in the class and in the thread, its REST and GraphQL classes have no time limits,
and its token request asks for tokens that Shopify no longer takes (shopify reference, section 7.1).
"""

import re
from collections.abc import Mapping
from urllib.parse import parse_qs

from shopify.api_access import ApiAccess, ApiAccessError
from shopify.session import Session
from shopify.utils.shop_url import sanitize_shop_domain

_MOST_PARAMETERS = 50
_SHOP_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,60}\.myshopify\.com")


def shop_name(typed: str) -> str:
    """`<name>.myshopify.com` from what somebody typed (`name`, `https://…`); empty for any other host."""
    try:
        name = str(sanitize_shop_domain(typed) or "")
    except ValueError:  # half an IPv6 address
        return ""
    return name if _SHOP_NAME.fullmatch(name) else ""


def signed_query(raw_query: str, secrets: tuple[str, ...]) -> Mapping[str, str] | None:
    """The parameters of a query that Shopify signed with one of the app's secrets; None for any other.

    When it was signed stands in its `timestamp`, which nobody has looked at. Of a doubled name the last value counts,
    here as in the signature.
    """
    try:
        found = parse_qs(raw_query, keep_blank_values=True, strict_parsing=True, max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        return None
    query = {name: values if name.endswith("[]") else values[-1] for name, values in found.items()}
    if not any(secret and _session(secret).validate_hmac(query) for secret in secrets):
        return None
    return {name: value for name, value in query.items() if isinstance(value, str)}


def permission_address(host: str, client_id: str, scopes: tuple[str, ...], back: str, state: str) -> str:
    """Shopify's page that asks the merchant for these rights and then leads to `back`."""
    session = _session("", client_id)(host, "unstable")
    return str(session.create_permission_url(list(scopes), back, state))


def covers(granted: tuple[str, ...], wanted: str) -> bool:
    """Whether these scopes hold that one; writing includes reading. Words that are no scopes are passed over."""
    return bool(_access(granted).covers(ApiAccess([wanted])))


def _access(scopes: tuple[str, ...]) -> ApiAccess:
    known = []
    for scope in scopes:
        try:
            known.append(str(ApiAccess([scope])))
        except ApiAccessError:
            continue
    return ApiAccess(known)


def _session(secret: str, client_id: str = "") -> type[Session]:
    """A class of its own: the library reads both from the class, and its own class is shared by all shops."""
    members: Mapping[str, str] = {"secret": secret, "api_key": client_id}
    return type("_OneAppsSession", (Session,), dict(members))
