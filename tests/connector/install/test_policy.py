"""What may stand in a policy is an origin, whatever a host is called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import Script
from connector.install import policy

BRIDGE = Script("https://cdn.example/app/bridge.js", {}, ("https://events.example",))


def test_a_page_inside_another_loads_that_ones_script_and_nothing_else() -> None:
    assert policy.inside(("https://shop.example",), BRIDGE) == (
        "default-src 'none'; script-src 'self' https://cdn.example; "
        "connect-src 'self' https://cdn.example https://events.example; style-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors https://shop.example"
    )


def test_a_page_that_nobody_may_frame_says_so() -> None:
    assert policy.inside((), None).endswith("frame-ancestors 'none'")


@pytest.mark.parametrize(
    "origin", ["*", "https://*", "http://a.example", "https://a.example; script-src *", "", "'self'"]
)
def test_anything_but_an_https_origin_is_refused(origin: str) -> None:
    with pytest.raises(ValueError, match="https origin"):
        policy.inside((origin,), None)


@given(st.text())
def test_no_name_of_a_host_adds_a_rule(host: str) -> None:
    try:
        rules = policy.inside((f"https://{host}",), None)
    except ValueError:
        return
    assert rules.count(";") == policy.inside((), None).count(";")
    assert rules.isprintable()
