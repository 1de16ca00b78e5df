"""What an operator can set: one frozen record, read from the environment, checked before anything starts."""

import os
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from dotenv import dotenv_values

from connector.domain.connection import App
from connector.domain.errors import WrongSetting

PREFIX = "CONNECTOR_"
Value = TypeVar("Value")
_ORIGIN = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(:(?P<port>[0-9]{1,5}))?/?", re.ASCII
)
_DEFAULT_PORTS = {"https": 443, "http": 80}


def _setting(default: Any, read: Callable[[str], Any], accepts: str, says: str, *, secret: bool = False) -> Any:
    metadata = {"read": read, "accepts": accepts, "says": says, "secret": secret}
    return field(default=default, metadata=metadata, repr=not secret)


def _text(value: str) -> str:
    return value


def _words(value: str) -> tuple[str, ...]:
    return tuple(value.split())


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value.lower() not in choices:
            raise ValueError(value)
        return value.lower()

    return read


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        number = int(value)
        if not least <= number <= most:
            raise ValueError(value)
        return number

    return read


def _database(value: str) -> str:
    if not value.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        raise ValueError("no database address")
    return value.replace("postgresql://", "postgresql+psycopg://", 1)


def _pairs(value: str) -> tuple[str, ...]:
    words = _words(value)
    if not all(name and secret for name, _, secret in (word.partition(":") for word in words)):
        raise ValueError("no pair")
    return words


def _address(value: str) -> str:
    local, _, domain = value.rpartition("@")
    if not (local and domain and value.isprintable() and " " not in value):
        raise ValueError(value)
    return value


def _yes_or_no(value: str) -> bool:
    return _one_of("yes", "no")(value) == "yes"


def _name(value: str) -> str:
    if not value.isprintable() or len(value) > LONGEST_NAME:
        raise ValueError(value)
    return value


def _origin(value: str) -> str:
    """Scheme, host and port as every browser writes them."""
    found = _ORIGIN.fullmatch(value.lower())
    if not found:
        raise ValueError(value)
    usual = _DEFAULT_PORTS[found["scheme"]]
    port = int(found["port"] or usual)
    if not 1 <= port <= 65_535:
        raise ValueError(value)
    return f"{found['scheme']}://{found['host']}" + (f":{port}" if port != usual else "")


def _certificates(value: str) -> str:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=value)
    except ssl.SSLError as error:
        raise ValueError("no certificate") from error
    return value


def _routes(value: str) -> tuple[str, ...]:
    words = _words(value)
    for word in words:
        host, _, place = word.partition("=")
        parts = urlsplit(place)
        if not (host and parts.scheme == "http" and parts.hostname and parts.port and not parts.path):
            raise ValueError(word)
    return words


LONGEST_NAME = 60
_ADDRESS_ACCEPTED = "https://connector.example.com, without a path; empty: nobody reaches it from outside"


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings with their defaults; each is `CONNECTOR_` and its name in capitals (and `_FILE`: from a file)."""

    database_url: str = _setting(
        "sqlite:///data/connector.db",
        _database,
        "sqlite:///path/to/file.db or postgresql://user:password@host/database",
        "Where everything is kept. SQLite needs nothing; PostgreSQL allows many machines.",
        secret=True,
    )
    secret_keys: tuple[str, ...] = _setting(
        (),
        _words,
        "one or more keys made by `connector new-key`, separated by spaces, newest first",
        "Seals the shops' secrets in the database. Required. To rotate, put a new key in front.",
        secret=True,
    )
    host: str = _setting("127.0.0.1", _text, "an address of this machine", "Where the service listens.")
    port: int = _setting(8080, _whole(1, 65_535), "a port number, 1 to 65535", "The port it listens on.")
    address: str = _setting(
        "",
        _origin,
        _ADDRESS_ACCEPTED,
        "The public address shops and browsers reach it by. Without it, shops are connected by pasted keys and polled.",
    )
    app_name: str = _setting(
        "Connector", _name, "text, at most 60 characters", "What merchants and platforms are told it is called."
    )
    web_threads: int = _setting(
        8,
        _whole(1, 512),
        "a whole number, 1 to 512",
        "How many pages are made at the same time (webhooks need no thread).",
    )
    app_ids: tuple[str, ...] = _setting(
        (),
        _pairs,
        "platform:client-id pairs separated by spaces, one for each platform",
        "The client ids of your apps. A shop that opens an app whose id and secret are given is connected by that.",
    )
    app_secrets: tuple[str, ...] = _setting(
        (),
        _pairs,
        "platform:secret pairs separated by spaces; several for one platform while rotating",
        "Secrets of apps whose deliveries for all shops come to one address (/webhooks/<platform>).",
        secret=True,
    )
    history_days: int = _setting(
        90,
        _whole(0, 3650),
        "days, 0 to 3650; 0: none",
        "How far back orders are read when a shop is connected. Nobody is mailed about them.",
    )
    private_addresses: bool = _setting(
        False, _yes_or_no, "yes or no", "Whether shops in your own network (192.168.0.5, localhost …) may be called."
    )
    ca: str = _setting(
        "",
        _certificates,
        "certificates in PEM; give the file that holds them as CONNECTOR_CA_FILE",
        "Believed besides the known authorities: your own authority's certificate, or a shop's self-made one.",
        secret=True,
    )
    plain_http: bool = _setting(
        False,
        _yes_or_no,
        "yes or no",
        "For trying it out: whether shops in your own network and CONNECTOR_ADDRESS may be http://. Others there can "
        "read along.",
    )
    routes: tuple[str, ...] = _setting(
        (),
        _routes,
        "host=http://address:port pairs separated by spaces",
        "For trying it out with stand-ins: what is meant for a host goes to another place, without protection.",
    )
    largest_delivery_bytes: int = _setting(
        10 * 1024 * 1024,
        _whole(64 * 1024, 100 * 1024 * 1024),
        "bytes, 65536 to 104857600",
        "Larger webhook bodies are refused. Real orders reach some hundred kilobytes.",
    )
    slowest_request_seconds: int = _setting(
        10, _whole(1, 300), "seconds, 1 to 300", "A sender that takes longer for its headers or its body is cut off."
    )
    refusals_per_minute: int = _setting(
        120,
        _whole(1, 1_000_000),
        "a whole number, 1 to 1000000",
        "A client that was refused more often within a minute has to wait for the next one.",
    )
    client_header: str = _setting(
        "",
        _text,
        "a header name; empty: clients connect directly",
        "The header in which your own reverse proxy names the client, such as X-Forwarded-For.",
    )
    tracking_wait_minutes: int = _setting(
        30,
        _whole(0, 43_200),
        "minutes, 0 to 43200 (30 days)",
        "How long the mail about a parcel waits for a tracking number before it is sent without one.",
    )
    smtp_host: str = _setting(
        "", _text, "a host name; empty: no mail is sent, all wait", "The mail server to send through."
    )
    smtp_port: int = _setting(587, _whole(1, 65_535), "a port number, 1 to 65535", "Its port.")
    smtp_security: Literal["none", "starttls", "tls"] = _setting(
        "starttls",
        _one_of("none", "starttls", "tls"),
        "none, starttls or tls",
        "How the connection is protected. `none` is for a server on this machine.",
    )
    smtp_username: str = _setting("", _text, "text; empty: no login", "Login at the mail server.")
    smtp_password: str = _setting("", _text, "text", "Password at the mail server.", secret=True)
    smtp_timeout_seconds: int = _setting(
        20, _whole(1, 600), "seconds, 1 to 600", "How long the mail server may take for one answer."
    )
    smtp_connections: int = _setting(
        4, _whole(1, 50), "a whole number, 1 to 50", "How many connections to the mail server one worker uses at once."
    )
    mail_from: str = _setting(
        "orders@localhost", _address, "an e-mail address", "The sender for shops that have none of their own."
    )
    metrics_token: str = _setting(
        "",
        _text,
        "text; empty: open to all who can reach the port",
        "Bearer token that /metrics asks for.",
        secret=True,
    )
    log_level: str = _setting(
        "info", _one_of("debug", "info", "warning", "error"), "debug, info, warning or error", "How much is logged."
    )

    def app_secrets_of(self, platform: str) -> tuple[str, ...]:
        """The secrets of the operator's app on a platform, newest first."""
        return _of(platform, self.app_secrets)

    def app(self, platform: str) -> App:
        """The operator's app on a platform; empty where there is none."""
        return App(next(iter(_of(platform, self.app_ids)), ""), self.app_secrets_of(platform))

    def places(self) -> dict[str, str]:
        """`routes` by host, as `adapters.http.Web` takes them."""
        return dict(entry.split("=", 1) for entry in self.routes)


def _of(platform: str, entries: tuple[str, ...]) -> tuple[str, ...]:
    pairs = (entry.partition(":") for entry in entries)
    return tuple(value for name, _, value in pairs if name == platform and value)


def load(environment: Mapping[str, str] | None = None, *, env_file: Path | None = Path(".env")) -> Settings:
    """Read settings from the environment, and below it from `.env`.

    Raises WrongSetting, naming the variable and what it accepts, for a value that cannot be used, for a variable with
    our prefix that is not a setting (a typing error would otherwise pass unnoticed), and for a file that is not there.
    """
    from_file = dotenv_values(env_file) if env_file and env_file.is_file() else {}
    given = {
        **{name: value or "" for name, value in from_file.items()},
        **(os.environ if environment is None else environment),
    }
    ours = {
        name: value for name, value in given.items() if name.startswith(PREFIX) and not name.startswith(TEST_PREFIX)
    }
    known = {variable(one.name) for one in fields(Settings)}
    for name in sorted(ours):
        if name.removesuffix("_FILE") not in known:
            raise WrongSetting(f"{name} is not a setting. Known are: {', '.join(sorted(known))}")
    values: dict[str, Any] = {one.name: _read(one.name, one.metadata, ours) for one in fields(Settings)}
    settings = Settings(**{name: value for name, value in values.items() if value is not None})
    if settings.address.startswith("http://") and not settings.plain_http:
        raise WrongSetting(
            f"CONNECTOR_ADDRESS is {settings.address!r}; accepted: {_ADDRESS_ACCEPTED}. For trying it out in your own "
            "network also http://, with CONNECTOR_PLAIN_HTTP=yes"
        )
    return settings


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


TEST_PREFIX = "CONNECTOR_TEST_"


def _read(name: str, metadata: Mapping[str, Any], given: Mapping[str, str]) -> object:
    text = _given(variable(name), given)
    if text is None:
        return None
    try:
        value: object = metadata["read"](text.strip())
    except ValueError as error:
        shown = "(not shown)" if metadata["secret"] else repr(text)
        raise WrongSetting(f"{variable(name)} is {shown}; accepted: {metadata['accepts']}") from error
    return value


def _given(name: str, given: Mapping[str, str]) -> str | None:
    path = given.get(f"{name}_FILE")
    if not path:
        return given.get(name) or None
    if given.get(name):
        raise WrongSetting(f"{name} and {name}_FILE are both set; keep one")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise WrongSetting(f"{name}_FILE names a file that cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise WrongSetting(f"{name}_FILE names a file that is not text in UTF-8") from None
