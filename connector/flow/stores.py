"""Shops' platforms, ready to be asked: with credentials that hold, renewed by one worker at a time when they end."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from adapters.contract import Api, Manifest, Store
from adapters.http import Web
from connector.database import Database
from connector.domain.clock import Clock
from connector.domain.connection import Access, App, ConnectionState, Credentials
from connector.domain.errors import Permanent, Retryable
from connector.domain.shop import Shop
from connector.tables import connections
from connector.tables.connections import Connection, Vault
from connector.tables.shops import Seal

Renew = Callable[[Store], Credentials]

LEFT = "this shop has left; it can be connected again with `connector shop connect`"
RENEW_AHEAD = timedelta(minutes=5)
"""Credentials that end sooner than this are renewed before they are used."""
LEASE = timedelta(minutes=2)
"""Longer than any renewal takes; after it another worker tries, with the same old credentials."""
SHORTLY = timedelta(seconds=2)
TRY_RENEWAL_AGAIN = timedelta(minutes=10)
REFUSED_RENEWAL_RESTS = timedelta(hours=6)


class NotConnected(Permanent):
    """This shop is not connected to its platform. Connect it with `connector shop connect`."""


class NotNow(Retryable):
    """The connection does not work at the moment; the watchdog is at it."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A connection with its opened vault."""

    connection: Connection
    vault: Vault
    version: int


class Stores:
    """Opens shops' stores."""

    def __init__(
        self,
        database: Database,
        manifest: Callable[[str], Manifest],
        seal: Seal,
        web: Web,
        clock: Clock,
        apps: Callable[[str], App],
    ) -> None:
        """`apps`: the operator's app on a platform, by the platform's name."""
        self._database = database
        self._manifest = manifest
        self._seal = seal
        self._web = web
        self._clock = clock
        self._apps = apps

    def api(self, shop: Shop) -> Api:
        """What can be asked of a shop's platform. Raises NotConnected for a platform that only sends."""
        api = self._manifest(shop.platform).api
        if api is None:
            raise NotConnected(f"{self._manifest(shop.platform).title} only sends; nothing can be asked there")
        return api

    def open(self, shop: Shop, *, mending: bool = False) -> Store:
        """A shop's store, ready to be asked; no transaction may be open.

        `mending`: for who looks whether a broken connection works again. Raises NotConnected for a shop that is not
        connected (any more), NotNow for one whose connection is broken or whose credentials are being renewed by
        somebody else right now, and what the renewal raises.
        """
        held = self._read(shop)
        state = held.connection.state
        if state is ConnectionState.BROKEN and not mending:
            raise NotNow(f"the connection to the platform is broken: {held.connection.problem}")
        renew = self.api(shop).renew
        if renew and self._ends_soon(held.vault.credentials):
            held = self._renewed(shop, held, renew)
        if not held.vault.credentials.values:
            raise NotConnected(LEFT)
        return self._store(shop, held.connection, held.vault.credentials)

    def blank(self, shop: Shop) -> Store:
        """A shop's store without credentials, to prove an offer with. Raises NotConnected."""
        with self._database.read() as connection:
            found = connections.get(connection, shop.shop_id)
        if found is None or found.state is ConnectionState.ENDED:
            raise NotConnected
        return self._store(shop, found, Credentials())

    def renew(self, shop: Shop) -> None:
        """Renew a shop's credentials if that is due, though nobody asks for anything. Raises what `open` raises."""
        held = self._read(shop)
        due = held.connection.renew_at is not None and held.connection.renew_at <= self._clock.now()
        renew = self.api(shop).renew
        if renew and due:
            self._renewed(shop, held, renew)

    def refused(self, shop: Shop) -> None:
        """A question was refused for good. That may be the connection's fault, or only that of credentials another
        worker has just replaced: the watchdog looks at once, with those that are valid now, and it alone judges."""
        with self._database.write() as connection:
            connections.look_soon(connection, shop.shop_id, self._clock.now())

    def renew_at(self, shop: Shop, credentials: Credentials) -> datetime | None:
        """When credentials that were given just now want renewing at the latest, used or not; None: never."""
        api, now = self.api(shop), self._clock.now()
        if api.renew is None:
            return None
        wanted = [now + api.pace.renew_every] if api.pace.renew_every else []
        if credentials.renewable_until:
            wanted.append(now + (credentials.renewable_until - now) / 2)
        elif credentials.expires_at:
            wanted.append(credentials.expires_at - RENEW_AHEAD)
        return min(wanted, default=None)

    def _read(self, shop: Shop) -> _Held:
        with self._database.read() as connection:
            found = connections.get(connection, shop.shop_id)
            if found is None:
                raise NotConnected
            held = _Held(found, *connections.open_vault(connection, shop.shop_id, self._seal))
        if found.state is ConnectionState.ENDED:
            raise NotConnected(LEFT)
        if not held.vault.credentials.values:
            raise NotConnected(f"this shop is not connected yet. {found.problem}".strip())
        return held

    def _ends_soon(self, credentials: Credentials) -> bool:
        return credentials.expires_at is not None and credentials.expires_at - self._clock.now() <= RENEW_AHEAD

    def _lasts(self, credentials: Credentials) -> bool:
        return credentials.expires_at is None or credentials.expires_at > self._clock.now()

    def _renewed(self, shop: Shop, seen: _Held, renew: Renew) -> _Held:
        """The credentials after a renewal: ours, or that of whoever was faster. No network inside a transaction."""
        until = self._clock.now() + LEASE
        with self._database.write() as connection:
            mine = connections.hold_renewal(connection, shop.shop_id, self._clock.now(), LEASE)
            vault, version = connections.open_vault(connection, shop.shop_id, self._seal)
        held = replace(seen, vault=vault, version=version)
        if vault.credentials != seen.vault.credentials and self._lasts(vault.credentials) and vault.credentials.values:
            if mine:
                self._let_go(shop, until)
            return held
        if not mine:
            if self._lasts(vault.credentials):
                return held
            raise NotNow("the credentials are being renewed", after=SHORTLY)
        return self._asked(shop, held, renew, until)

    def _asked(self, shop: Shop, held: _Held, renew: Renew, until: datetime) -> _Held:
        """The platform's own answer. One that is lost leaves everything as it was: the same old pair is tried again."""
        try:
            fresh = renew(self._store(shop, held.connection, held.vault.credentials))
        except Retryable:
            self._let_go(shop, until, renew_at=self._clock.now() + TRY_RENEWAL_AGAIN)
            if self._lasts(held.vault.credentials):
                return held
            raise
        except Permanent as error:
            return self._refused(shop, held, until, error)
        except Exception:
            self._let_go(shop, until, renew_at=self._clock.now() + TRY_RENEWAL_AGAIN)
            raise
        return self._kept(shop, held, fresh)

    def _kept(self, shop: Shop, held: _Held, fresh: Credentials) -> _Held:
        """The new pair goes in as one; an offer that came meanwhile stays, and newer credentials stay too."""
        with self._database.write() as connection:
            vault, version = connections.open_vault(connection, shop.shop_id, self._seal, lock=True)
            if vault.credentials != held.vault.credentials:
                return replace(held, vault=vault, version=version)
            vault = replace(vault, credentials=fresh)
            renew_at = self.renew_at(shop, fresh)
            connections.keep(connection, shop.shop_id, vault, self._seal, version=version, renew_at=renew_at)
        return replace(held, vault=vault, version=version + 1)

    def _refused(self, shop: Shop, held: _Held, until: datetime, error: Permanent) -> _Held:
        """Refused for good; unless a worker whose lease was over has renewed them all the same."""
        with self._database.write() as connection:
            vault, version = connections.open_vault(connection, shop.shop_id, self._seal, lock=True)
            replaced = vault.credentials != held.vault.credentials and vault.credentials.values
            later = self._clock.now() + REFUSED_RENEWAL_RESTS
            connections.let_go(connection, shop.shop_id, until, renew_at=None if replaced else later)
            if not replaced:
                connections.break_down(connection, shop.shop_id, str(error), self._clock.now())
        if not replaced:
            raise error
        return replace(held, vault=vault, version=version)

    def _let_go(self, shop: Shop, until: datetime, *, renew_at: datetime | None = None) -> None:
        with self._database.write() as connection:
            connections.let_go(connection, shop.shop_id, until, renew_at=renew_at)

    def _store(self, shop: Shop, connection: Connection, credentials: Credentials) -> Store:
        access = Access(
            host=shop.host,
            base=connection.base,
            credentials=credentials,
            app=self._apps(shop.platform),
            features=connection.findings.features,
            store_locales=connection.findings.store_locales or shop.store_locales,
        )
        return Store(self._web, self._clock, access)
