"""`connector shop`: connecting shops, looking after them, and letting them go."""

import argparse
import json
import sys
import time
from collections.abc import Mapping
from getpass import getpass
from pathlib import Path

import adapters
from adapters.contract import Connect
from connector import connecting, shop_commands
from connector.app import build_service
from connector.commands.finding import find_shop
from connector.commands.parsing import Commands, add, group
from connector.commands.shop_report import report, state_of
from connector.domain.connection import ConnectionState
from connector.domain.errors import ConnectorError, WrongSetting
from connector.domain.shop import Shop
from connector.flow.service import Service
from connector.settings import Settings, load
from connector.tables import connections, shops, sweeps
from connector.tables.connections import Connection

WAITS = 120.0
"""Seconds a command follows what the worker does before it leaves it to it."""
_MOVING = (ConnectionState.OFFERED, ConnectionState.CONNECTING)


def register(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    shop = group(commands, "shop", "shops: connect, list, check, disconnect")
    connect = add(shop, "connect", "connect a shop, by a link for its merchant or by pasted keys", _connect)
    connect.add_argument("platform", nargs="?", choices=adapters.NAMES, help="asked for when left out")
    connect.add_argument("address", nargs="?", help="the shop's address, such as https://shop.example.com")
    connect.add_argument("--paste", action="store_true", help="ask for keys copied from the shop, without echo")
    connect.add_argument("--credentials", metavar="FILE", help="the same from a JSON file; `-`: from standard input")
    connect.add_argument("--name", default="", help="as customers know it (default: what the shop says)")
    _add_options(connect)
    add(shop, "list", "list the shops, how each is connected, and what is wrong", _list)
    check = add(shop, "check", "look at a shop's connection now and tell all about it", _check)
    check.add_argument("shop", help="its id, host or name")
    leave = add(
        shop, "disconnect", "take back our webhooks, forget the keys, and tell nobody anything more", _disconnect
    )
    leave.add_argument("shop", help="its id, host or name")
    leave.add_argument("--yes", action="store_true", help="do not ask")
    change = add(shop, "set", "change what customers and invoices see of a shop; what is not given stays", _change)
    change.add_argument("shop", help="its id, host or name")
    change.add_argument("--name", default="", help="as customers know it")
    _add_options(change)
    new = add(shop, "add", "only take a shop's webhooks, without its API; prints the address to enter there", _add)
    new.add_argument("platform", choices=adapters.NAMES)
    new.add_argument("host", help="the platform's own name of the shop, such as shop.example.com")
    new.add_argument("--name", required=True, help="as customers know it")
    new.add_argument("--secret", action="append", default=[], help="the webhook secret; made if there is none")
    _add_options(new)


def _add_options(parser: argparse.ArgumentParser) -> None:
    for option, says in shop_commands.OPTIONS.items():
        parser.add_argument(f"--{option}", default="", help=says)


def _options(parsed: argparse.Namespace) -> dict[str, str]:
    return {name: getattr(parsed, name.replace("-", "_")) for name in shop_commands.OPTIONS}


def _connect(parsed: argparse.Namespace) -> int:
    settings = load()
    platform = parsed.platform or _asked(f"Platform ({', '.join(adapters.NAMES)}): ")
    connect = _way(platform)
    read = connect.plain_base if settings.plain_http and connect.plain_base else connect.base
    host, base = read(parsed.address or _asked("The shop's address: "))
    pasted = _pasted(connect, parsed)
    if not pasted and not settings.address:
        raise WrongSetting("CONNECTOR_ADDRESS is missing, so no link can lead here; use --paste, which needs none")
    service = build_service(settings)
    now = service.clock.now()
    with service.database.write() as connection:
        shop = connecting.find_or_make(
            connection, platform, host, base, service.seal, now, parsed.name, _options(parsed)
        )
        if pasted:
            connecting.take_offer(connection, shop, pasted, service.seal, now)
            nonce = ""
        else:
            nonce = connecting.invitation(connection, shop, service.seal, now)
    service.shops.forget()
    print(f"shop      {shop.shop_id}")
    if nonce:
        return _invited(settings, shop, nonce)
    return _followed(service, shop)


def _way(platform: str) -> Connect:
    if platform not in adapters.NAMES:
        raise ConnectorError(f"there is no platform {platform!r}; accepted: {', '.join(adapters.NAMES)}")
    connect = adapters.manifest(platform).connect
    if connect is None:
        raise ConnectorError(f"{platform} only sends webhooks; use `connector shop add`")
    return connect


def _invited(settings: Settings, shop: Shop, nonce: str) -> int:
    days = connecting.INVITATION_LASTS.days
    print(f"link      {settings.address}/connect/{shop.platform}/{nonce}")
    print(f"Open it as the shop's merchant within {days} days, while `connector serve` runs, and say yes there.")
    return 0


def _pasted(connect: Connect, parsed: argparse.Namespace) -> Mapping[str, str]:
    """What was pasted, by field; empty when the merchant is to say yes by a link."""
    if parsed.credentials:
        given = _read(parsed.credentials)
    elif parsed.paste:
        print("Leave out what you do not have with an empty line.")
        given = {field.name: _field(field.label, field.help, secret=field.secret) for field in connect.fields}
    else:
        return {}
    known = {field.name for field in connect.fields}
    for name in given:
        if name not in known:
            raise ConnectorError(f"there is no credential {name!r}; accepted: {', '.join(sorted(known))}")
    found = {name: value.strip() for name, value in given.items() if value.strip()}
    missing = [one.name for one in connect.fields if not one.optional and one.name not in found]
    if missing:
        raise ConnectorError(f"missing: {', '.join(missing)}")
    return found


def _read(path: str) -> dict[str, str]:
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
        given = json.loads(text)
    except (OSError, ValueError) as error:
        raise ConnectorError(f"--credentials: it cannot be read as JSON ({type(error).__name__})") from error
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise ConnectorError("--credentials: accepted is a JSON object of texts")
    return given


def _field(label: str, help_text: str, *, secret: bool) -> str:
    print(f"\n{label}\n  {help_text}")
    return getpass("  > ") if secret else _asked("  > ")


def _asked(question: str) -> str:
    if not sys.stdin.isatty():
        raise ConnectorError("name the platform and the shop's address; nobody is here to be asked")
    return input(question).strip()


def _followed(service: Service, shop: Shop) -> int:
    """Do the worker's steps for this shop and say each; another process may do them as well."""
    known = _drive(service, shop)
    print(report(service, shop.shop_id))
    if known.state in _MOVING:
        print("It goes on while `connector serve` runs; look with `connector shop check`.")
    return 0 if known.state is ConnectionState.CONNECTED else 1


def _drive(service: Service, shop: Shop) -> Connection:
    """Until the connection stands, or a person has to act, or the time is over."""
    until, said = time.monotonic() + WAITS, ""
    while True:
        service.tend_connections.run()
        known = _known(service, shop)
        if state_of(known) != said:
            said = state_of(known)
            print(f"          {said}", flush=True)
        if known.state not in _MOVING or known.failures or time.monotonic() > until:
            return known
        time.sleep(0.2)


def _known(service: Service, shop: Shop) -> Connection:
    with service.database.read() as connection:
        known = connections.get(connection, shop.shop_id)
    if known is None:
        raise ConnectorError("this shop only sends webhooks; connect it with `connector shop connect`")
    return known


def _list(_: argparse.Namespace) -> int:
    service = build_service(load())
    with service.database.read() as connection:
        found, known = shops.everyone(connection), connections.everyone(connection)
    for shop in found:
        connected = known.get(shop.shop_id)
        state = state_of(connected) if connected else "only sends webhooks"
        print(f"{shop.shop_id}  {shop.platform:12}  {shop.name}  {shop.host}\n    {state}")
        if connected is None:
            print(f"    {_address(shop)}")
    if not found:
        print("There are no shops yet. Connect one with: connector shop connect")
    return 0


def _check(parsed: argparse.Namespace) -> int:
    service = build_service(load())
    with service.database.write() as connection:
        shop = find_shop(connection, parsed.shop)
        connections.hasten(connection, shop.shop_id, service.clock.now())
        sweeps.hasten(connection, shop.shop_id, service.clock.now())
    _drive(service, shop)
    for pool in service.pools:
        pool.wait(WAITS)
    print(report(service, shop.shop_id))
    return 0 if _known(service, shop).state is ConnectionState.CONNECTED else 1


def _disconnect(parsed: argparse.Namespace) -> int:
    service = build_service(load())
    with service.database.read() as connection:
        shop = find_shop(connection, parsed.shop)
    if not parsed.yes and _asked(f"Disconnect {shop.name} ({shop.host})? Type yes: ") != "yes":
        print("Nothing was changed.")
        return 1
    ended = service.disconnect.run(shop.shop_id)
    print("disconnected; " + (ended.remark or "the platform has nothing of ours any more"))
    return 0


def _change(parsed: argparse.Namespace) -> int:
    service = build_service(load())
    with service.database.write() as connection:
        named, options = find_shop(connection, parsed.shop), _options(parsed)
        shops.change(connection, named.shop_id, lambda known: shop_commands.changed(known, parsed.name, options))
        shop = find_shop(connection, named.shop_id)
    for advice in shop_commands.advice(shop) or ["nothing is missing for its invoices"]:
        print(f"note      {advice}")
    return 0


def _add(parsed: argparse.Namespace) -> int:
    service = build_service(load())
    shop, secrets = shop_commands.new_shop(
        parsed.platform, parsed.host, parsed.name, parsed.secret, _options(parsed), service.clock.now()
    )
    with service.database.write() as connection:
        if shops.by_host(connection, shop.platform, shop.host, service.seal):
            raise ConnectorError(f"{shop.host} is there already; see `connector shop list`")
        shops.save(connection, shop, secrets, service.seal)
    print(f"shop      {shop.shop_id}\naddress   {_address(shop)}")
    if not parsed.secret:
        print(f"secret    {secrets.shared[0]}")
    for advice in shop_commands.advice(shop):
        print(f"note      {advice}")
    return 0


def _address(shop: Shop) -> str:
    return f"<your address>/webhooks/{shop.platform}/{shop.key}"
