"""Strangers are slowed down; shops behind a proxy are not locked out with them."""

import pytest

from webhooks.limits import RefusalLimit

STRANGER = "93.184.216.34"


class Seconds:
    """A clock for the limit."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_who_was_refused_too_often_waits_for_the_next_minute() -> None:
    seconds = Seconds()
    limit = RefusalLimit(3, seconds=seconds)
    for _ in range(3):
        assert not limit.is_over(STRANGER)
        limit.count(STRANGER)
    assert limit.is_over(STRANGER)
    assert not limit.is_over("93.184.216.35")
    seconds.now += 61
    assert not limit.is_over(STRANGER)


@pytest.mark.parametrize("peer", ["127.0.0.1:5000", "10.0.0.7:1", "[::1]:1", "172.16.0.1:9", "", "no address"])
def test_a_peer_that_may_speak_for_many_is_never_limited(peer: str) -> None:
    limit = RefusalLimit(1)
    client = limit.client(peer, {})
    limit.count(client)
    limit.count(client)
    assert not limit.is_over(client)


def test_the_clients_name_is_the_last_one_our_own_proxy_wrote() -> None:
    limit = RefusalLimit(1, client_header="X-Forwarded-For")
    forged = {"x-forwarded-for": f"1.1.1.1, {STRANGER}"}
    assert limit.client("127.0.0.1:1", forged) == STRANGER


def test_without_a_proxy_the_header_is_not_believed() -> None:
    assert RefusalLimit(1).client(f"{STRANGER}:443", {"x-forwarded-for": "1.1.1.1"}) == STRANGER


@pytest.mark.parametrize("header", ["", "X-Forwarded-For"])
def test_who_changes_their_address_within_their_own_network_is_still_the_same(header: str) -> None:
    limit = RefusalLimit(1, client_header=header)
    one, other = (
        limit.client(f"[{address}]:443", {"x-forwarded-for": address})
        for address in ("2a02:586:c42:1::7", "2a02:586:c42:1:ffff::9")
    )
    limit.count(one)
    assert limit.is_over(other)
    assert not limit.is_over(limit.client("[2a02:586:c42:2::7]:443", {"x-forwarded-for": "2a02:586:c42:2::7"}))


def test_many_addresses_do_not_fill_the_memory() -> None:
    limit = RefusalLimit(1)
    for number in range(10_050):
        limit.count(f"93.184.{number // 250}.{number % 250}")
    assert len(limit._refused) <= 10_000
