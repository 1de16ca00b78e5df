"""Shops: who sends deliveries, with which sealed secrets, and what customers should see of them."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

import msgspec
import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from connector.database import Moment, metadata
from connector.domain.errors import WrongSetting
from connector.domain.shop import Shop
from connector.domain.signing import Secrets

shops = sa.Table(
    "shops",
    metadata,
    sa.Column("shop_id", sa.String(32), primary_key=True),
    sa.Column("platform", sa.String(32), nullable=False),
    sa.Column("key", sa.String(64), nullable=False, unique=True),
    sa.Column("host", sa.String(255), nullable=False),
    sa.Column("connected_at", Moment, nullable=False),
    sa.Column("profile", sa.LargeBinary, nullable=False),
    sa.Column("sealed_secrets", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("platform", "host"),
)

Opened = TypeVar("Opened")

_profile = msgspec.json.Decoder(Shop)
_secrets = msgspec.json.Decoder(Secrets)


class Seal:
    """Encrypts what must not be readable in a stolen database (P10); the first key seals, all keys open."""

    def __init__(self, keys: Iterable[str]) -> None:
        """`keys`: Fernet keys (url-safe base64 of 32 bytes), newest first. Raises WrongSetting for an unusable one."""
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError as error:
            raise WrongSetting("CONNECTOR_SECRET_KEYS: each key must be made by `connector new-key`") from error

    def close(self, secret: object) -> bytes:
        """`secret`: whatever msgspec can write as JSON."""
        return self._fernet.encrypt(msgspec.json.encode(secret))

    def open(self, sealed: bytes) -> Secrets:
        """A shop's secrets. Raises WrongSetting when none of the keys fits."""
        return self.open_as(sealed, _secrets)

    def open_as(self, sealed: bytes, decoder: msgspec.json.Decoder[Opened]) -> Opened:
        """What was sealed, in the form the decoder makes of it. Raises WrongSetting when none of the keys fits."""
        try:
            return decoder.decode(self._fernet.decrypt(sealed))
        except InvalidToken as error:
            raise WrongSetting(
                "CONNECTOR_SECRET_KEYS: none of the keys opens this database's secrets; put the old key back, second"
            ) from error


def save(connection: sa.Connection, shop: Shop, secrets: Secrets, seal: Seal) -> None:
    """Add a shop, or replace it under the same id."""
    row = {
        "platform": shop.platform,
        "key": shop.key,
        "host": shop.host,
        "connected_at": shop.connected_at,
        "profile": msgspec.json.encode(shop),
        "sealed_secrets": seal.close(secrets),
    }
    changed = connection.execute(sa.update(shops).where(shops.c.shop_id == shop.shop_id).values(row))
    if not changed.rowcount:
        connection.execute(sa.insert(shops).values(shop_id=shop.shop_id, **row))


def by_key(connection: sa.Connection, platform: str, key: str, seal: Seal) -> tuple[Shop, Secrets] | None:
    """The shop with this webhook key on this platform."""
    return _one(connection, sa.and_(shops.c.key == key, shops.c.platform == platform), seal)


def by_host(connection: sa.Connection, platform: str, host: str, seal: Seal) -> tuple[Shop, Secrets] | None:
    """The shop with this platform name."""
    return _one(connection, sa.and_(shops.c.host == host, shops.c.platform == platform), seal)


def by_id(connection: sa.Connection, shop_id: str) -> Shop | None:
    """A shop without its secrets."""
    row = connection.execute(sa.select(shops.c.profile).where(shops.c.shop_id == shop_id)).one_or_none()
    return _profile.decode(row.profile) if row else None


def everyone(connection: sa.Connection) -> list[Shop]:
    """All shops, by name."""
    found = [_profile.decode(row.profile) for row in connection.execute(sa.select(shops.c.profile))]
    return sorted(found, key=lambda shop: shop.name)


def change(connection: sa.Connection, shop_id: str, grow: Callable[[Shop], Shop]) -> Shop | None:
    """Let what is known of a shop grow, from what it is at this very moment; its secrets stay.

    The shop as it is then, None for one there is not. Nobody else changes it until the transaction ends, so that two
    hands that change different things of it both count.
    """
    statement = sa.select(shops.c.profile).where(shops.c.shop_id == shop_id).with_for_update()
    row = connection.execute(statement).one_or_none()
    if row is None:
        return None
    known = _profile.decode(row.profile)
    grown = grow(known)
    if grown != known:
        changes = {"connected_at": grown.connected_at, "profile": msgspec.json.encode(grown)}
        connection.execute(sa.update(shops).where(shops.c.shop_id == shop_id).values(changes))
    return grown


def secrets_of(connection: sa.Connection, shop_id: str, seal: Seal) -> Secrets:
    """A shop's webhook secrets. Raises KeyError for a shop there is not."""
    row = connection.execute(sa.select(shops.c.sealed_secrets).where(shops.c.shop_id == shop_id)).one_or_none()
    if row is None:
        raise KeyError(shop_id)
    return seal.open(row.sealed_secrets)


def add_public_key(connection: sa.Connection, shop_id: str, path: str, pem: str, seal: Seal) -> None:
    """Remember a sender's public key for this shop."""
    _change_secrets(
        connection, shop_id, lambda known: replace(known, public_keys={**known.public_keys, path: pem}), seal
    )


def add_shared_secrets(connection: sa.Connection, shop_id: str, brought: Iterable[str], seal: Seal) -> None:
    """What is signed with one of these is believed too; the shop's own stay the first."""
    _change_secrets(
        connection, shop_id, lambda known: replace(known, shared=tuple(dict.fromkeys((*known.shared, *brought)))), seal
    )


def _change_secrets(connection: sa.Connection, shop_id: str, grow: Callable[[Secrets], Secrets], seal: Seal) -> None:
    mine = shops.c.shop_id == shop_id
    row = connection.execute(sa.select(shops.c.sealed_secrets).where(mine).with_for_update()).one()
    grown = grow(seal.open(row.sealed_secrets))
    connection.execute(sa.update(shops).where(mine).values(sealed_secrets=seal.close(grown)))


def _one(connection: sa.Connection, where: sa.ColumnElement[bool], seal: Seal) -> tuple[Shop, Secrets] | None:
    row = connection.execute(sa.select(shops.c.profile, shops.c.sealed_secrets).where(where)).one_or_none()
    return (_profile.decode(row.profile), seal.open(row.sealed_secrets)) if row else None
