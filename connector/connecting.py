"""A shop on its way in: its row, its connection, its invitation, and what somebody offers for it."""

import secrets as random_text
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from connector import shop_commands
from connector.domain.connection import ConnectionState
from connector.domain.shop import Shop, Voice
from connector.tables import connections, shops
from connector.tables.shops import Seal

INVITATION_LASTS = timedelta(days=7)


def find_or_make(
    connection: sa.Connection,
    platform: str,
    host: str,
    base: str,
    seal: Seal,
    now: datetime,
    name: str = "",
    options: Mapping[str, str] | None = None,
) -> Shop:
    """The shop with this platform name and its connection's row, made if they are not there (idempotent).

    `host` and `base` as `Connect.base` gives them; `name` and `options` (of `shop_commands.OPTIONS`) count for a new
    shop only. A new shop begins in shadow. One that had ended begins again, in shadow too and with `connected_at` now,
    so that nothing of the time between is told to anybody (P4). Call `ShopDirectory.forget` after the commit.

    Raises WrongSetting for an option that cannot be used.
    """
    shop = _find(connection, platform, host, seal) or _make(
        connection, platform, host, seal, now, name or host, options or {}
    )
    connections.create(connection, shop.shop_id, platform, base, seal, now)
    # Its row is held from here on: who ends the shop at this moment does so before, or after all of this.
    known = connections.get(connection, shop.shop_id, lock=True)
    if known is None or known.state is ConnectionState.ENDED:
        connections.begin_again(connection, shop.shop_id, base, now)
    elif known.base != base:
        connections.rebase(connection, shop.shop_id, base)
    return shops.change(connection, shop.shop_id, lambda found: _begun(found, now)) or shop


def invitation(connection: sa.Connection, shop: Shop, seal: Seal, now: datetime) -> str:  # noqa: ARG001
    """The nonce of a new link for this shop, url-safe and good for INVITATION_LASTS; an older link ends.

    Only its hash is kept: who loses the link makes another.
    """
    nonce = random_text.token_urlsafe(24)
    connections.invite(connection, shop.shop_id, nonce, now + INVITATION_LASTS)
    return nonce


def take_offer(
    connection: sa.Connection, shop: Shop, offer_values: Mapping[str, str], seal: Seal, now: datetime
) -> bool:
    """Keep what somebody handed over, for the worker to prove; nudge it after the commit.

    False, and nothing kept, for a shop that has ended: it has to be found by `find_or_make` again first.
    """
    known = connections.get(connection, shop.shop_id)
    if known is None or known.state is ConnectionState.ENDED:
        return False
    connections.offer(connection, shop.shop_id, offer_values, seal, now)
    return True


def _find(connection: sa.Connection, platform: str, host: str, seal: Seal) -> Shop | None:
    found = shops.by_host(connection, platform, host, seal)
    return found[0] if found else None


def _begun(shop: Shop, now: datetime) -> Shop:
    """The shop as one that is connected, or is about to be."""
    if shop.ended_at is None:
        return shop
    return replace(shop, ended_at=None, connected_at=now, voices={}, default_voice=Voice.SHADOW)


def _make(
    connection: sa.Connection,
    platform: str,
    host: str,
    seal: Seal,
    now: datetime,
    name: str,
    options: Mapping[str, str],
) -> Shop:
    """A new shop; if another process makes the same one at the same moment, that one."""
    given = {option: options.get(option, "") for option in shop_commands.OPTIONS}
    made, webhook_secrets = shop_commands.new_shop(platform, host, name, [], given, now)
    made = replace(made, default_voice=Voice.SHADOW)
    try:
        with connection.begin_nested():
            shops.save(connection, made, webhook_secrets, seal)
    except IntegrityError:
        there = _find(connection, platform, host, seal)
        if there is None:
            raise
        return there
    return made
