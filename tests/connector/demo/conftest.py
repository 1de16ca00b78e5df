"""One showing of the demo for all tests of what it shows."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from connector.demo.report import Report
from connector.demo.show import Demo, free_port
from connector.demo.sink import MailSink


@dataclass(frozen=True)
class Played:
    """A demo whose story is told."""

    demo: Demo
    report: Report
    pages: FlaskClient
    before: str
    """The first page as it was before the first shop was connected."""


@pytest.fixture(scope="package")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    with MailSink() as sink, Demo(Path(tmp_path_factory.mktemp("demo")), sink, free_port(18090)) as demo:
        pages = demo.pages.test_client()
        before = pages.get("/demo/").text
        report = demo.run(once=True)
        assert report is not None
        yield Played(demo, report, pages, before)
        demo.service.database.close()


@pytest.fixture
def served(played: Played) -> Iterator[str]:
    """The address of the played demo's pages on a real server."""
    server = make_server("127.0.0.1", 0, played.demo.pages, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
