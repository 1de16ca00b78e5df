"""Every platform is connected through its own flow, whatever comes in between, and leaves nothing behind."""

import itertools
import re
from collections.abc import Callable
from datetime import timedelta

import pytest

import adapters
from adapters.twins import Asked
from connector.domain.connection import ConnectionState, SubscriptionState
from connector.domain.shop import Voice
from connector.tables.sweeps import SweepKind
from tests.contracts.connected import ADDRESS, NOW, OURS, Town
from tests.contracts.fake_twin import FakeTwin
from tests.contracts.looking import everything
from tests.contracts.mortal import Fate, Killed
from tests.databases import fresh_postgresql_database

MakeTown = Callable[..., Town]
PLATFORMS = ("fake", *adapters.NAMES)
WAYS = [(platform, pasted) for platform in PLATFORMS for pasted in (False, True)]
each_platform = pytest.mark.parametrize("platform", PLATFORMS)
each_way = pytest.mark.parametrize(
    ("platform", "pasted"), WAYS, ids=[f"{platform} by {'keys' if pasted else 'link'}" for platform, pasted in WAYS]
)
A_CLICK = re.compile(r"(?i)\b(open|copy|choose|press|tick|connect|paste|reauthorize|settings|make|install|under)\b")


def open_town(make_town: MakeTown, platform: str, *, pasted: bool = False, **named: object) -> Town:
    """A shop whose merchant brings keys has no app of the operator's."""
    return make_town(platform, own_app=pasted, **named)


def ours(town: Town) -> list[tuple[str, str]]:
    """Our webhooks there."""
    return [(hook.topic, hook.url) for hook in town.there.hooks() if hook.url.startswith(ADDRESS)]


def assert_at_work(town: Town) -> None:
    known = town.connection
    assert (known.state, known.problem, known.findings.missing_rights) == (ConnectionState.CONNECTED, "", ())
    assert len(ours(town)) == len(set(ours(town))), "nothing is subscribed twice"
    before = set(town.twin.truth())
    town.twin.place_order(paid=True)
    town.hear()
    assert town.differing() == set()
    assert set(town.known()) - before
    assert town.connection.healed == 0


@each_platform
def test_it_is_the_same_on_postgresql(make_town: MakeTown, platform: str, postgresql_url: str) -> None:
    comes_and_goes(make_town(platform, fresh_postgresql_database(postgresql_url)), pasted=False)


@each_way
def test_from_an_empty_database_a_shop_is_connected_an_order_flows_and_disconnecting_cleans_up(
    make_town: MakeTown, platform: str, pasted: bool
) -> None:
    comes_and_goes(open_town(make_town, platform, pasted=pasted), pasted=pasted)


def comes_and_goes(town: Town, *, pasted: bool) -> None:
    town.connect(pasted=pasted)
    assert town.connection.proven_at == NOW
    assert all(one.state is not SubscriptionState.UNAVAILABLE for one in town.connection.subscribed.subscriptions)
    assert all(url.startswith(f"{ADDRESS}/webhooks/{town.platform}/{town.shop.key}") for _, url in ours(town))
    assert town.shop.default_voice is Voice.SHADOW
    assert_at_work(town)
    assert town.channel.taken == [], "until the merchant says so, nobody is mailed"
    done = town.service.disconnect.run(town.shop.shop_id)
    assert (done.cleaned, done.remark) == (True, "")
    assert ours(town) == []
    assert (town.connection.state, town.vault.credentials.values) == (ConnectionState.ENDED, {})
    assert (town.sweep(), town.shop.ended_at) == (None, town.clock.now())
    town.twin.place_order(paid=True)
    before = set(town.known())
    town.pass_time(minutes=300, step=60)
    assert set(town.known()) == before
    assert all(status < 300 for _, status in town.front.heard)


@each_way
def test_p10_no_key_or_token_can_be_read_anywhere(
    make_town: MakeTown, platform: str, pasted: bool, quiet: pytest.LogCaptureFixture
) -> None:
    town = open_town(make_town, platform, pasted=pasted)
    town.connect(pasted=pasted)
    town.hear()
    secrets = {value for value in town.vault.credentials.values.values() if len(value) >= 16 and "://" not in value}
    secrets -= town.there.public_words()
    shown = [answered.body.decode("utf-8", "replace") for _, answered in town.front.visits]
    for place in (everything(town), quiet.text, "\n".join(shown), town.connection.problem):
        assert [one for one in secrets if one in place] == []
    assert "anna@people.test" not in quiet.text


@each_platform
def test_a_keys_holder_may_say_yes_twice_and_is_connected_once(make_town: MakeTown, platform: str) -> None:
    town = make_town(platform)
    link = town.open_link(town.invite())
    town.twin.approve(link)
    town.twin.approve(link)
    town.work()
    assert len(town.all_shops) == 1
    assert_at_work(town)
    town.twin.approve(town.open_link(town.invite()))
    town.work()
    assert len(town.all_shops) == 1
    assert_at_work(town)


@each_platform
def test_keys_that_do_not_fit_are_named_with_what_to_click_and_harm_nothing(
    make_town: MakeTown, platform: str, quiet: pytest.LogCaptureFixture
) -> None:
    town = open_town(make_town, platform, pasted=True)
    wrong = town.there.wrong_keys()
    town.paste(wrong)
    town.work()
    known = town.connection
    assert known.state is ConnectionState.INVITED
    assert A_CLICK.search(known.problem), known.problem
    page = town.get(f"{ADDRESS}/connect/{platform}/{town.nonce}/done").body.decode()
    for word in wrong.values():
        assert word not in known.problem + page + quiet.text + everything(town)
    town.connect(pasted=True)
    town.paste(wrong)
    town.work()
    assert_at_work(town)


@each_platform
def test_keys_of_another_shop_connect_nothing(make_town: MakeTown, platform: str) -> None:
    here, elsewhere = open_town(make_town, platform, pasted=True), open_town(make_town, platform, pasted=True)
    if platform == "fake":
        pytest.skip("all shops of the fake platform take the same token")
    here.paste(elsewhere.there.keys() if platform != "shopify" else a_token_of(elsewhere))
    here.work()
    assert here.connection.state is ConnectionState.INVITED
    assert here.vault.credentials.values == {}
    assert A_CLICK.search(here.connection.problem)


def a_token_of(town: Town) -> dict[str, str]:
    town.connect(pasted=True)
    return {"access_token": town.vault.credentials.values["access_token"]}


@each_platform
def test_an_invitation_ends_after_a_week_and_with_the_next_one(make_town: MakeTown, platform: str) -> None:
    town = make_town(platform)
    first = town.invite()
    second = town.invite()
    assert (town.get(first).status, town.get(second).status) == (404, 200)
    town.clock.moment += timedelta(days=7)
    assert town.get(second).status == 404
    assert town.paste(town.there.wrong_keys(), second).status == 404
    town.work()
    assert town.connection.state is ConnectionState.INVITED


@each_platform
def test_a_link_may_be_opened_by_machines_before_the_merchant_does(make_town: MakeTown, platform: str) -> None:
    town = make_town(platform)
    link = town.invite()
    for place in ("", *(f"/{one}" for one in ("callback", "return", "identity", "done", "patch", "keys", "app"))):
        for method in ("HEAD", "GET"):
            path = link.removeprefix(ADDRESS) + place
            assert town.front.visit(Asked(method, path, "", {"host": OURS}, b"")).status < 500
    town.work()
    assert town.vault.offers == ()
    town.twin.approve(town.open_link(link))
    town.work()
    assert_at_work(town)


@each_platform
def test_who_dies_between_any_two_steps_goes_on_where_it_was(make_town: MakeTown, platform: str) -> None:
    deaths = 0
    for call, after in itertools.product(range(1, 6), (True, False)):
        if not after and call % 3 != 1:
            continue  # much the same moment as after the call before
        fate = Fate(call, after=after and platform != "fake")
        town = make_town(platform, web=fate.web, history_days=0)
        if isinstance(town.twin, FakeTwin):
            town.twin.shop.meanwhile = fate.before
        if not dies(town):
            break
        deaths += 1
        town.restart()
        town.work()
        if town.connection.state is not ConnectionState.CONNECTED:
            assert town.there.gives_tokens_once
            assert A_CLICK.search(town.connection.problem)
            town.say_yes()
            town.work()
        assert_at_work(town)
        town.__exit__()
    assert deaths >= (1 if platform == "fake" else 6)


def dies(town: Town) -> bool:
    town.say_yes()
    try:
        town.work()
    except Killed:
        return True
    return False


@each_platform
def test_p4_a_shop_that_comes_back_begins_anew_in_silence(make_town: MakeTown, platform: str) -> None:
    town = make_town(platform).connect().speak()
    town.service.disconnect.run(town.shop.shop_id)
    town.later(days=3)
    missed = town.twin.place_order(paid=True)
    town.later(hours=1)
    town.connect()
    assert len(town.all_shops) == 1
    assert town.shop.connected_at == town.clock.now()
    assert town.shop.default_voice is Voice.SHADOW
    town.speak().later(hours=2)
    assert town.differing() == set(), "what happened meanwhile is known"
    assert town.told(missed) == [], "and nobody is told about it"
    history = town.sweep(SweepKind.HISTORY)
    assert history is not None
    assert history.finished_at is not None
