"""The address rule: only places in the open internet, and only addresses that can be read in one way."""

import ipaddress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.addresses import is_at_home, is_public, read_url
from connector.domain.errors import Permanent


@pytest.mark.parametrize("address", ["93.184.216.34", "1.1.1.1", "2606:4700::1111", "2a00:1450:4001:81b::200e"])
def test_places_in_the_open_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 -- refused, not listened on
        "255.255.255.255",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "::",
        "::1",
        "::ffff:93.184.216.34",
        "::93.184.216.34",
        "64:ff9b::5db8:d822",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "fc00::1",
        "ff02::1",
        "2001:db8::1",
        "4000::1",
        "",
        "shop.example.com",
    ],
)
def test_private_wrapped_and_meaningless_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@given(st.ip_addresses())
def test_nothing_is_public_that_python_calls_private_local_or_reserved(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    private = address.is_private or address.is_loopback or address.is_link_local or address.is_unspecified
    assert not (is_public(str(address)) and (private or address.is_multicast or address.is_reserved))


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_inside_an_ipv6_address_is_never_public(inner: ipaddress.IPv4Address) -> None:
    number = int(inner)
    prefixes = (0, 0xFFFF << 32, 0xFFFF << 48, 0x64FF9B << 96, (0x64FF9B << 96) | (1 << 80), 0x2002 << 112)
    for prefix in prefixes[:-1]:
        assert not is_public(str(ipaddress.IPv6Address(prefix | number)))
    assert not is_public(str(ipaddress.IPv6Address((0x2002 << 112) | (number << 80))))


@given(st.text() | st.from_regex(r"https://[ -~]{0,30}", fullmatch=True))
@example("https://[::1%eth0]/")
@example("https://[v1.x]/")
@example("https://shop.example:99999/")
@example("https://shop.example:x/")
@example("https://good.example\\@evil.example/")
def test_whatever_an_address_holds_it_is_refused_or_read_as_one_host(url: str) -> None:
    try:
        place = read_url(url)
    except Permanent:
        return
    assert place.scheme in ("https", "http")
    assert 1 <= place.port <= 65535
    assert place.target.startswith("/")
    assert not set(place.name) & set(" /\\?#@%\r\n\t\0")
    assert url.split("://", 1)[1].lower().startswith((place.host, f"[{place.host}]"))


@pytest.mark.parametrize(
    "url",
    [
        "https://user@shop.example/",
        "https://user:secret@shop.example/",
        "https://shop.example\r\nHost: x/",
        "https://shop.example/\x00",
        "https://shop.example/a b",
        "https://bücher.example/",
        "https://shop..example/",
        "https://.example/",
        "https:///nothing",
        "https://shop.example:0/",
        "file:///etc/passwd",
        "gopher://shop.example/",
        "//shop.example/",
        "shop.example",
        "",
    ],
)
def test_addresses_with_passwords_control_characters_or_without_a_host_are_refused(url: str) -> None:
    with pytest.raises(Permanent) as refusal:
        read_url(url)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://Shop.Example/", "shop.example"),
        ("https://shop.example:443", "shop.example"),
        ("https://shop.example:8443/x?y=1", "shop.example:8443"),
        ("https://shop.example:/", "shop.example"),
        ("https://[2606:4700::1111]:8443/", "[2606:4700::1111]:8443"),
        ("http://127.0.0.1:80/", "127.0.0.1"),
    ],
)
def test_a_place_is_named_as_its_host_header_names_it(url: str, name: str) -> None:
    assert read_url(url).name == name


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        *((name, True) for name in ("127.0.0.1", "10.1.2.3", "192.168.0.5", "::1", "localhost", "shop", "a.local")),
        *((name, False) for name in ("93.184.216.34", "2606:4700::1111", "shop.example", "local.example")),
    ],
)
def test_a_host_in_ones_own_network_is_known_where_its_name_says_so(host: str, expected: bool) -> None:
    assert is_at_home(host) is expected


def test_path_and_query_stay_as_they_are_and_the_fragment_is_left_out() -> None:
    assert read_url("https://shop.example?a=1").target == "/?a=1"
    assert read_url("https://shop.example/a%2Fb?c[0]=%E2%82%AC&d=e+f#there").target == "/a%2Fb?c[0]=%E2%82%AC&d=e+f"
