"""Access that ends within the hour is renewed by one of many, survives lost answers and idle months, and says what to
click when it is gone."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.http import Unanswered
from adapters.shopify.twin import ShopifyTwin
from connector.domain.connection import ConnectionState
from connector.domain.errors import Permanent
from tests.contracts.connected import Town
from tests.flow.processes import PROJECT, eventually

MakeTown = Callable[..., Town]
GRANTS = "POST /admin/oauth/access_token"
RACERS = ("a", "b")


def twin_of(town: Town) -> ShopifyTwin:
    assert isinstance(town.twin, ShopifyTwin)
    return town.twin


def grants(town: Town) -> int:
    return town.twin.server.calls[GRANTS]


def asked(town: Town) -> str:
    """The token with which the shop answers."""
    store = town.store()
    assert town.api.probe(store).name
    return store.access.credentials.values["access_token"]


def said(town: Town) -> dict[str, Any]:
    """What a process of its own has to know."""
    names = ("database_url", "secret_keys", "address", "app_ids", "app_secrets")
    given = {name: getattr(town.settings, name) for name in names}
    routes = [f"{host}={place}" for host, place in town.twin.routes.items()]
    return given | {"routes": routes, "now": town.clock.moment.isoformat()}


def race(town: Town, folder: Path) -> list[str]:
    """Several processes ask at the same moment; the tokens they asked with in the end."""
    file = folder / "process.json"
    file.write_text(json.dumps(said(town)))
    command = [sys.executable, "-m", "tests.flow.refreshing_process", str(file)]
    racers = [subprocess.Popen([*command, name], cwd=PROJECT, stdout=subprocess.PIPE, text=True) for name in RACERS]
    assert eventually(lambda: len(list(folder.glob("ready-*"))) == len(RACERS), 60)
    (folder / "go").touch()
    return [racer.communicate(timeout=60)[0] for racer in racers]


@pytest.mark.parametrize("lost", [0, 5], ids=["", "while answers are lost"])
def test_processes_racing_for_a_renewal_lose_no_pair(
    make_town: MakeTown, postgresql_database_url: str, tmp_path: Path, lost: int
) -> None:
    town = make_town("shopify", "" if lost else postgresql_database_url).connect()
    before = grants(town)
    town.clock.moment += timedelta(hours=2)
    town.twin.faults.hang_seconds = 0.2
    twin_of(town).lose_refresh_answer(lost)
    tokens = race(town, tmp_path)
    town.twin.faults.hang_seconds = 0
    assert len(set(tokens)) == 1
    assert tokens[0].startswith("shpat_")
    assert grants(town) == before + 1 + lost
    assert asked(town) == tokens[0]


def test_a_lost_answer_costs_a_try_and_not_the_connection(make_town: MakeTown) -> None:
    town = make_town("shopify").connect()
    first = asked(town)
    town.clock.moment += timedelta(hours=2)
    twin_of(town).lose_refresh_answer(4)
    with pytest.raises(Unanswered):
        town.store()
    assert town.vault.credentials.values["access_token"] == first, "the old pair is kept, as it can be used again"
    town.later(minutes=10)
    assert asked(town) != first
    assert (town.connection.state, town.connection.problem) == (ConnectionState.CONNECTED, "")


def test_a_shop_nobody_asks_for_a_year_keeps_its_access(make_town: MakeTown) -> None:
    town = make_town("shopify").connect()
    before = grants(town)
    for _ in range(360):
        town.clock.moment += timedelta(days=1)
        town.service.renew_credentials.run()
    assert 360 // 7 - 10 < grants(town) - before <= 360 // 7 + 1
    assert asked(town)


def test_access_that_ended_is_said_with_what_to_click_and_comes_back_with_the_next_opening(make_town: MakeTown) -> None:
    town = make_town("shopify").connect()
    town.clock.moment += timedelta(days=91)
    missed = town.twin.place_order(paid=True)
    twin_of(town).courier.waiting.clear()
    with pytest.raises(Permanent, match="Open the app in Shopify"):
        town.store()
    assert town.connection.state is ConnectionState.BROKEN
    assert "Open the app in Shopify" in town.connection.problem
    before = grants(town)
    town.pass_time(minutes=6 * 60, step=30)
    assert town.connection.state is ConnectionState.BROKEN
    assert "Open the app in Shopify" in town.connection.problem
    assert grants(town) == before, "what cannot be renewed is not tried"
    twin_of(town).open_app()
    town.work()
    assert (town.connection.state, town.connection.problem) == (ConnectionState.CONNECTED, "")
    town.later(minutes=30)
    assert missed in town.known()
    assert town.differing() == set()


def test_a_secret_that_is_rotated_interrupts_nothing(make_town: MakeTown) -> None:
    town = make_town("shopify").connect()
    old = twin_of(town).settings.client_secret
    twin_of(town).rotate_secret("shpss_the-new-secret-of-this-app-0123456789", signs_with_old=True)
    town.rotate(old, "shpss_the-new-secret-of-this-app-0123456789")
    order_id = town.twin.place_order(paid=True)
    town.hear(hours=2)
    assert town.known()[order_id].status_word == "paid"
    twin_of(town).courier.signs_with = "shpss_the-new-secret-of-this-app-0123456789"
    town.twin.refund(order_id, town.twin.truth()[order_id].total)
    town.hear()
    assert town.differing() == set()
    assert asked(town)
