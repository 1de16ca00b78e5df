"""The one HTTP client: what it refuses to call, and what it makes of answers."""

from datetime import timedelta

import pytest
from pytest_httpserver import HTTPServer

from adapters.http import get_text
from connector.domain.errors import Permanent, Retryable


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
        "http://93.184.216.34/",
        "file:///etc/passwd",
        "https:///nothing",
    ],
)
def test_private_addresses_and_other_schemes_are_never_called(url: str) -> None:
    with pytest.raises(Permanent):
        get_text(url)


def test_the_text_of_a_good_answer_comes_back(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/key.pem").respond_with_data("a key")
    assert get_text(httpserver.url_for("/key.pem"), private_addresses=True) == "a key"


def test_a_busy_side_says_when_to_come_back(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("", status=503, headers={"Retry-After": "17"})
    with pytest.raises(Retryable) as caught:
        get_text(httpserver.url_for("/"), private_addresses=True)
    assert caught.value.after == timedelta(seconds=17)


@pytest.mark.parametrize("status", [301, 302, 400, 401, 404])
def test_a_refusal_and_a_redirect_are_for_a_person(httpserver: HTTPServer, status: int) -> None:
    httpserver.expect_request("/").respond_with_data("", status=status, headers={"Location": "https://127.0.0.1/"})
    with pytest.raises(Permanent):
        get_text(httpserver.url_for("/"), private_addresses=True)


def test_an_answer_without_end_is_cut_off(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("x" * 5000)
    with pytest.raises(Permanent):
        get_text(httpserver.url_for("/"), largest=4999, private_addresses=True)


def test_a_side_that_is_away_is_tried_again() -> None:
    with pytest.raises(Retryable):
        get_text("http://127.0.0.1:9/", private_addresses=True)
