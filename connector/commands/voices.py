"""`connector voice`: who speaks to the customer about what, and what is written back to the shop."""

import argparse
from dataclasses import replace

from connector.app import build_service
from connector.commands.finding import find_shop
from connector.commands.parsing import Commands, add, group
from connector.domain.connection import Findings
from connector.domain.errors import ConnectorError
from connector.domain.shop import Shop, Voice
from connector.flow.service import Service
from connector.settings import load
from connector.tables import connections, shops
from notifications.kinds import KINDS
from notifications.writing_back import INVOICE_LINK, NOTE, STATUS, SWITCHES

_SAYS = {
    Voice.US: "Connector writes to the customer",
    Voice.PLATFORM: "the platform writes to the customer",
    Voice.SHADOW: "nobody decided yet: Connector only notes what it would have sent",
    Voice.NOBODY: "nobody writes to the customer",
}


def register(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    voice = group(commands, "voice", "who speaks to customers about what, and what is written back to the shop")
    listing = add(voice, "list", "show who speaks, kind by kind, and what the platform mails itself", _list)
    listing.add_argument("shop", help="its id, host or name")
    change = add(voice, "set", "decide who speaks about some kinds; nothing past is ever told", _set)
    change.add_argument("shop", help="its id, host or name")
    change.add_argument("who", choices=[voice.value for voice in Voice if voice is not Voice.SHADOW])
    change.add_argument("kinds", nargs="+", help=f"all, or some of: {', '.join((*KINDS, *SWITCHES))}")
    change.add_argument(
        "--switch-platform",
        action="store_true",
        help="also switch the platform's own mails off (us, nobody) or on (platform), where it lets us",
    )


def _list(parsed: argparse.Namespace) -> int:
    service = build_service(load())
    with service.database.read() as connection:
        shop = find_shop(connection, parsed.shop)
        known = connections.get(connection, shop.shop_id)
    findings = known.findings if known else Findings()
    for kind in KINDS:
        print(f"{kind:18}  {_SAYS[shop.voice(kind)]}{_twice(shop, kind, findings)}")
    for kind, says in SWITCHES.items():
        print(f"{kind:18}  {'on' if shop.writes(kind) else 'off'}: {says}")
    return 0


def _twice(shop: Shop, kind: str, findings: Findings) -> str:
    """What the platform itself does, as far as it tells."""
    speaks = findings.platform_speaks.get(kind)
    if speaks is None:
        return ""
    if speaks and shop.speaks(kind):
        return "; THE PLATFORM MAILS IT TOO: switch one of the two off (--switch-platform)"
    return "; the platform mails it" if speaks else "; the platform does not mail it"


def _set(parsed: argparse.Namespace) -> int:
    voice, kinds = Voice(parsed.who), _kinds(parsed.kinds)
    service = build_service(load())
    with service.database.write() as connection:
        named = find_shop(connection, parsed.shop)
        _check_places(service, named, kinds)
        spoken = dict.fromkeys(kinds, voice)
        shops.change(connection, named.shop_id, lambda known: replace(known, voices={**known.voices, **spoken}))
        changed = find_shop(connection, named.shop_id)
    for kind in kinds:
        print(f"{kind:18}  {_SAYS[voice] if kind in KINDS else 'on' if changed.writes(kind) else 'off'}")
    if parsed.switch_platform:
        return _switch(service, changed, voice, [kind for kind in kinds if kind in KINDS])
    return 0


def _kinds(named: list[str]) -> list[str]:
    if named == ["all"]:
        return list(KINDS)
    for kind in named:
        if kind not in KINDS and kind not in SWITCHES:
            raise ConnectorError(f"there is no kind {kind!r}; accepted: all, {', '.join((*KINDS, *SWITCHES))}")
    return named


def _check_places(service: Service, shop: Shop, kinds: list[str]) -> None:
    """Raises ConnectorError for something to write back that this platform has no place for."""
    if not any(kind in SWITCHES for kind in kinds):
        return
    pushes = service.stores.api(shop).pushes
    places = {STATUS: pushes.status, NOTE: pushes.note, INVOICE_LINK: pushes.invoice_link}
    for kind in kinds:
        if kind in places and places[kind] is None:
            raise ConnectorError(f"{kind}: {service.manifest(shop.platform).title} has no place for that")


def _switch(service: Service, shop: Shop, voice: Voice, kinds: list[str]) -> int:
    speak = service.stores.api(shop).speak
    if speak is None:
        print(f"{shop.platform} does not let us switch its mails; do it in the shop's own settings", flush=True)
        return 1
    store, wanted = service.stores.open(shop), voice is Voice.PLATFORM
    speaks = service.stores.api(shop).probe(store).platform_speaks
    for kind in kinds:
        if kind not in speaks:
            print(f"{kind:18}  the platform has no mail of its own for this")
        elif speaks[kind] is not wanted:
            speak(store, kind, wanted)
            print(f"{kind:18}  the platform's own mail is {'on' if wanted else 'off'} now")
    with service.database.write() as connection:
        connections.hasten(connection, shop.shop_id, service.clock.now())
    return 0
