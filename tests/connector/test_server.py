"""The real server against strangers: sizes, slowness, broken bodies, forged requests; it answers and lives."""

import base64
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

import adapters
from connector.app import build_service
from connector.domain.signing import Secrets
from connector.flow.service import Service
from connector.settings import Settings
from connector.tables import inbox, shops
from tests import stores
from tests.flow.dying_process import KEY
from tests.flow.processes import ServiceProcess, eventually, living

PLATFORM = stores.PLATFORM
SLOWEST_SECONDS = 10


@dataclass(frozen=True)
class Site:
    """A running service with one shop, and the same database to look into."""

    process: ServiceProcess
    service: Service

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.process.port}"

    @property
    def address(self) -> str:
        return f"{self.url}/webhooks/{PLATFORM}/key-shop-1"

    def rows(self) -> dict[str, int]:
        with self.service.database.read() as connection:
            return inbox.counts(connection)

    def post(self, post: stores.Post, **changes: str) -> requests.Response:
        return requests.post(self.address, data=post.body, headers={**post.headers, **changes}, timeout=15)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One service for the module: strangers must not be able to disturb the next test."""
    url = f"sqlite:///{tmp_path_factory.mktemp('site')}/connector.db"
    service = build_service(Settings(database_url=url, secret_keys=(KEY,)), channels={})
    stores.connect(service)
    with living(url, 1) as process:
        yield Site(process, service)
        assert process.alive, "a stranger ended the service"
    service.database.close()


def test_a_genuine_delivery_is_committed_before_the_200(site: Site) -> None:
    before = sum(site.rows().values())
    assert site.post(stores.post(stores.order(1))).status_code == 200
    assert sum(site.rows().values()) == before + 1


@pytest.mark.parametrize(
    "signature",
    ["", "x", "AAAA", "Ä" * 10, "=" * 44, "A" * 9000, "0" * 64, base64.b64encode(b"\0" * 32).decode(), "None", "null"],
    ids=["empty", "short", "few bytes", "non-ascii", "padding", "huge", "hex", "zeros", "None", "null"],
)
def test_a_wrong_signature_is_401_and_never_500(site: Site, signature: str) -> None:
    post = stores.post(stores.order(2))
    name = next(name for name in post.headers if "signature" in name)
    raw = signature.encode("utf-8").decode("latin-1")
    assert site.post(post, **{name: raw}).status_code == 401


def test_no_signature_at_all_is_401(site: Site) -> None:
    answer = requests.post(site.address, data=b"{}", headers={"content-type": "application/json"}, timeout=5)
    assert answer.status_code == 401
    assert "signature" in answer.text


def test_a_signature_of_another_body_is_401(site: Site) -> None:
    post = stores.post(stores.order(3))
    assert site.post(stores.Post(post.headers, post.body + b" ")).status_code == 401


def test_a_second_signature_header_does_not_help_a_wrong_first_one(site: Site) -> None:
    post = stores.post(stores.order(4))
    name = next(name for name in post.headers if "signature" in name)
    lines = [f"{name}: AAAA", *(f"{key}: {value}" for key, value in post.headers.items())]
    assert _raw(site, _request(lines, post.body)).startswith("HTTP/1.1 401")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/webhooks/", 404),
        ("/webhooks/nobody/key-shop-1", 404),
        (f"/webhooks/{PLATFORM}", 404),
        (f"/webhooks/{PLATFORM}/wrong-key", 404),
        (f"/webhooks/{PLATFORM}/key-shop-1/event/more", 404),
        (f"/webhooks/{PLATFORM}/..%2f..%2fetc%2fpasswd", 404),
        ("/webhooks/" + "a/" * 2000, 404),
        ("/nothing-here", 404),
    ],
)
def test_an_unknown_address_is_404(site: Site, path: str, status: int) -> None:
    assert requests.post(site.url + path, data=b"{}", timeout=5).status_code == status


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_405_with_a_sentence(site: Site, method: str) -> None:
    answer = requests.request(method, site.address, timeout=5)
    assert answer.status_code == 405
    assert "POST" in answer.text


def test_an_order_of_some_hundred_kilobytes_is_taken(site: Site) -> None:
    lines = stores.order(5)["line_items"] * 1500
    post = stores.post(stores.order(5, line_items=lines))
    assert len(post.body) > 300_000
    assert site.post(post).status_code == 200


def test_twelve_megabytes_are_refused_before_they_are_read(site: Site) -> None:
    post = stores.post(stores.order(6))
    headers = [f"{name}: {value}" for name, value in post.headers.items()]
    begun = time.monotonic()
    answer = _raw(site, _request([*headers], post.body, length=12 * 1024 * 1024))
    assert answer.startswith("HTTP/1.1 413")
    assert time.monotonic() - begun < 2


def test_an_endless_chunked_body_is_cut_off_at_the_limit(site: Site) -> None:
    with _connected(site) as connection:
        connection.sendall(_head(site, ["transfer-encoding: chunked"]))
        chunk = b"100000\r\n" + b"a" * 0x100000 + b"\r\n"
        answer = b""
        for _ in range(40):
            try:
                connection.sendall(chunk)
            except OSError:
                break
        connection.settimeout(5)
        with suppress(OSError):
            answer = connection.recv(4096)
    assert answer.startswith(b"HTTP/1.1 413") or answer == b""
    assert requests.get(site.url + "/health", timeout=5).text == "ok\n"


def test_a_whole_chunked_body_is_taken(site: Site) -> None:
    post = stores.post(stores.order(7))
    answer = requests.post(site.address, data=iter([post.body[:100], post.body[100:]]), headers=post.headers, timeout=5)
    assert answer.status_code == 200


def test_a_chunked_body_that_breaks_off_is_never_taken_for_whole(site: Site) -> None:
    before = sum(site.rows().values())
    post = stores.post(stores.order(8))
    with _connected(site) as connection:
        headers = [f"{name}: {value}" for name, value in post.headers.items()]
        connection.sendall(_head(site, ["transfer-encoding: chunked", *headers]))
        connection.sendall(f"{len(post.body):x}\r\n".encode() + post.body + b"\r\n")
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(5)
        answer = connection.recv(4096)
    assert not answer.startswith(b"HTTP/1.1 200")
    assert sum(site.rows().values()) == before


def test_a_body_shorter_than_announced_is_never_taken(site: Site) -> None:
    before = sum(site.rows().values())
    post = stores.post(stores.order(9))
    headers = [f"{name}: {value}" for name, value in post.headers.items()]
    with _connected(site) as connection:
        connection.sendall(_request(headers, post.body, length=len(post.body) + 10))
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(5)
        answer = connection.recv(4096)
    assert not answer.startswith(b"HTTP/1.1 200")
    assert sum(site.rows().values()) == before


@pytest.mark.parametrize("length", ["-1", "abc", "1e3", "٣", "99999999999999999999"])
def test_a_strange_length_is_refused(site: Site, length: str) -> None:
    head = f"POST {_path(site)} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n".encode()
    answer = _raw(site, head)
    assert answer.split(" ")[1] in {"400", "413"} or answer == ""


def test_a_compressed_body_is_refused_with_a_sentence(site: Site) -> None:
    answer = site.post(stores.post(stores.order(10)), **{"content-encoding": "gzip"})
    assert (answer.status_code, "Content-Encoding" in answer.text) == (415, True)


def test_a_hundred_slow_senders_hold_up_nobody_and_are_cut_off(site: Site) -> None:
    slow = []
    for number in range(100):
        connection = _connected(site)
        headers = [f"{name}: {value}" for name, value in stores.post(stores.order(11)).headers.items()]
        whole = _head(site, ["content-length: 5000", *headers])
        connection.sendall(whole + b"a" * 10 if number % 2 else whole[:60])
        slow.append(connection)
    waits = []
    for number in range(20):
        begun = time.monotonic()
        assert site.post(stores.post(stores.order(100 + number))).status_code == 200
        waits.append(time.monotonic() - begun)
    assert sorted(waits)[10] < 1.0
    assert eventually(lambda: all(_closed_or_refused(connection) for connection in slow), SLOWEST_SECONDS + 10)
    for connection in slow:
        connection.close()


def test_strangers_who_are_slow_with_what_they_post_to_pages_hold_up_no_webhook(site: Site) -> None:
    slow = []
    for _ in range(120):
        connection = _connected(site)
        connection.sendall(b"POST /connect/any HTTP/1.1\r\nhost: x\r\ncontent-length: 1048576\r\n\r\na")
        slow.append(connection)
    try:
        assert site.post(stores.post(stores.order(12))).status_code == 200
    finally:
        for connection in slow:
            connection.close()
    assert eventually(lambda: not {"new", "claimed"} & site.rows().keys(), 10)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'"text"',
        b"123",
        b"{" * 100_000,
        b"[" * 100_000,
        b'{"id":' * 50_000 + b"1" + b"}" * 50_000,
        b'{"id": NaN, "line_items": []}',
        b'{"id": 1e999999, "line_items": []}',
        b'{"id": ' + b"9" * 5000 + b', "line_items": []}',
        b"\xff\xfe\x00\x01not utf-8",
        b'{"id": "\\ud800", "line_items": []}',
        b'{"id": 1, "id": 2, "line_items": "no list"}',
        b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
    ],
    ids=range(16),
)
def test_genuine_bytes_that_make_no_sense_are_kept_and_shown_never_dropped(site: Site, body: bytes) -> None:
    before = site.rows()
    assert site.post(stores.post_bytes(body)).status_code == 200
    assert eventually(lambda: site.rows().get("new", 0) + site.rows().get("claimed", 0) == 0)
    after = site.rows()
    assert sum(after.values()) == sum(before.values()) + 1
    assert after.get("done", 0) == before.get("done", 0)


def test_what_the_body_is_called_does_not_change_how_it_is_read(site: Site) -> None:
    answer = site.post(stores.post(stores.order(12)), **{"content-type": "multipart/form-data; boundary=x"})
    assert answer.status_code == 200


def test_an_unsigned_ping_is_answered_200_and_leaves_no_row(site: Site) -> None:
    before = sum(site.rows().values())
    answer = requests.post(site.address, data={"webhook_id": "17"}, timeout=5)
    assert answer.status_code == 200
    assert sum(site.rows().values()) == before


def test_a_form_that_is_no_ping_is_401(site: Site) -> None:
    assert requests.post(site.address, data={"webhook_id": "17", "order": "1"}, timeout=5).status_code == 401


def test_a_challenge_at_registration_is_answered_with_its_own_text_as_plain_text(site: Site) -> None:
    asked = next(name for name in adapters.NAMES if adapters.manifest(name).challenge)
    with site.service.database.write() as connection:
        other = stores.shop("asked", platform=asked)
        shops.save(connection, other, Secrets(("secret",)), site.service.seal)
    answer = requests.get(f"{site.url}/webhooks/{asked}/key-asked?challenge=abc-123", timeout=5)
    assert (answer.status_code, answer.text) == (200, "abc-123")
    assert answer.headers["content-type"].startswith("text/plain")
    hostile = requests.get(f"{site.url}/webhooks/{asked}/key-asked?challenge=%0d%0aSet-Cookie:x", timeout=5)
    assert hostile.status_code == 405


def test_secrets_in_headers_are_not_kept(site: Site) -> None:
    site.post(stores.post(stores.order(13)), authorization="Bearer very-secret", cookie="session=very-secret")
    with site.service.database.read() as connection:
        kept = connection.execute(inbox.inbox_bytes.select().with_only_columns(inbox.inbox_bytes.c.headers)).all()
    assert kept
    assert not any(b"very-secret" in row.headers for row in kept)


def test_the_pages_for_operators_answer(site: Site) -> None:
    assert requests.get(site.url + "/health", timeout=5).text == "ok\n"
    assert requests.get(site.url + "/ready", timeout=5).text == "ready\n"
    metrics = requests.get(site.url + "/metrics", timeout=5).text
    assert f'connector_deliveries_accepted_total{{new="new",platform="{PLATFORM}"}}' in metrics
    assert "connector_deliveries_refused_total" in metrics
    assert requests.head(site.url + "/health", timeout=5).text == ""


def test_sigterm_ends_the_process_within_seconds_and_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/connector.db"
    service = build_service(Settings(database_url=url, secret_keys=(KEY,)), channels={})
    stores.connect(service)
    with living(url, 1) as process:
        statuses = [process.post("key-shop-1", stores.post(stores.order(number))) for number in range(1, 20)]
    assert statuses == [200] * 19
    with service.database.read() as connection:
        assert sum(inbox.counts(connection).values()) == 19
    service.database.close()


def _path(site: Site) -> str:
    return site.address.removeprefix(site.url)


def _head(site: Site, lines: list[str]) -> bytes:
    return "\r\n".join([f"POST {_path(site)} HTTP/1.1", "host: x", *lines, "", ""]).encode()


def _request(lines: list[str], body: bytes, *, length: int | None = None) -> bytes:
    announced = len(body) if length is None else length
    path = f"/webhooks/{PLATFORM}/key-shop-1"
    head = [f"POST {path} HTTP/1.1", "host: x", f"content-length: {announced}", *lines, "", ""]
    return "\r\n".join(head).encode() + body


def _connected(site: Site) -> socket.socket:
    return socket.create_connection(("127.0.0.1", site.process.port), timeout=10)


def _raw(site: Site, request: bytes) -> str:
    with _connected(site) as connection:
        connection.sendall(request)
        connection.settimeout(5)
        try:
            return connection.recv(65536).decode("latin-1")
        except OSError:
            return ""


def _closed_or_refused(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        said = connection.recv(4096)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return said == b"" or b" 408 " in said
