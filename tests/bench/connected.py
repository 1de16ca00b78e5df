"""Shops connected to a service that is measured: one through the real flow, or many at once by their rows."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from adapters.contract import Offer, Store
from connector import connecting
from connector.domain.connection import Access, ConnectionState, Credentials, Findings, Subscribed
from connector.domain.shop import Shop
from connector.flow.service import Service
from connector.tables import connections, sweeps
from connector.tables.connections import Vault
from connector.tables.sweeps import SweepKind
from tests.bench.twins import Stranger

DAY = timedelta(days=1)


def offer(service: Service, stranger: Stranger) -> Shop:
    """Somebody pastes a shop's keys; the service's own flows do the rest."""
    with service.database.write() as connection:
        shop = _entered(service, connection, stranger)
        connecting.take_offer(connection, shop, stranger.offer, service.seal, service.clock.now())
    service.shops.forget()
    service.nudge()
    return shop


def enter(service: Service, strangers: Sequence[Stranger]) -> list[Shop]:
    """Shops that are connected already, as they stand a while after: keys proven by the platform, found to be like the
    first of them, history read, the next look of the watchdog some time within the day."""
    manifest = service.manifest(strangers[0].platform)
    assert manifest.connect is not None
    assert manifest.api is not None
    stores = [_store(service, one, Credentials()) for one in strangers]
    proven = [
        manifest.connect.prove(store, Offer(one.offer, one.host)) for one, store in zip(strangers, stores, strict=True)
    ]
    findings = manifest.api.probe(_store(service, strangers[0], proven[0]))
    with service.database.write() as connection:
        shops = [_entered(service, connection, one) for one in strangers]
        for shop, credentials in zip(shops, proven, strict=True):
            _connected(service, connection, shop, credentials, findings)
    service.shops.forget()
    return shops


def _connected(
    service: Service, connection: sa.Connection, shop: Shop, credentials: Credentials, findings: Findings
) -> None:
    """The rows of one shop whose credentials hold; nothing is due for it."""
    now = service.clock.now()
    later = now + DAY * random.uniform(0.1, 1)  # spreading load, nothing secret
    connections.settle(connection, shop.shop_id, ConnectionState.CONNECTING, now, "", proven=True)
    _, version = connections.open_vault(connection, shop.shop_id, service.seal)
    renew_at = service.stores.renew_at(shop, credentials)
    vault = Vault(credentials)
    connections.keep(connection, shop.shop_id, vault, service.seal, version=version, renew_at=renew_at)
    held = connections.get(connection, shop.shop_id)
    assert held is not None
    connections.advance(
        connection,
        held,
        state=ConnectionState.CONNECTED,
        run_at=later,
        findings=findings,
        subscribed=Subscribed(()),
        probed_at=now,
        checked_at=now,
    )
    sweeps.begin(connection, shop.shop_id, SweepKind.CHANGES, now, later)


def _store(service: Service, stranger: Stranger, credentials: Credentials) -> Store:
    return Store(service.web, service.clock, Access(stranger.host, stranger.base, credentials))


def spread_sweeps(service: Service, cadence: timedelta) -> None:
    """Let every shop be due once within this time from now, evenly: as chance leaves them after some hours."""
    with service.database.write() as connection:
        shop_ids = connection.execute(sa.select(sweeps.sweeps.c.shop_id)).scalars().all()
        now = service.clock.now()
        for number, shop_id in enumerate(shop_ids):
            set_due(connection, shop_id, now + cadence * (number + 1) / len(shop_ids))


def set_due(connection: sa.Connection, shop_id: str, moment: datetime) -> None:
    connection.execute(sa.update(sweeps.sweeps).where(sweeps.sweeps.c.shop_id == shop_id).values(run_at=moment))


def _entered(service: Service, connection: sa.Connection, stranger: Stranger) -> Shop:
    return connecting.find_or_make(
        connection, stranger.platform, stranger.host, stranger.base, service.seal, service.clock.now()
    )
