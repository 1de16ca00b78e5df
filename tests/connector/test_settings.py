"""Every setting can be given, a wrong one is named with what it accepts, and no secret is ever shown (P10)."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from connector.domain.connection import App
from connector.domain.errors import WrongSetting
from connector.settings import Settings, load, variable
from tests.adapters.raw_server import self_signed

EXAMPLE = Path(__file__).parents[2] / "config.example.env"
CERTIFICATE = self_signed("shop.example")[1].strip()
SECRET = "s3cret-nobody-may-see"
REQUIRED = {"secret_keys"}
ROUTES = ("a.test=http://127.0.0.1:81", "b.test:82=http://[::1]:83")

GIVEN: Mapping[str, tuple[str, object]] = {
    "database_url": ("postgresql://u:p@db/connector", "postgresql+psycopg://u:p@db/connector"),
    "secret_keys": (" new  old ", ("new", "old")),
    "host": ("0.0.0.0", "0.0.0.0"),  # noqa: S104  # a value to read, nobody listens
    "port": ("9000", 9000),
    "address": ("https://Connector.Example.com:443/", "https://connector.example.com"),
    "app_name": ("Order post", "Order post"),
    "web_threads": ("8", 8),
    "app_secrets": ("one:a:b two:c", ("one:a:b", "two:c")),
    "app_ids": ("one:a two:b", ("one:a", "two:b")),
    "history_days": ("0", 0),
    "private_addresses": ("Yes", True),
    "plain_http": ("yes", True),
    "ca": (CERTIFICATE, CERTIFICATE),
    "routes": ("a.test=http://127.0.0.1:81 b.test:82=http://[::1]:83", ROUTES),
    "largest_delivery_bytes": ("65536", 65536),
    "slowest_request_seconds": ("3", 3),
    "refusals_per_minute": ("10", 10),
    "client_header": ("X-Forwarded-For", "X-Forwarded-For"),
    "tracking_wait_minutes": ("0", 0),
    "smtp_host": ("mail.example.test", "mail.example.test"),
    "smtp_port": ("465", 465),
    "smtp_security": ("TLS", "tls"),
    "smtp_username": ("user", "user"),
    "smtp_password": ("with spaces and #", "with spaces and #"),
    "smtp_timeout_seconds": ("5", 5),
    "smtp_connections": ("4", 4),
    "mail_from": ("shop@example.test", "shop@example.test"),
    "metrics_token": ("token", "token"),
    "log_level": ("Debug", "debug"),
}
WRONG: Mapping[str, tuple[str, ...]] = {
    "database_url": ("mysql://u:p@db/x", "connector.db"),
    "port": ("0", "65536", "http", "80.5", ""),
    "web_threads": ("0", "513"),
    "app_secrets": (SECRET, f":{SECRET}", "name:"),
    "address": (
        "connector.example.com",
        "http://connector.example.com",
        "https://",
        "https://a.example/path",
        "https://a.example/?x",
        "https://u:p@a.example",
        "https://a.example:x",
        "https://a b.example",
    ),
    "app_name": ("x" * 61, "two\nlines"),
    "app_ids": ("shop", ":a", "name:"),
    "history_days": ("-1", "3651"),
    "private_addresses": ("maybe", "1"),
    "plain_http": ("http",),
    "ca": ("/etc/shop.pem", "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----"),
    "routes": ("a.test", "a.test=", "=http://127.0.0.1:81", "a.test=https://127.0.0.1:81", "a.test=http://127.0.0.1"),
    "largest_delivery_bytes": ("65535", "10 MB"),
    "slowest_request_seconds": ("0", "301"),
    "refusals_per_minute": ("0", "-1"),
    "tracking_wait_minutes": ("-1", "43201"),
    "smtp_port": ("0", "ssl"),
    "smtp_security": ("ssl", "yes"),
    "smtp_timeout_seconds": ("0", "601"),
    "smtp_connections": ("0", "51"),
    "mail_from": ("nobody", "@example.test", "a b@example.test"),
    "log_level": ("trace", "5"),
}


def read(given: Mapping[str, str]) -> Settings:
    return load(given, env_file=None)


def field_of(name: str) -> Any:
    return next(one for one in fields(Settings) if one.name == name)


def test_without_anything_given_all_have_their_defaults() -> None:
    assert read({}) == Settings()


def test_this_test_knows_every_setting() -> None:
    assert set(GIVEN) == {one.name for one in fields(Settings)}


@pytest.mark.parametrize("name", GIVEN)
def test_every_setting_can_be_given_by_its_variable(name: str) -> None:
    text, value = GIVEN[name]
    assert getattr(read({variable(name): text}), name) == value


@pytest.mark.parametrize("name", GIVEN)
def test_every_setting_can_stand_in_a_file(name: str, tmp_path: Path) -> None:
    text, value = GIVEN[name]
    (tmp_path / "value").write_text(f"{text}\n", encoding="utf-8")
    assert getattr(read({f"{variable(name)}_FILE": str(tmp_path / "value")}), name) == value


@pytest.mark.parametrize("name", GIVEN)
def test_an_empty_variable_counts_as_not_given(name: str) -> None:
    assert read({variable(name): "", f"{variable(name)}_FILE": ""}) == Settings()


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in WRONG.items() for text in texts if text])
def test_a_wrong_value_names_its_variable_and_what_is_accepted(name: str, text: str) -> None:
    with pytest.raises(WrongSetting) as refused:
        read({variable(name): text})
    assert str(refused.value).startswith(f"{variable(name)} is ")
    assert field_of(name).metadata["accepts"] in str(refused.value)


@pytest.mark.parametrize(("name", "least", "most"), [("port", 1, 65535), ("tracking_wait_minutes", 0, 43200)])
def test_both_ends_of_a_range_are_inside(name: str, least: int, most: int) -> None:
    assert [getattr(read({variable(name): str(value)}), name) for value in (least, most)] == [least, most]


def test_p10_no_secret_is_in_the_text_of_the_settings() -> None:
    given = {variable(one.name): GIVEN[one.name][0] for one in fields(Settings)}
    given |= {variable(name): SECRET for name in ("smtp_password", "metrics_token", "secret_keys")}
    given |= {variable("app_secrets"): f"one:{SECRET}", variable("database_url"): f"postgresql://u:{SECRET}@db/x"}
    settings = read(given)
    assert settings.smtp_password == SECRET
    assert SECRET not in repr(settings) + str(settings)


@pytest.mark.parametrize(("name", "text"), [("app_secrets", SECRET), ("database_url", f"mysql://u:{SECRET}@db/x")])
def test_p10_a_wrong_secret_is_not_shown_in_its_refusal(name: str, text: str) -> None:
    with pytest.raises(WrongSetting) as refused:
        read({variable(name): text})
    causes: list[BaseException | None] = [refused.value, refused.value.__cause__, refused.value.__context__]
    assert not any(SECRET in str(one) for one in causes)


def test_settings_that_hold_secrets_are_marked_so() -> None:
    words = ("secret", "password", "token", "database_url")
    assert {one.name for one in fields(Settings) if one.metadata["secret"]} == {
        one.name for one in fields(Settings) if any(word in one.name for word in words)
    } | {"ca"}, "a file of certificates may hold their keys too"


@pytest.mark.parametrize("name", ["CONNECTOR_PROT", "CONNECTOR_port", "CONNECTOR_PORT_FILE_FILE", "CONNECTOR_"])
def test_a_variable_that_is_no_setting_is_refused(name: str) -> None:
    with pytest.raises(WrongSetting, match=f"{name} is not a setting"):
        read({name: "1"})


def test_other_programs_variables_and_those_of_the_tests_are_left_alone() -> None:
    assert read({"PORT": "x", "HOME": "/", "CONNECTOR_TEST_REQUIRE_ALL": "1"}) == Settings()


def test_a_value_given_directly_and_by_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "value").write_text("one", encoding="utf-8")
    with pytest.raises(WrongSetting, match="CONNECTOR_SMTP_PASSWORD and CONNECTOR_SMTP_PASSWORD_FILE are both set"):
        read({"CONNECTOR_SMTP_PASSWORD": "two", "CONNECTOR_SMTP_PASSWORD_FILE": str(tmp_path / "value")})


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_refused_with_why(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "value").write_bytes(content)
    with pytest.raises(WrongSetting, match="CONNECTOR_SMTP_PASSWORD_FILE names a file that"):
        read({"CONNECTOR_SMTP_PASSWORD_FILE": str(tmp_path / "value")})


def test_the_environment_wins_over_the_env_file(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("CONNECTOR_PORT=9001\nCONNECTOR_HOST=::1\nOTHER=x\n", encoding="utf-8")
    settings = load({"CONNECTOR_PORT": "9002"}, env_file=path)
    assert (settings.port, settings.host) == (9002, "::1")


def test_an_env_file_that_is_not_there_is_none() -> None:
    assert load({}, env_file=Path("/nowhere/.env")) == Settings()


def test_a_wrong_value_in_the_env_file_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("CONNECTOR_PORT=http\n", encoding="utf-8")
    with pytest.raises(WrongSetting, match="CONNECTOR_PORT"):
        load({}, env_file=tmp_path / ".env")


def test_the_secrets_of_an_app_are_those_of_its_platform_newest_first() -> None:
    settings = read({"CONNECTOR_APP_SECRETS": "one:new two:other one:o:l:d"})
    assert settings.app_secrets_of("one") == ("new", "o:l:d")
    assert settings.app_secrets_of("three") == ()


def test_the_app_of_a_platform_is_its_client_id_with_its_secrets() -> None:
    settings = read({"CONNECTOR_APP_IDS": "one:abc two:d", "CONNECTOR_APP_SECRETS": "one:new one:old"})
    assert settings.app("one") == App("abc", ("new", "old"))
    assert settings.app("two") == App("d")
    assert settings.app("three") == App()


def test_routes_lead_from_hosts_to_places() -> None:
    settings = read({"CONNECTOR_ROUTES": " ".join(ROUTES)})
    assert settings.places() == {"a.test": "http://127.0.0.1:81", "b.test:82": "http://[::1]:83"}
    assert read({}).places() == {}


# The example file


def example() -> str:
    """What config.example.env must say: each setting once, with its default."""
    head = (
        "# Connector's settings. Copy this file to .env and change what you need; real environment variables win.\n"
        "# Each value may stand in a file instead: put _FILE behind the name and the file's path as the value.\n"
    )
    return head + "".join(f"\n{_entry(one)}" for one in fields(Settings))


def _entry(one: Any) -> str:
    default = " ".join(one.default) if isinstance(one.default, tuple) else str(one.default)
    default = {"True": "yes", "False": "no"}.get(default, default)
    mark = "" if one.name in REQUIRED else "#"
    return f"# {one.metadata['says']}\n# Accepts: {one.metadata['accepts']}\n{mark}{variable(one.name)}={default}\n"


def test_the_example_file_says_what_the_settings_say() -> None:
    assert EXAMPLE.read_text(encoding="utf-8") == example()


def test_the_example_file_with_every_line_in_force_gives_the_defaults(tmp_path: Path) -> None:
    lines = [line.removeprefix("#") for line in example().splitlines() if not line.startswith("# ")]
    (tmp_path / ".env").write_text("\n".join(lines), encoding="utf-8")
    assert load({}, env_file=tmp_path / ".env") == Settings()


def test_an_unprotected_address_of_ours_needs_the_operators_word() -> None:
    given = {"CONNECTOR_ADDRESS": "http://127.0.0.1:8080"}
    with pytest.raises(WrongSetting, match="CONNECTOR_PLAIN_HTTP=yes"):
        read(given)
    assert read(given | {"CONNECTOR_PLAIN_HTTP": "yes"}).address == "http://127.0.0.1:8080"
    assert (
        read({"CONNECTOR_ADDRESS": "http://Shop.test:80/", "CONNECTOR_PLAIN_HTTP": "yes"}).address == "http://shop.test"
    )
