"""Platforms whose shops are stand-ins: whoever is asked answers from the story, without any network."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import adapters
from adapters.contract import Api, Connect, Manifest, Pace
from connector.demo.stand_ins import StandIn
from connector.domain.connection import Credentials, Findings, Page

_DAY = timedelta(days=1)


def answered_by(stand_ins: Sequence[StandIn]) -> Callable[[str], Manifest]:
    """The stand-ins' platforms by name. Raises KeyError for another platform."""
    return {one.platform: _manifest(one) for one in stand_ins}.__getitem__


def _manifest(stand_in: StandIn) -> Manifest:
    manifest = adapters.manifest(stand_in.platform)
    connect = Connect(
        base=lambda typed: (typed, f"https://{typed}"),
        fields=(),
        prove=lambda _store, offer: Credentials(offer.values),
        instructions=lambda _: (),
    )
    api = Api(
        probe=lambda _: Findings(),
        look=lambda _, hint: stand_in.answer(hint),
        changes=lambda _store, _since, _cursor: Page((), ""),
        read=manifest.parse,
        pace=Pace(overlap=timedelta(), grace=timedelta(), with_webhooks=_DAY, alone=_DAY),
    )
    return replace(manifest, connect=connect, api=api)
