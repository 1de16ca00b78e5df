"""The REST API of a stand-in WooCommerce shop: who may ask, how parameters are checked, and what errors look like."""

import base64
import binascii
import hmac
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl, urlencode

from adapters.twins import Answered, Asked
from adapters.woocommerce.twin_documents import Json, Writer, encode
from adapters.woocommerce.twin_oauth import Unsigned, signed_key
from adapters.woocommerce.twin_site import Key, Site, User
from adapters.woocommerce.twin_webhooks import Webhook

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d(?::\d\d)?)?")
"""What WordPress takes for a moment: no date alone, no number."""


class Error(Exception):
    """An answer of the API that is an error; `data` is the status in an object unless WooCommerce says otherwise."""

    def __init__(
        self,
        code: str | int,
        message: str,
        status: int,
        *,
        data: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.document: Json = {"code": code, "message": message, "data": {"status": status} if data is None else data}


@dataclass(slots=True)
class Call:
    """One request to the API, read."""

    site: Site
    method: str
    route: str
    """`/wc/v3/orders`."""
    query: dict[str, object]
    body: Json
    user: User | None = None
    parts: dict[str, str] = field(default_factory=dict)
    """What the route's pattern caught."""
    to_ping: list[Webhook] = field(default_factory=list)
    """Webhooks to be called before the answer leaves."""
    _wrong: dict[str, tuple[str, str, object]] = field(default_factory=dict)

    @property
    def writer(self) -> Writer:
        return Writer(self.site, self.site.home, self.integer("dp", None, 0, None))

    def number(self, name: str) -> int:
        """A number the pattern caught."""
        return int(self.parts[name])

    def get(self, name: str) -> object:
        """As WordPress looks: the body first, then the query; None when it is not there."""
        return self.body[name] if name in self.body else self.query.get(name)

    def text(self, name: str) -> str:
        value = self.get(name)
        return "" if value is None else str(value)

    def flag(self, name: str) -> bool:
        value = self.get(name)
        return value.lower() not in ("false", "0", "") if isinstance(value, str) else bool(value)

    def integer(self, name: str, default: int | None, least: int, most: int | None) -> int | None:
        value = self.get(name)
        if value is None:
            return default
        if not re.fullmatch(r"-?\d+", str(value)):
            self.refuse(name, "rest_invalid_type", f"{name} is not of type integer.", {"param": name})
            return default
        number = int(str(value))
        if most is None and number < least:
            self.refuse(name, "rest_out_of_bounds", f"{name} must be greater than or equal to {least}")
        if most is not None and not least <= number <= most:
            between = f"{name} must be between {least} (inclusive) and {most} (inclusive)"
            self.refuse(name, "rest_out_of_bounds", between)
        return number

    def choice(self, name: str, default: str, allowed: Sequence[str]) -> str:
        value = self.get(name)
        if value is None:
            return default
        if value not in allowed:
            self.refuse(name, "rest_not_in_enum", f"{name} is not one of {listed(allowed)}.")
        return str(value)

    def choices(self, name: str, default: str, allowed: Sequence[str]) -> list[str]:
        found = self.listed(name) or [default]
        for place, value in enumerate(found):
            if value not in allowed:
                self.refuse(name, "rest_not_in_enum", f"{name}[{place}] is not one of {listed(allowed)}.")
        return found

    def listed(self, name: str) -> list[str]:
        """A list, or one text with commas."""
        value = self.get(name)
        if value is None:
            return []
        return (
            [str(one) for one in value]
            if isinstance(value, list)
            else [p for p in re.split(r"[\s,]+", str(value)) if p]
        )

    def moment(self, name: str) -> datetime | None:
        """A moment as written: aware only when it said its zone."""
        value = self.get(name)
        if value is None:
            return None
        try:
            if not _MOMENT.fullmatch(str(value)):
                raise ValueError
            return datetime.fromisoformat(str(value).upper()).replace(microsecond=0)
        except ValueError:
            self.refuse(name, "rest_invalid_date", "Invalid date.")
            return None

    def typed(self, name: str, kind: type, word: str) -> None:
        """Refuse a body's field of another type; absent is fine."""
        value = self.get(name)
        if value is not None and not isinstance(value, kind):
            self.refuse(name, "rest_invalid_type", f"{name} is not of type {word}.", {"param": name})

    def required(self, *names: str) -> None:
        """Raises Error for parameters that are not there."""
        missing = [name for name in names if self.get(name) is None]
        if missing:
            words = f"Missing parameter(s): {', '.join(missing)}"
            raise Error("rest_missing_callback_param", words, 400, data={"status": 400, "params": missing})

    def refuse(self, name: str, code: str, message: str, data: object = None) -> None:
        self._wrong[name] = (code, message, data)

    def checked(self) -> None:
        """Raises Error for all parameters that were refused so far, in one answer."""
        if not self._wrong:
            return
        details = {
            name: {"code": code, "message": message, "data": data}
            for name, (code, message, data) in self._wrong.items()
        }
        params = {name: message for name, (_, message, _) in self._wrong.items()}
        words = f"Invalid parameter(s): {', '.join(params)}"
        raise Error("rest_invalid_param", words, 400, data={"status": 400, "params": params, "details": details})

    def may(self, code: str, message: str) -> None:
        """Raises Error unless whoever asks manages the shop; to know somebody makes it 403 (section 2)."""
        if self.user is None or not self.user.manages:
            raise Error(code, message, 403 if self.user else 401)


Handler = Callable[[Call], Answered]


@dataclass(frozen=True, slots=True)
class Route:
    """A path of the API, as WordPress lists it, and what answers there."""

    methods: tuple[str, ...]
    pattern: str
    handler: Handler
    only: Callable[[Site], bool] = lambda _site: True
    """Whether this shop has it."""


EDIT = ("POST", "PUT", "PATCH")
NO_ROUTE = "No route was found matching the URL and request method."


class Api:
    """Finds the route, after finding out who asks."""

    def __init__(self, site: Site, routes: Sequence[Route]) -> None:
        self._site = site
        self.routes = routes
        self._compiled = [(route, re.compile(route.pattern)) for route in routes]

    def call(self, asked: Asked, route: str) -> Call:
        """Read a request. Raises Error for a body that is no JSON and for keys that do not fit."""
        call = Call(self._site, asked.method, route, php_query(asked.query), {})
        key = self._key(asked, call)
        call.user = key.user if key and key.user.there else None
        self._check_permissions(key, asked.method)
        call.body = _body(asked)
        return call

    def answer(self, call: Call) -> Answered:
        """What the API says; the site's lock is held. Raises Error."""
        method = "GET" if call.method == "HEAD" else call.method
        for route, pattern in self._compiled:
            found = pattern.fullmatch(call.route) if method in route.methods and route.only(self._site) else None
            if found:
                call.parts = found.groupdict()
                return route.handler(call)
        raise Error("rest_no_route", NO_ROUTE, 404)

    def _key(self, asked: Asked, call: Call) -> Key | None:
        """A key shown or signed with; http, or what PHP takes for it, knows signatures alone (section 2)."""
        if not re.match(r"/wc[/-]", call.route) or not self._site.rest_prefix:
            return None
        try:
            shown = self._shown_key(asked, call) if self._site.is_ssl else None
            return shown or signed_key(self._site, asked, call.query)
        except Unsigned as unsigned:
            raise Error(unsigned.code, str(unsigned), 401) from None

    def _shown_key(self, asked: Asked, call: Call) -> Key | None:
        """Query parameters win over the header."""
        name, secret = (str(call.query.get(part, "")) for part in ("consumer_key", "consumer_secret"))
        if not (name and secret):
            name, secret = (
                ("", "") if self._site.strips_authorization else basic(asked.headers.get("authorization", ""))
            )
        key = next((key for key in self._site.keys if key.consumer_key == name), None)
        if key is not None and not hmac.compare_digest(key.consumer_secret.encode(), secret.encode()):
            realm = (
                "WooCommerce API. Use a consumer key in the username field and a consumer secret in the password field."
            )
            headers = {"WWW-Authenticate": f'Basic realm="{realm}"'}
            raise Error("woocommerce_rest_authentication_error", "Consumer secret is invalid.", 401, headers=headers)
        return key if secret else None

    def _check_permissions(self, key: Key | None, method: str) -> None:
        if key is None:
            return
        right = "read" if method in ("GET", "HEAD") else "write"
        if right not in key.permissions:
            words = f"The API key provided does not have {right} permissions."
            raise Error("woocommerce_rest_authentication_error", words, 401)


def reply(document: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answered:
    return Answered(status, encode(document), dict(headers or {}))


def paged(call: Call, found: Sequence[object], write: Callable[[object], Json]) -> Answered:
    """One page of a list, with the headers that tell of the others; past the end an empty one (section 6)."""
    page, size = call.integer("page", 1, 1, None) or 1, call.integer("per_page", 10, 1, 100) or 10
    call.checked()
    offset = call.integer("offset", None, 0, None)
    begin = offset if offset is not None else (page - 1) * size
    pages = -(-len(found) // size)
    headers = {"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(pages)}
    links = [f'<{_page_url(call, min(page - 1, pages))}>; rel="prev"'] if page > 1 else []
    links += [f'<{_page_url(call, page + 1)}>; rel="next"'] if pages > page else []
    if links:
        headers["Link"] = ", ".join(links)
    return reply(fields(call, [write(one) for one in found[begin : begin + size]]), headers=headers)


def fields(call: Call, documents: list[Json]) -> list[Json]:
    """`_fields` trims; parts of an object are named with a point."""
    wanted = call.listed("_fields")
    return [_trimmed(document, wanted) for document in documents] if wanted else documents


def _trimmed(document: Json, wanted: Iterable[str]) -> Json:
    trimmed: Json = {}
    for name in wanted:
        first, _, rest = name.partition(".")
        value = document.get(first)
        if first not in document:
            continue
        if rest and isinstance(value, dict):
            part = trimmed.setdefault(first, {})
            if isinstance(part, dict):
                part |= _trimmed(value, [rest])
        else:
            trimmed[first] = value
    return {name: trimmed[name] for name in document if name in trimmed}


def _page_url(call: Call, page: int) -> str:
    pairs = [(name, value) for name, value in call.query.items() if name != "page"]
    query = urlencode([*pairs, ("page", page)], doseq=True)
    return f"{call.site.home}/{call.site.rest_prefix}{call.route}?{query}"


def listed(words: Sequence[str]) -> str:
    """As WordPress joins words for people."""
    if len(words) < 3:
        return " and ".join(words)
    return f"{', '.join(words[:-1])}, and {words[-1]}"


def basic(header: str) -> tuple[str, str]:
    """(name, password) of an Authorization header; empty when it is none."""
    scheme, _, coded = header.partition(" ")
    try:
        text = base64.b64decode(coded.strip()).decode() if scheme.lower() == "basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    name, _, password = text.partition(":")
    return name, password


def php_query(raw: str) -> dict[str, object]:
    """As PHP reads a query: `a[]` and `a[0]` are lists, the last of two `a` wins."""
    read: dict[str, object] = {}
    for name, value in parse_qsl(raw, keep_blank_values=True):
        plain, bracket, _ = name.partition("[")
        if not bracket:
            read[plain] = value
            continue
        several = read.setdefault(plain, [])
        if isinstance(several, list):
            several.append(value)
    return read


def _body(asked: Asked) -> Json:
    kind = asked.headers.get("content-type", "")
    if "application/x-www-form-urlencoded" in kind:
        return php_query(asked.body.decode("utf-8", "replace"))
    if "json" not in kind or not asked.body:
        return {}
    try:
        read = json.loads(asked.body)
    except (ValueError, RecursionError):
        data = {"status": 400, "json_error_code": 4, "json_error_message": "Syntax error"}
        raise Error("rest_invalid_json", "Invalid JSON body passed.", 400, data=data) from None
    return read if isinstance(read, dict) else {}
