"""The routes of connecting: what a merchant sees, and what a platform's server or a browser brings back."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from adapters.contract import Begin, Connect, Field, Manifest, Offer
from connector import connecting
from connector.domain.connection import ConnectionState
from connector.domain.errors import Permanent, WrongSetting
from connector.domain.shop import Shop
from connector.flow.service import Service
from connector.install.answers import answer, framed, full_stop, message, script_of, with_addresses
from connector.install.guard import Guard
from connector.install.progress import look
from connector.install.tickets import Tickets
from connector.install.visits import Invitation, app_links, begin_of, invitation_links, visit_of
from connector.tables import connections, shops
from connector.tables.connections import Connection

LONGEST_KEY = 4096
REFRESH_SECONDS = 4
PROVEN_LATELY = timedelta(minutes=1)
"""Longer than it takes to open a page twice, shorter than it takes to leave and come back: whoever does finds the old
proof void, and that they left may be told late."""
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,128}", re.ASCII)
_ANY = ("GET", "POST")
_AT_WORK = (ConnectionState.OFFERED, ConnectionState.CONNECTING, ConnectionState.CONNECTED)


def install_pages(service: Service) -> Blueprint:
    """Everything under /connect/; all of it is 404 while the operator has set no public address.

    Needs `connector.assets.shared_files` on the same application.
    """
    blueprint = Blueprint("install", __name__, template_folder="templates", url_prefix="/connect")
    pages = Pages(service)
    for path, view, methods in (
        ("/<platform>/app", pages.app, _ANY),
        ("/<platform>/app/<place>", pages.app, _ANY),
        ("/<platform>/app/progress/<ticket>", pages.app_progress, ("GET",)),
        ("/<platform>/<nonce>", pages.invitation, ("GET",)),
        ("/<platform>/<nonce>/keys", pages.keys, ("POST",)),
        ("/<platform>/<nonce>/done", pages.done, ("GET",)),
        ("/<platform>/<nonce>/<place>", pages.receive, _ANY),
    ):
        blueprint.add_url_rule(path, view_func=view, methods=methods)
    Guard(service.settings).watch(blueprint)
    named = {"app_name": service.settings.app_name, "refresh_seconds": REFRESH_SECONDS}
    blueprint.context_processor(lambda: named)
    blueprint.add_app_template_filter(lambda text: with_addresses(text, service.settings.address), "with_addresses")
    blueprint.add_app_template_filter(full_stop)
    return blueprint


class Pages:
    """One method a route, and what they share."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._settings = service.settings
        self._tickets = Tickets(service.settings.secret_keys, service.clock)

    def invitation(self, platform: str, nonce: str) -> Response:
        """What will be asked for and why, and the way to say yes."""
        return self._invitation_page(self._invited(platform, nonce))

    def keys(self, platform: str, nonce: str) -> AnyResponse:
        """Keys the merchant copied from the platform's pages."""
        invited = self._invited(platform, nonce)
        given, problem = _pasted(invited.connect.fields, request.form)
        if problem:
            return self._invitation_page(invited, problem)
        self._keep(invited.shop, Offer(given))
        return redirect(url_for("install.done", platform=platform, nonce=nonce), 303)

    def done(self, platform: str, nonce: str) -> Response:
        """How far it has come; the page loads itself again while something happens."""
        invited = self._invited(platform, nonce)
        again = url_for("install.invitation", platform=platform, nonce=nonce)
        return self._progress_page(invited.shop.shop_id, invited.manifest, again=again)

    def app_progress(self, platform: str, ticket: str) -> Response:
        """The same for who came by the app's own address."""
        manifest, _ = self._connectable(platform)
        return self._progress_page(self._tickets.read(ticket), manifest)

    def receive(self, platform: str, nonce: str, place: str) -> AnyResponse:
        """A visit to one of an invitation's addresses. What is offered is kept before the answer goes out."""
        invited = self._invited(platform, nonce)
        connect, app = invited.connect, self._settings.app(platform)
        if connect.receive is None or place not in connect.places:
            abort(404)
        if request.method == "HEAD":
            return Response()
        links = invitation_links(self._settings.address, platform, nonce, connect.places)
        again = url_for("install.invitation", platform=platform, nonce=nonce)
        try:
            offer, told = connect.receive(visit_of(request, place, app, links, self._service.clock.now(), invited))
        except Permanent as problem:
            return message("problem", str(problem), again=again, status=400)
        if offer:
            if offer.host not in ("", invited.shop.host):
                return message("problem", "This link is for another shop: ask for one of yours.", status=400)
            self._keep(invited.shop, offer)
        if told.page == "done":
            return redirect(url_for("install.done", platform=platform, nonce=nonce), 303)
        return answer(told, connect, app, again=again)

    def app(self, platform: str, place: str = "") -> AnyResponse:
        """A visit to the app's own addresses, of any shop: the app's signature is what lets a shop in."""
        manifest, connect = self._connectable(platform)
        app = self._settings.app(platform)
        if connect.receive_app is None or not (app.client_id and app.secrets):
            abort(404)
        if place and place not in connect.places:
            abort(404)
        if request.method == "HEAD":
            return Response()
        links = app_links(self._settings.address, platform, connect.places)
        try:
            offer, told = connect.receive_app(visit_of(request, place, app, links, self._service.clock.now()))
            shop = self._shop_of(manifest, connect, offer) if offer else None
        except Permanent as problem:
            return message("problem", str(problem), status=400)
        if shop is None or told.page not in ("app", "done"):
            return answer(told, connect, app)
        ticket = url_for("install.app_progress", platform=platform, ticket=self._tickets.write(shop.shop_id))
        if told.page == "done":
            return redirect(ticket, 303)
        page = self._progress_page(shop.shop_id, manifest, script=script_of(connect, app), refreshed_from=ticket)
        return framed(page, connect, app, told, shop.host)

    def _invited(self, platform: str, nonce: str) -> Invitation:
        """The open invitation with this nonce; for all others the same 404, found by the nonce's hash alone."""
        manifest, connect = self._connectable(platform)
        if not _NONCE.fullmatch(nonce):
            abort(404)
        with self._service.database.read() as connection:
            found = connections.by_nonce(connection, nonce)
            shop = shops.by_id(connection, found.shop_id) if found else None
        if found is None or shop is None or found.platform != platform or found.invited_until is None:
            abort(404)
        if found.invited_until <= self._service.clock.now():
            abort(404)
        return Invitation(manifest, connect, found, shop, nonce, found.invited_until)

    def _connectable(self, platform: str) -> tuple[Manifest, Connect]:
        try:
            manifest = self._service.manifest(platform)
        except KeyError:
            abort(404)
        return manifest, manifest.connect or abort(404)

    def _keep(self, shop: Shop, offer: Offer) -> None:
        with self._service.database.write() as connection:
            kept = connecting.take_offer(connection, shop, offer.values, self._service.seal, self._service.clock.now())
        if not kept:
            abort(404)
        self._service.nudge()

    def _shop_of(self, manifest: Manifest, connect: Connect, offer: Offer) -> Shop:
        """The shop that offers, made if it is new. Raises WrongSetting for a name no shop of this platform has."""
        if not offer.host:
            raise WrongSetting("It was not said for which shop this is")
        host, base = connect.base(offer.host)
        service, now = self._service, self._service.clock.now()
        with service.database.write() as connection:
            shop = connecting.find_or_make(connection, manifest.name, host, base, service.seal, now)
            known = connections.get(connection, shop.shop_id)
            if known is None or not _was_just_proven(known, now):
                connecting.take_offer(connection, shop, offer.values, service.seal, now)
        service.shops.forget()
        service.nudge()
        return shop

    def _invitation_page(self, invited: Invitation, problem: str = "") -> Response:
        platform, connect = invited.manifest.name, invited.connect
        links = invitation_links(self._settings.address, platform, invited.nonce, connect.places)
        begun = begin_of(invited, self._settings.app(platform), self._settings.app_name, links)
        leads_to, unable = _beginning(connect, begun)
        state = invited.connection.state
        page = render_template(
            "install/invitation.html",
            invited=invited,
            instructions=connect.instructions(begun),
            leads_to=leads_to,
            unable=unable,
            problem=problem,
            broken="" if state in _AT_WORK else invited.connection.problem,
            at_work=state in _AT_WORK,
        )
        return Response(page, 400 if problem else 200)

    def _progress_page(self, shop_id: str, manifest: Manifest, **named: object) -> Response:
        history = self._settings.history_days > 0
        with self._service.database.read() as connection:
            found = look(connection, shop_id, history=history)
        if found is None or found.shop.platform != manifest.name:
            abort(404)
        return Response(render_template("install/progress.html", progress=found, manifest=manifest, **named))


def _was_just_proven(known: Connection, now: datetime) -> bool:
    """An app offers anew each time somebody opens it; what was proven a moment ago needs no other proof."""
    at_work = known.state is ConnectionState.CONNECTED
    return at_work and known.proven_at is not None and now - known.proven_at < PROVEN_LATELY


def _beginning(connect: Connect, begun: Begin) -> tuple[str, str]:
    """(the platform's page that asks the merchant, why there is none just now); both empty where it has no such."""
    try:
        leads_to = connect.begin(begun) if connect.begin else ""
    except Permanent as problem:
        return "", str(problem)
    # By http only to a shop whose own address was let in as such (CONNECTOR_PLAIN_HTTP).
    return (leads_to, "") if leads_to.startswith(("https://", f"{begun.access.base}/")) else ("", "")


def _pasted(wanted: tuple[Field, ...], form: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """(what was given, what is wrong with it); nothing that was given is ever shown again."""
    given = {field.name: form.get(field.name, "").strip() for field in wanted}
    for field in wanted:
        value = given[field.name]
        if not value and not field.optional:
            return {}, f"{field.label} is missing."
        if len(value) > LONGEST_KEY or not value.isprintable():
            return {}, f"{field.label} is too long or holds line breaks: copy it again."
    kept = {name: value for name, value in given.items() if value}
    return (kept, "") if kept else ({}, "Nothing was given.")
