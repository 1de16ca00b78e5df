"""Finding what a person names on the command line; what is not found is said with what there is."""

import sqlalchemy as sa

from connector.domain.errors import ConnectorError
from connector.domain.record import OrderRecord
from connector.domain.shop import Shop
from connector.tables import orders, shops


def find_shop(connection: sa.Connection, named: str) -> Shop:
    """By its id, else by its platform name or its own name. Raises ConnectorError when none or more than one fits.

    Names are what shops say of themselves: one that calls itself by another's id does not stand in its way.
    """
    known = shops.by_id(connection, named)
    if known:
        return known
    found = [shop for shop in shops.everyone(connection) if named in (shop.host, shop.name)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise ConnectorError(f"there is no shop {named!r}; see `connector shop list`")
    ids = ", ".join(shop.shop_id for shop in found)
    raise ConnectorError(f"{named!r} fits more than one shop; give the id: {ids}")


def find_order(connection: sa.Connection, shop: Shop, named: str) -> OrderRecord:
    """By the number customers see, with or without its sign, else by the platform's id. Raises ConnectorError."""
    found = orders.by_number(connection, shop.shop_id, named) or orders.by_number(connection, shop.shop_id, f"#{named}")
    known = orders.get(connection, shop.shop_id, named)
    if known and (not found or known in found):
        found = [known]
    if len(found) == 1:
        return found[0]
    if not found:
        raise ConnectorError(f"no order {named!r} of {shop.name} is known here")
    ids = ", ".join(record.order_id for record in found)
    raise ConnectorError(f"more than one order has the number {named!r}; give the platform's id: {ids}")
