"""Connects a shop of the demo as its merchant would: by the invitation's page and the platform's own pages."""

import html
import re
from dataclasses import replace
from urllib.parse import urlsplit

import requests

from connector import connecting
from connector.demo.rest import Rest
from connector.demo.shopfront import Shopfront, Step
from connector.domain.connection import ConnectionState
from connector.domain.shop import Voice
from connector.flow.service import Service
from connector.shop_commands import OPTIONS
from connector.tables import connections, orders, shops
from notifications.kinds import KINDS
from notifications.writing_back import INVOICE_LINK

SLOWEST_PAGE = 15.0
"""Seconds."""


class NotConnected(Exception):
    """A shop of the demo could not be connected."""


class Onboarding:
    """Invites, connects and switches on, and writes down each step."""

    def __init__(self, service: Service, rest: Rest) -> None:
        self._service = service
        self._rest = rest

    def connect(self, place: Shopfront) -> None:
        """From nothing to a shop that speaks. Raises NotConnected with the service's own words."""
        link = self._invite(place)
        self._approve(place, link)
        self._rest.wait()
        self._check(place)
        self._speak(place)
        with self._service.database.read() as connection:
            place.imported = orders.count(connection, place.shop_id)
            secrets = shops.secrets_of(connection, place.shop_id, self._service.seal)
        shop = place.shop(self._service)
        key = shop.key if shop else ""
        place.ids["webhooks"] = f"{self._service.settings.address}/webhooks/{place.platform}/{key}"
        place.ids["secret"] = secrets.shared[0]

    def _invite(self, place: Shopfront) -> str:
        """What `connector shop connect` does; the invitation's address."""
        service, now = self._service, self._service.clock.now()
        options = {name: place.story.options.get(name, "") for name in OPTIONS}
        with service.database.write() as connection:
            made = connecting.find_or_make(
                connection,
                place.platform,
                place.twin.host,
                place.twin.base,
                service.seal,
                now,
                place.story.name,
                options,
            )
            place.nonce = connecting.invitation(connection, made, service.seal, now)
        service.shops.forget()
        place.shop_id = made.shop_id
        self._note(place, "The operator made a link for the merchant.")
        return f"{service.settings.address}{place.invitation}"

    def _approve(self, place: Shopfront, link: str) -> None:
        """The merchant's part, in a browser; what they choose on our page leads to the platform's where it has one."""
        page = requests.get(
            f"{place.wire.address}{urlsplit(link).path}",
            headers={"Host": urlsplit(link).netloc},
            timeout=SLOWEST_PAGE,
        ).text
        onward = re.search(rf'href="(https://{re.escape(place.twin.host)}/[^"]+)"', page)
        begins_there = place.story.begins_there or onward is None
        place.twin.approve(link if begins_there or onward is None else html.unescape(onward[1]))
        for sentence in place.story.connects:
            self._note(place, f"The merchant: {sentence[0].lower()}{sentence[1:]}")

    def _check(self, place: Shopfront) -> None:
        with self._service.database.read() as connection:
            known = connections.get(connection, place.shop_id)
        if known is None or known.state is not ConnectionState.CONNECTED:
            raise NotConnected(
                f"{place.twin.host}: {known.state.value if known else ''} {known.problem if known else ''}"
            )
        self._note(place, "What was handed over was proven against that very shop, and sealed.")
        self._note(place, "The shop was looked at, its webhooks were set up, and its past orders were read.")

    def _speak(self, place: Shopfront) -> None:
        """What `connector voice set SHOP us …` does for all kinds and invoice links, with `--switch-platform`."""
        shop = place.shop(self._service)
        if shop is None:
            raise NotConnected(place.twin.host)
        voices = dict.fromkeys((*KINDS, INVOICE_LINK), Voice.US)
        with self._service.database.write() as connection:
            shops.change(connection, shop.shop_id, lambda known: replace(known, voices=voices))
        self._note(place, "The merchant switched our voice on for every kind of message, and the links to invoices.")
        with self._service.database.read() as connection:
            known = connections.get(connection, place.shop_id)
        speak = self._service.stores.api(shop).speak
        if speak is not None and known is not None:
            store = self._service.stores.open(shop)
            for kind in [kind for kind, speaks in known.findings.platform_speaks.items() if speaks]:
                speak(store, kind, False)
            self._note(place, "The shop's own mails about them were switched off, through its API.")
        self._service.shops.forget()

    def _note(self, place: Shopfront, text: str) -> None:
        place.steps.append(Step(self._service.clock.now(), text))
