"""The door without a server around it: one address for many shops, keys still to fetch, storage that is away."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy.exc import OperationalError

from connector.app import build_door
from connector.domain.errors import Retryable
from connector.domain.signing import RsaSignature
from connector.flow.fetch_sender_keys import FetchSenderKeys
from connector.settings import Settings
from connector.tables import sender_keys, shops
from tests import fake_platform
from tests.builders import shop as build_shop
from tests.flow.dying_process import KEY
from tests.flow.road import Road
from webhooks.endpoints import Answer, Door
from webhooks.verification import sign_rsa

MANY_SHOPS = replace(
    fake_platform.MANIFEST,
    shop_headers=("x-fake-shop",),
    shop_host=lambda named: named if named.endswith(".fake.test") else None,
)
RSA = RsaSignature(
    signature_headers=("x-key-signature",),
    key_path_headers=("x-key-path",),
    key_host="https://keys.example.test",
    key_path_pattern=r"/keys/[\w-]+\.pem",
)
PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    road = make_road(shop=build_shop(platform="fake", host="linen.fake.test"))
    road.shop = replace(road.shop, platform="fake")
    return road


def app_door(road: Road) -> Door:
    """A door that also takes an app's deliveries for all its shops at one address."""
    settings = Settings(secret_keys=(KEY,), app_secrets=("fake:new-app-secret", "fake:old-app-secret"))
    return build_door(replace(road.service, settings=settings, manifest={"fake": MANY_SHOPS}.__getitem__))


def knock(door: Door, path: str, body: bytes, headers: dict[str, str]) -> Answer:
    knocked = door.knock("POST", path, "", headers.items())
    if isinstance(knocked, Answer):
        return knocked
    entered = door.enter(knocked, body)
    if isinstance(entered, Answer):
        return entered
    written, reply = entered
    written.exception(timeout=5)
    return door.written(knocked, written, reply)


@pytest.mark.parametrize("secret", ["new-app-secret", "old-app-secret"])
def test_an_apps_deliveries_for_all_shops_come_to_one_address(road: Road, secret: str) -> None:
    door = app_door(road)
    body = fake_platform.encoded(fake_platform.order_document())
    headers = fake_platform.signed_headers(body, secret=secret) | {"x-fake-shop": "linen.fake.test"}
    assert knock(door, "/webhooks/fake", body, headers).status == 200
    assert road.inbox_counts() == {"new": 1}
    door.stop()


@pytest.mark.parametrize(
    "named", ["", "other.fake.test", "evil.example.test", "linen.fake.test.evil.example", "linen.fake.test/x", "LINEN"]
)
def test_the_unsigned_shop_header_opens_no_door_to_a_shop_we_do_not_know(road: Road, named: str) -> None:
    door = app_door(road)
    body = fake_platform.encoded(fake_platform.order_document())
    headers = fake_platform.signed_headers(body, secret="new-app-secret") | {"x-fake-shop": named}
    assert knock(door, "/webhooks/fake", body, headers).status == 404
    assert road.inbox_counts() == {}
    door.stop()


def test_a_shops_own_secret_does_not_open_the_apps_address(road: Road) -> None:
    door = app_door(road)
    body = fake_platform.encoded(fake_platform.order_document())
    headers = fake_platform.signed_headers(body) | {"x-fake-shop": "linen.fake.test"}
    assert knock(door, "/webhooks/fake", body, headers).status == 401
    door.stop()


def test_without_an_app_secret_the_apps_address_refuses_everything(road: Road) -> None:
    manifest = {"fake": MANY_SHOPS}.__getitem__
    door = build_door(replace(road.service, settings=Settings(secret_keys=(KEY,)), manifest=manifest))
    body = fake_platform.encoded(fake_platform.order_document())
    headers = fake_platform.signed_headers(body, secret="") | {"x-fake-shop": "linen.fake.test"}
    assert knock(door, "/webhooks/fake", body, headers).status == 401
    door.stop()


def test_storage_that_is_away_is_503_so_that_the_sender_tries_again(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("gone"))

    body = fake_platform.encoded(fake_platform.order_document())
    with monkeypatch.context() as patch:
        patch.setattr("connector.tables.inbox.record", away)
        answer = road.post_raw(body, fake_platform.signed_headers(body))
    assert (answer.status, dict(answer.headers)["retry-after"]) == (503, "30")
    road.service.shops.forget()
    with monkeypatch.context() as patch:
        patch.setattr("connector.tables.shops.by_key", away)
        assert road.post_raw(body, fake_platform.signed_headers(body)).status == 503
    assert road.post_raw(body, fake_platform.signed_headers(body)).status == 200


def test_a_key_the_sender_names_is_fetched_by_the_clock_and_the_retry_is_taken(road: Road) -> None:
    manifest = replace(fake_platform.MANIFEST, signatures=(RSA,))
    door = build_door(replace(road.service, manifest={"fake": manifest}.__getitem__))
    body = fake_platform.encoded(fake_platform.order_document())
    headers = {"x-key-signature": sign_rsa(RSA, body, PRIVATE), "x-key-path": "/keys/one.pem"}
    address = f"/webhooks/fake/{road.shop.key}"
    answer = knock(door, address, body, headers)
    assert (answer.status, dict(answer.headers)["retry-after"]) == (503, "60")
    known = {"https://keys.example.test/keys/one.pem": PEM}
    assert _fetcher(road, known.__getitem__).run() == 1
    assert knock(door, address, body, headers).status == 200
    assert knock(door, address, body + b" ", headers).status == 401
    door.stop()


def test_a_key_path_outside_the_senders_own_folder_is_never_fetched(road: Road) -> None:
    manifest = replace(fake_platform.MANIFEST, signatures=(RSA,))
    door = build_door(replace(road.service, manifest={"fake": manifest}.__getitem__))
    body = b"{}"
    for path in ("/other/one.pem", "@evil.example/keys/one.pem", "/keys/../one.pem", "/keys/one.pem\n"):
        headers = {"x-key-signature": sign_rsa(RSA, body, PRIVATE), "x-key-path": path}
        assert knock(door, f"/webhooks/fake/{road.shop.key}", body, headers).status == 401
    with road.service.database.read() as connection:
        assert sender_keys.due(connection, road.clock.now()) == []
    door.stop()


def test_a_key_that_cannot_be_fetched_is_tried_again_later(road: Road) -> None:
    def away(_url: str) -> str:
        raise Retryable("503")

    with road.service.database.write() as connection:
        url = "https://keys.example.test/keys/one.pem"
        sender_keys.want(road.service.database, connection, road.shop.shop_id, url, "/keys/one.pem", road.clock.now())
    assert _fetcher(road, away).run() == 0
    with road.service.database.read() as connection:
        assert sender_keys.due(connection, road.clock.now()) == []
    road.clock.moment = road.clock.moment.replace(hour=12)
    assert _fetcher(road, lambda _: PEM).run() == 1
    with road.service.database.read() as connection:
        found = shops.by_key(connection, "fake", road.shop.key, road.service.seal)
    assert found is not None
    assert found[1].public_keys == {"/keys/one.pem": PEM}
    assert found[1].shared == fake_platform.SECRETS.shared


def _fetcher(road: Road, download: Callable[[str], str]) -> FetchSenderKeys:
    service = road.service
    return FetchSenderKeys(service.database, service.shops, service.seal, download, road.clock)


def test_only_a_shop_that_is_not_remembered_makes_the_door_ask_the_database(road: Road) -> None:
    road.service.shops.forget()
    address = f"/webhooks/fake/{road.shop.key}"
    assert not road.door.is_quick(address, ())
    assert knock(road.door, address, b"{}", {}).status == 401
    assert road.door.is_quick(address, ())
    assert road.door.is_quick("/webhooks/nobody/x", ())
    assert not road.door.is_quick("/webhooks/fake/guessed", ())
    door = app_door(road)
    named = {"x-fake-shop": "linen.fake.test"}
    assert not door.is_quick("/webhooks/fake", named.items())
    assert knock(door, "/webhooks/fake", b"{}", named).status == 401
    assert door.is_quick("/webhooks/fake", named.items())
    door.stop()
