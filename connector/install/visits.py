"""What adapters are told of a request: the visit itself, the invitation it belongs to, and our own addresses."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import Request

from adapters.contract import Begin, Connect, Manifest, Visit
from connector.domain.connection import Access, App, Credentials
from connector.domain.shop import Shop
from connector.tables.connections import Connection

OUR_PLACES = ("done",)


@dataclass(frozen=True, slots=True)
class Invitation:
    """An open invitation, found by the nonce of its link."""

    manifest: Manifest
    connect: Connect
    connection: Connection
    shop: Shop
    nonce: str
    ends: datetime


def begin_of(invitation: Invitation, app: App, app_name: str, links: Mapping[str, str]) -> Begin:
    """What the adapter needs to say how it begins; no credentials are in it."""
    access = Access(
        host=invitation.shop.host,
        base=invitation.connection.base,
        credentials=Credentials(),
        app=app,
        features=invitation.connection.findings.features,
    )
    return Begin(access, app_name, links, invitation.nonce)


def visit_of(
    request: Request,
    place: str,
    app: App,
    links: Mapping[str, str],
    at: datetime,
    invitation: Invitation | None = None,
) -> Visit:
    """A request as adapters read it. Raises RequestEntityTooLarge for a body above the request's limit."""
    return Visit(
        place=place,
        method=request.method,
        query=request.args.to_dict(),
        raw_query=request.query_string.decode("utf-8", "replace"),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.get_data(cache=False),
        at=at,
        app=app,
        host=invitation.shop.host if invitation else "",
        base=invitation.connection.base if invitation else "",
        nonce=invitation.nonce if invitation else "",
        links=links,
    )


def invitation_links(address: str, platform: str, nonce: str, places: tuple[str, ...]) -> dict[str, str]:
    """Our addresses for one invitation, by place."""
    return {place: f"{address}/connect/{platform}/{nonce}/{place}" for place in (*places, *OUR_PLACES)}


def app_links(address: str, platform: str, places: tuple[str, ...]) -> dict[str, str]:
    """Our addresses for all shops of an app, by place; `app` is where it begins."""
    home = f"{address}/connect/{platform}/app"
    return {**{place: f"{home}/{place}" for place in places}, "app": home}
