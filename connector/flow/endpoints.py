"""Where a platform shall send one shop's webhooks."""

from connector.domain.connection import Endpoint
from connector.domain.shop import Shop
from connector.domain.signing import Secrets


def endpoint(address: str, shop: Shop, secrets: Secrets) -> Endpoint:
    """`address`: our public one, without a slash at its end. What we choose to be signed with is the shop's first
    secret."""
    app_address = f"{address}/webhooks/{shop.platform}"
    return Endpoint(f"{app_address}/{shop.key}", app_address, next(iter(secrets.shared), ""))
