"""The one HTTP client: what it refuses to call, what it makes of answers, and that no other side can hold it up."""

import errno
import gzip
import logging
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters import http
from adapters.http import Answer, Busy, Failed, Request, Unanswered, Web, get_text
from adapters.transport import Found
from connector.domain.clock import FixedClock
from connector.domain.errors import Permanent, Retryable
from tests.adapters.raw_server import RawServer, Speak, certificate, plain, says, self_signed

HOST = "shop.example"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def get(path: str = "/", **headers: str) -> Callable[[], Request]:
    return lambda: Request("GET", f"https://{HOST}{path}", headers)


def post(body: bytes = b"{}") -> Callable[[], Request]:
    return lambda: Request("POST", f"https://{HOST}/orders", {"Content-Type": "application/json"}, body)


class Waits(list[float]):
    """A sleep that only remembers."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture(scope="module")
def trust() -> ssl.SSLContext:
    """Loading it takes longer than most tests."""
    return http._trust("")


@pytest.fixture
def make_web(waits: Waits, trust: ssl.SSLContext) -> Iterator[Callable[..., Web]]:
    made: list[Web] = []

    def make(**named: Any) -> Web:
        standard: dict[str, Any] = {"sleep": waits, "clock": FixedClock(NOW), "trust": trust}
        made.append(Web(**(standard | named)))
        return made[-1]

    yield make
    for web in made:
        web.close()


@pytest.fixture
def serve(make_web: Callable[..., Web]) -> Iterator[Callable[[Speak], tuple[Web, RawServer]]]:
    """A server that speaks so, and a web whose way to the shop leads to it."""
    running: list[RawServer] = []

    def start(speak: Speak) -> tuple[Web, RawServer]:
        running.append(RawServer(speak).__enter__())
        return make_web(routes={HOST: running[-1].address}), running[-1]

    yield start
    for server in running:
        server.__exit__(None, None, None)


Serve = Callable[[Speak], tuple[Web, RawServer]]


def answers_in_turn(*answers: bytes) -> Speak:
    left = list(answers)
    return lambda spoken, _request: spoken.sendall(left.pop(0))


# What is sent


def test_the_host_of_a_routed_request_is_still_the_shops(serve: Serve) -> None:
    web, server = serve(says(plain(b"hello", headers=b"X-Total: 3\r\n")))
    answer = web.ask(get("/wp-json/orders?after=2026-11-20T00%3A00%3A00&a[0]=b", Authorization="Basic abc"))
    assert (answer.status, answer.body, answer.headers["x-total"]) == (200, b"hello", "3")
    head = server.heard[0].decode()
    assert head.startswith("GET /wp-json/orders?after=2026-11-20T00%3A00%3A00&a")
    assert f"\r\nHost: {HOST}\r\n" in head
    assert "\r\nAuthorization: Basic abc\r\n" in head


def test_nothing_is_added_but_what_http_needs(serve: Serve) -> None:
    web, server = serve(says(plain()))
    web.ask(post(b"{}"))
    names = {line.split(":")[0].lower() for line in server.heard[0].decode().split("\r\n")[1:] if ":" in line}
    assert names == {"host", "user-agent", "accept-encoding", "content-length", "content-type"}
    assert server.heard[0].endswith(b"\r\n\r\n{}")


def test_a_post_without_a_body_says_that_it_has_none(serve: Serve) -> None:
    web, server = serve(says(plain()))
    web.ask(post(b""))
    assert b"\r\ncontent-length: 0\r\n" in server.heard[0].lower()


def test_cookies_and_redirects_of_one_answer_change_nothing_for_the_next_request(serve: Serve) -> None:
    web, server = serve(says(plain(status="302 Found", headers=b"Set-Cookie: a=b\r\nLocation: https://10.0.0.1/\r\n")))
    answer = web.ask(get())
    assert (answer.status, answer.headers["location"]) == (302, "https://10.0.0.1/")
    web.ask(get())
    assert len(server.heard) == 2
    assert b"cookie" not in server.heard[1].lower()


def test_the_environment_has_no_say(serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text(f"machine {HOST} login a password b")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    web, server = serve(says(plain(b"direct")))
    assert web.ask(get()).body == b"direct"
    assert b"authorization" not in server.heard[0].lower()


def test_a_connection_is_used_again_and_requests_are_counted_by_host(serve: Serve) -> None:
    web, server = serve(says(plain(b"x")))
    for _ in range(3):
        web.ask(get())
    assert server.connections == 1
    assert web.calls("Shop.Example") == 3
    assert web.calls("other.example") == 0


def test_many_threads_share_it(serve: Serve) -> None:
    web, server = serve(lambda spoken, request: spoken.sendall(plain(request.split(b" ")[1])))
    wrong: list[object] = []

    def ask(name: int) -> None:
        for number in range(20):
            path = f"/{name}/{number}"
            if web.ask(get(path)).body != path.encode():
                wrong.append(path)

    threads = [threading.Thread(target=ask, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert web.calls(HOST) == 160
    assert server.connections <= 160


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", f"https://{HOST}/", {"Authorization": "Bearer abc\r\nX-Evil: 1"}),
        Request("GET", f"https://{HOST}/", {"Authorization": "Bearer ключ"}),
        Request("GET", f"https://{HOST}/", {"Bad Name": "x"}),
        Request("GET / HTTP/1.1\r\nX: ", f"https://{HOST}/"),
        Request("GET", f"https://{HOST}/\r\nX: 1"),
        Request("GET", f"https://secret:secret@{HOST}/"),
        Request("GET", f"http://{HOST}/"),
    ],
)
def test_a_request_that_cannot_be_sent_as_it_is_is_for_a_person_and_goes_nowhere(
    make_web: Callable[..., Web], request_: Request
) -> None:
    web = make_web(resolve=lambda _host, _port: pytest.fail("it was looked up"))
    with pytest.raises(Permanent) as refusal:
        web.ask(lambda: request_)
    assert not {"abc", "ключ", "secret"} & set(str(refusal.value).replace(":", " ").split())


# What comes back


@pytest.mark.parametrize("status", [200, 201, 204, 301, 307, 400, 401, 403, 404, 409, 422, 430])
def test_answers_below_500_are_the_callers_to_judge(serve: Serve, status: int) -> None:
    web, _ = serve(says(plain(b"" if status == 204 else b"words", status=f"{status} Some")))
    assert web.ask(get()).status == status


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("asked", "after"),
    [
        (b"Retry-After: 17\r\n", timedelta(seconds=17)),
        (b"Retry-After: 2.0\r\n", timedelta(seconds=2)),
        (b"Retry-After: Fri, 20 Nov 2026 12:00:30 GMT\r\n", timedelta(seconds=30)),
        (b"Retry-After: Fri, 20 Nov 2026 11:00:00 GMT\r\n", timedelta(0)),
        (b"Retry-After: 86400\r\n", timedelta(hours=1)),
        (b"Retry-After: Sun, 06 Nov 2044 08:49:37 GMT\r\n", timedelta(hours=1)),
        (b"Retry-After: soon\r\n", None),
        (b"", None),
    ],
)
def test_a_busy_side_says_when_to_come_back(serve: Serve, status: int, asked: bytes, after: timedelta | None) -> None:
    web, _ = serve(says(plain(status=f"{status} Busy", headers=asked)))
    with pytest.raises(Busy) as caught:
        web.ask(get("/orders?token=secret"))
    assert caught.value.after == after
    assert str(caught.value) == f"{HOST} is busy (it answered {status})"


@given(st.text(alphabet="0123456789 .:,-+GMTFriNov", max_size=40) | st.text(max_size=40))
def test_whatever_retry_after_says_the_wait_is_between_nothing_and_an_hour(text: str) -> None:
    wait = http._asked_wait(text, NOW)
    assert wait is None or timedelta(0) <= wait <= timedelta(hours=1)


@pytest.mark.parametrize("status", [500, 502, 504, 520])
def test_an_error_of_the_other_side_is_handed_on_with_its_answer(serve: Serve, status: int) -> None:
    web, _ = serve(says(plain(b'{"order": 5}', status=f"{status} Oops")))
    with pytest.raises(Failed) as caught:
        web.ask(post())
    assert caught.value.answer.body == b'{"order": 5}'
    assert "order" not in str(caught.value)


def test_a_packed_answer_comes_back_unpacked(serve: Serve) -> None:
    web, _ = serve(says(plain(gzip.compress(b"words" * 1000), headers=b"Content-Encoding: gzip\r\n")))
    assert web.ask(get()).body == b"words" * 1000


# Trying again


def test_what_may_be_repeated_is_tried_again_with_growing_waits_and_made_anew(serve: Serve, waits: Waits) -> None:
    busy, broken = plain(status="503 Busy"), plain(status="500 Oops")
    web, server = serve(answers_in_turn(busy, broken, busy, plain(b"at last")))
    made = iter(range(10))
    answer = web.ask(lambda: Request("GET", f"https://{HOST}/{next(made)}"), tries=4)
    assert answer.body == b"at last"
    assert waits == [0.5, 1.0, 2.0]
    assert [head.split(b" ")[1] for head in server.heard] == [b"/0", b"/1", b"/2", b"/3"]


def test_a_short_wait_that_was_asked_for_is_kept_to(serve: Serve, waits: Waits) -> None:
    web, _ = serve(answers_in_turn(plain(status="429 Slow", headers=b"Retry-After: 7\r\n"), plain(b"now")))
    assert web.ask(get(), tries=2).body == b"now"
    assert waits == [7.0]


def test_a_refusal_in_disguise_is_waited_out_like_any_other(serve: Serve, waits: Waits) -> None:
    web, _ = serve(answers_in_turn(plain(b"later"), plain(b"done")))

    def check(answer: Answer) -> None:
        if answer.body == b"later":
            raise Busy(after=timedelta(seconds=3))

    assert web.ask(get(), tries=2, check=check).body == b"done"
    assert waits == [3.0]


def test_a_long_wait_is_the_callers(serve: Serve, waits: Waits) -> None:
    web, server = serve(says(plain(status="503 Maintenance", headers=b"Retry-After: 11\r\n")))
    with pytest.raises(Busy) as caught:
        web.ask(get(), tries=5)
    assert caught.value.after == timedelta(seconds=11)
    assert waits == []
    assert len(server.heard) == 1


def test_one_try_is_one_request_and_no_wait(serve: Serve, waits: Waits) -> None:
    web, server = serve(says(plain(status="500 Oops")))
    with pytest.raises(Failed):
        web.ask(get())
    assert len(server.heard) == 1
    assert waits == []


def test_what_is_for_a_person_is_not_tried_again(make_web: Callable[..., Web], waits: Waits) -> None:
    with pytest.raises(Permanent):
        make_web().ask(lambda: Request("GET", "https://10.0.0.1/"), tries=5)
    assert waits == []


# Sides that hold us up, break off or never end


def dripping(piece: bytes, first: bytes = b"") -> Speak:
    def speak(spoken: socket.socket, request: bytes) -> None:
        spoken.sendall(first)
        for _ in range(300):
            spoken.sendall(piece)
            time.sleep(0.01)

    return speak


@pytest.mark.parametrize(
    "speak",
    [
        dripping(b"H"),
        dripping(b"X-More: x\r\n", b"HTTP/1.1 200 OK\r\n"),
        dripping(b"x", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"),
        dripping(b"1\r\nx\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        dripping(b"HTTP/1.1 100 Continue\r\n\r\n"),
        dripping(b"x", b"HTTP/1.1 200 OK\r\n\r\n"),
        says(b""),
        says(b"HTTP/1.1 200 OK\r\n"),
    ],
    ids=["status", "headers", "body", "chunks", "continue", "without length", "silence", "half the headers"],
)
def test_a_side_that_drips_or_hangs_is_cut_off(serve: Serve, speak: Speak) -> None:
    web, _ = serve(speak)
    began = time.monotonic()
    with pytest.raises(Unanswered):
        web.ask(post(), read_seconds=0.15)
    assert time.monotonic() - began < 1.0


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhalf",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\nServer: x\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 70000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Encoding: gzip\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4, 5\r\n\r\nhalf",
    ],
    ids=[
        "nothing",
        "short",
        "chunk",
        "bad chunk",
        "status",
        "half a head",
        "ssh",
        "long header",
        "headers",
        "gzip",
        "lengths",
    ],
)
def test_a_cut_or_garbled_answer_leaves_it_open_whether_it_was_carried_out(serve: Serve, answer: bytes) -> None:
    web, server = serve(says(answer, close=True))
    with pytest.raises(Unanswered):
        web.ask(post(), tries=1, read_seconds=2.0)
    assert len(server.heard) == 1


def test_an_answer_longer_than_it_says_ends_where_it_says_and_the_rest_reaches_nobody(serve: Serve) -> None:
    web, _ = serve(says(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\n\r\nevil"))
    assert web.ask(get()).body == b"abc"


@pytest.mark.parametrize(
    "head",
    [b"Content-Length: 9999999\r\n", b"Transfer-Encoding: chunked\r\n", b""],
    ids=["long", "chunked", "endless"],
)
def test_an_answer_that_never_ends_is_cut_off(serve: Serve, head: bytes) -> None:
    piece = b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n" if b"chunked" in head else b"x" * 0xFFFF

    def speak(spoken: socket.socket, request: bytes) -> None:
        spoken.settimeout(2)
        spoken.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
        for _ in range(1000):
            spoken.sendall(piece)

    web, _ = serve(speak)
    with pytest.raises(Permanent, match="more than 500000 bytes"):
        web.ask(get(), largest=500_000)


def test_an_answer_that_swells_when_unpacked_is_cut_off(serve: Serve) -> None:
    pack = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(pack.compress(b"\0" * 1024 * 1024) for _ in range(50)) + pack.flush()
    assert len(bomb) < 100_000
    web, _ = serve(says(plain(bomb, headers=b"Content-Encoding: gzip\r\n")))
    with pytest.raises(Permanent, match="more than 1000000 bytes"):
        web.ask(get(), largest=1_000_000)


def test_an_answer_of_just_the_largest_size_is_read(serve: Serve) -> None:
    web, _ = serve(says(plain(b"x" * 5000)))
    assert len(web.ask(get(), largest=5000).body) == 5000
    with pytest.raises(Permanent):
        web.ask(get(), largest=4999)


# Kept connections that the other side closes


def closes_before_the_second(spoken: socket.socket, request: bytes) -> None:
    """Answers what is called first, and closes the connection without a word on anything else."""
    if request.startswith(b"GET /first"):
        spoken.sendall(plain(b"first"))
    else:
        spoken.shutdown(socket.SHUT_RDWR)


def test_reading_over_a_kept_connection_that_was_closed_is_tried_again_at_once(serve: Serve, waits: Waits) -> None:
    seen: list[object] = []

    def speak(spoken: socket.socket, request: bytes) -> None:
        if spoken.getpeername() in seen:
            spoken.shutdown(socket.SHUT_RDWR)
        else:
            seen.append(spoken.getpeername())
            spoken.sendall(plain(b"fine"))

    web, server = serve(speak)
    assert web.ask(get()).body == b"fine"
    assert web.ask(get()).body == b"fine"
    assert waits == []
    assert (len(server.heard), server.connections) == (3, 2)


def test_writing_over_a_kept_connection_that_was_closed_is_left_open(serve: Serve) -> None:
    web, server = serve(closes_before_the_second)
    web.ask(get("/first"))
    with pytest.raises(Unanswered):
        web.ask(post())
    assert len(server.heard) == 2


def test_reading_over_a_new_connection_that_breaks_is_not_repeated(serve: Serve) -> None:
    web, server = serve(closes_before_the_second)
    with pytest.raises(Unanswered):
        web.ask(get("/second"))
    assert len(server.heard) == 1


# Where it connects to


def leads_to(*addresses: str, port: int = 0) -> Callable[[str, int], Found]:
    def resolve(host: str, wanted: int) -> Found:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port or wanted)) for address in addresses]

    return resolve


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x",
        "https://localhost/x",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/",
        "https://192.168.1.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://127.1:8443/",
        "http://93.184.216.34/",
        "file:///etc/passwd",
        "https:///nothing",
    ],
)
def test_private_addresses_and_other_schemes_are_never_called(url: str) -> None:
    with pytest.raises(Permanent):
        get_text(url)


def test_one_private_address_among_public_ones_is_enough_to_refuse(make_web: Callable[..., Web]) -> None:
    web = make_web(resolve=leads_to("93.184.216.34", "10.0.0.1"))
    with pytest.raises(Permanent, match="CONNECTOR_PRIVATE_ADDRESSES"):
        web.ask(get())
    assert web.calls(HOST) == 0


def test_the_address_that_was_looked_at_is_the_one_that_is_connected_to(
    make_web: Callable[..., Web], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    connected: list[object] = []

    def changes_its_mind(host: str, port: int) -> Found:
        asked.append(host)
        return leads_to("93.184.216.34" if len(asked) == 1 else "127.0.0.1")(host, port)

    def connect(self: socket.socket, address: object) -> None:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    web = make_web(resolve=changes_its_mind)
    with pytest.raises(Busy):
        web.ask(get())
    assert (asked, connected) == ([HOST], [("93.184.216.34", 443)])
    with pytest.raises(Permanent):
        web.ask(get())
    assert len(connected) == 1


def test_a_private_address_is_called_where_the_operator_allows_it(make_web: Callable[..., Web]) -> None:
    web = make_web(private_addresses=True)
    with pytest.raises(Busy):
        web.ask(lambda: Request("GET", "https://127.0.0.1:9/"))


@pytest.mark.parametrize("failure", [socket.gaierror("no such host"), TimeoutError(), OSError()])
def test_a_name_that_is_not_found_is_busy_and_nothing_was_done(make_web: Callable[..., Web], failure: OSError) -> None:
    def resolve(host: str, port: int) -> Found:
        raise failure

    with pytest.raises(Busy, match=f"{HOST} has no address"):
        make_web(resolve=resolve).ask(post())


@pytest.mark.parametrize("failure", [ConnectionResetError(errno.ECONNRESET, "reset"), BrokenPipeError()])
def test_a_side_that_breaks_off_while_we_connect_is_busy_and_nothing_was_done(
    make_web: Callable[..., Web], failure: OSError
) -> None:
    def resolve(*_: object) -> Found:
        raise failure

    web = make_web(routes={"shop.example": "http://127.0.0.1:9"}, resolve=resolve)
    with pytest.raises(Busy):
        web.ask(lambda: Request("GET", "https://shop.example/"))
    assert web.calls("shop.example") == 0


def test_a_side_that_refuses_the_connection_is_busy(make_web: Callable[..., Web]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        web = make_web(routes={HOST: f"http://127.0.0.1:{taken.getsockname()[1]}"})
        with pytest.raises(Busy, match="could not be reached"):
            web.ask(post())
    assert web.calls(HOST) == 0


def test_the_next_address_is_tried_when_one_does_not_answer(make_web: Callable[..., Web], tmp_path: Path) -> None:
    shows, trusts = certificate(tmp_path, HOST)
    with RawServer(says(plain(b"second")), tls=shows) as server:
        resolve = leads_to("127.9.9.9", "127.0.0.1", port=server.port)
        web = make_web(private_addresses=True, trust=trusts, resolve=resolve)
        assert web.ask(get()).body == b"second"


# Trying it out in a network of one's own


def test_an_unprotected_address_is_called_in_ones_own_network_where_the_operator_allows_it(
    make_web: Callable[..., Web],
) -> None:
    with RawServer(says(plain(b"in the clear"))) as server:
        web = make_web(private_addresses=True, plain_http=True)
        assert web.ask(lambda: Request("GET", f"{server.address}/wp-json/")).body == b"in the clear"
        assert f"\r\nHost: 127.0.0.1:{server.port}\r\n" in server.heard[0].decode()
        with pytest.raises(Permanent, match="only https"):
            make_web(private_addresses=True).ask(lambda: Request("GET", server.address))
        with pytest.raises(Permanent, match="CONNECTOR_PRIVATE_ADDRESSES"):
            make_web(plain_http=True).ask(lambda: Request("GET", server.address))


@pytest.mark.parametrize("addresses", [["93.184.216.34"], ["127.0.0.1", "93.184.216.34"]])
def test_nothing_unprotected_ever_leaves_ones_own_network(make_web: Callable[..., Web], addresses: list[str]) -> None:
    web = make_web(private_addresses=True, plain_http=True, resolve=leads_to(*addresses))
    with pytest.raises(Permanent, match="by https alone"):
        web.ask(lambda: Request("GET", f"http://{HOST}/"))
    assert web.calls(HOST) == 0


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("authority", [True, False])
def test_a_certificate_of_ones_own_making_is_believed_when_the_operator_names_it(
    make_web: Callable[..., Web], tmp_path: Path, name: str, authority: bool
) -> None:
    pair, made = self_signed(name, authority=authority)
    (tmp_path / "shows.pem").write_text(pair + made)
    shows = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shows.load_cert_chain(tmp_path / "shows.pem")
    with RawServer(says(plain(b"safe")), tls=shows) as server:

        def ask(web: Web) -> bytes:
            return web.ask(lambda: Request("GET", f"https://{name}:{server.port}/")).body

        with pytest.raises(Permanent, match="CONNECTOR_CA_FILE"):
            ask(make_web(private_addresses=True))
        assert ask(make_web(private_addresses=True, ca=made, trust=None)) == b"safe"


# Protected connections


@pytest.fixture
def secure(make_web: Callable[..., Web], tmp_path: Path) -> Iterator[Callable[..., tuple[Web, RawServer]]]:
    running: list[RawServer] = []

    def start(name: str = HOST, *, trusted: bool = True, expired: bool = False) -> tuple[Web, RawServer]:
        shows, trusts = certificate(tmp_path, name, expired=expired)
        running.append(RawServer(says(plain(b"safe")), tls=shows).__enter__())
        resolve = leads_to("127.0.0.1", port=running[-1].port)
        named: Mapping[str, Any] = {"trust": trusts} if trusted else {}
        return make_web(private_addresses=True, resolve=resolve, **named), running[-1]

    yield start
    for server in running:
        server.__exit__(None, None, None)


def test_the_certificate_is_checked_against_the_name_and_not_the_address(
    secure: Callable[..., tuple[Web, RawServer]],
) -> None:
    web, _ = secure()
    assert web.ask(get()).body == b"safe"


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        ({"name": "other.example"}, "Hostname mismatch"),
        ({"expired": True}, "expired"),
        ({"trusted": False}, "self-signed"),
    ],
)
def test_a_bad_certificate_is_for_a_person(
    secure: Callable[..., tuple[Web, RawServer]], named: dict[str, Any], reason: str
) -> None:
    web, server = secure(**named)
    with pytest.raises(Permanent, match=reason) as refusal:
        web.ask(get("/?token=secret"))
    assert HOST in str(refusal.value)
    assert "secret" not in str(refusal.value)
    assert server.heard == []


def test_a_side_that_speaks_no_tls_is_busy_and_nothing_was_done(make_web: Callable[..., Web]) -> None:
    with RawServer(says(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
        web = make_web(private_addresses=True, resolve=leads_to("127.0.0.1", port=server.port))
        with pytest.raises(Busy, match="TLS"):
            web.ask(post(), read_seconds=0.5)
    assert web.calls(HOST) == 0


def test_a_handshake_that_hangs_ends_with_the_time_for_all(make_web: Callable[..., Web]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        web = make_web(private_addresses=True, resolve=leads_to("127.0.0.1", port=silent.getsockname()[1]))
        began = time.monotonic()
        with pytest.raises(Busy):
            web.ask(post(), read_seconds=0.1)
    assert time.monotonic() - began < 1.0


# The end


@pytest.mark.parametrize("protected", [False, True])
def test_what_hangs_is_broken_off_when_the_way_out_is_closed(
    make_web: Callable[..., Web], tmp_path: Path, protected: bool
) -> None:
    shows, trusts = certificate(tmp_path, HOST)
    heard = threading.Event()

    def silent(_spoken: socket.socket, _request: bytes) -> None:
        heard.set()

    with RawServer(silent, tls=shows if protected else None) as server:
        if protected:
            resolve = leads_to("127.0.0.1", port=server.port)
            web = make_web(private_addresses=True, resolve=resolve, trust=trusts)
        else:
            web = make_web(routes={HOST: server.address})
        raised: list[Exception] = []

        def ask() -> None:
            try:
                web.ask(post(), tries=5)
            except Exception as error:
                raised.append(error)

        asking = threading.Thread(target=ask)
        asking.start()
        assert heard.wait(5)
        web.close()
        asking.join(2)
        assert not asking.is_alive()
    assert [type(error) for error in raised] == [Busy]
    with pytest.raises(Busy, match="stopping"):
        web.ask(get())


def test_nobody_sleeps_until_the_next_try_once_the_way_out_is_closed(make_web: Callable[..., Web]) -> None:
    with RawServer(says(b"HTTP/1.1 503 Busy\r\nRetry-After: 9\r\nContent-Length: 0\r\n\r\n")) as server:
        web = make_web(routes={HOST: server.address}, sleep=None)
        closing = threading.Timer(0.2, web.close)
        closing.start()
        began = time.monotonic()
        with pytest.raises(Busy):
            web.ask(get(), tries=3)
        assert time.monotonic() - began < 2
        closing.join()


# Silence about what is nobody's business


def test_neither_messages_nor_logs_hold_path_query_headers_or_body(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    short = b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\nhidden header\r\n\r\nhidden-body"
    web, _ = serve(says(short, close=True))
    with pytest.raises(Unanswered) as caught:
        web.ask(
            lambda: Request(
                "POST", f"https://{HOST}/hidden-path?hidden=query", {"X-Hidden": "hidden-header"}, b"hidden"
            )
        )
    told = str(caught.value) + repr(caught.value) + caplog.text
    assert HOST in told
    assert "hidden" not in told.lower()


def test_requests_and_answers_do_not_show_what_they_hold() -> None:
    request = Request("GET", "https://shop.example/", {"Authorization": "hidden"}, b"hidden")
    assert "hidden" not in repr(request) + repr(Answer(200, {}, b"hidden"))


# The text at an address


def test_the_text_of_a_good_answer_comes_back(serve: Serve) -> None:
    web, _ = serve(says(plain("a key \u20ac".encode())))
    assert get_text(f"https://{HOST}/key.pem", web=web) == "a key \u20ac"


@pytest.mark.parametrize("status", [301, 302, 400, 401, 404])
def test_a_refusal_and_a_redirect_of_a_text_are_for_a_person(serve: Serve, status: int) -> None:
    web, _ = serve(says(plain(status=f"{status} No", headers=b"Location: https://127.0.0.1/\r\n")))
    with pytest.raises(Permanent):
        get_text(f"https://{HOST}/key.pem", web=web)


def test_a_side_that_is_away_is_tried_again(make_web: Callable[..., Web]) -> None:
    with pytest.raises(Retryable):
        get_text("https://127.0.0.1:9/", web=make_web(private_addresses=True))


def test_the_default_trust_asks_for_certificates_that_hold() -> None:
    trust = http._trust("")
    assert trust.check_hostname
    assert trust.verify_mode is ssl.CERT_REQUIRED
