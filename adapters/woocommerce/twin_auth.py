"""Where the merchant of a stand-in WooCommerce shop gives a key away (woocommerce reference, section 1)."""

import hmac
import html
import math
import re
from collections.abc import Mapping
from urllib.parse import quote, quote_plus, unquote_plus, urlencode, urlsplit

from adapters.twins import Answered
from adapters.woocommerce.twin_documents import encode
from adapters.woocommerce.twin_outgoing import Headers, Outgoing
from adapters.woocommerce.twin_site import Key, Site, User

PARAMETERS = ("app_name", "user_id", "return_url", "callback_url", "scope")
SCOPES = {"read": "Read", "write": "Write", "read_write": "Read/Write"}
NONCE_SECONDS = 12 * 3600
NOT_SENT = "An error occurred in the request and at the time were unable to send the consumer data"


class Denied(Exception):
    """A page that says no; the words are WooCommerce's."""


class AuthPages:
    """`/wc-auth/v1/…`. No call leaves while the site's lock is held."""

    def __init__(self, site: Site, outgoing: Outgoing) -> None:
        self._site = site
        self._outgoing = outgoing

    def answer(self, route: str, query: Mapping[str, object], user: User | None) -> Answered:
        """`user`: who is logged in."""
        made: Key | None = None
        try:
            data = _validated(query)
            if route.lower() == "login" and user is None:
                return _page(200, f'<form method="post" action="/wp-login.php">{html.escape(data["app_name"])}</form>')
            if route.lower() == "login":
                return _redirect(self._url("authorize", data))
            if route.lower() == "authorize" and user is None:
                return _redirect(self._url("login", data))
            if route.lower() == "authorize" and user and user.manages:
                return self._grant_page(data)
            if route.lower() == "access_granted" and user and user.manages:
                if query.get("wc_auth_nonce") not in (self._nonce(), self._nonce(-1)):
                    raise Denied("Invalid nonce verification")
                made = self._make_key(data, user)
                self._post(made, data)
                return _redirect(_with_answer(data, success=1))
            raise Denied("You do not have permission to access this page")
        except Denied as error:
            if made is not None:
                self._site.keys.remove(made)
            return _page(401, f"<p>Error: {html.escape(str(error))}.</p>")

    def _grant_page(self, data: Mapping[str, str]) -> Answered:
        granted = self._url("access_granted", data) + f"&wc_auth_nonce={self._nonce()}"
        denied = _denied(data)
        return _page(
            200,
            f"<h1>{html.escape(data['app_name'])} would like to connect to your store</h1>"
            f"<p>This will give it <strong>{SCOPES[data['scope']]}</strong> access.</p>"
            f'<a href="{html.escape(granted)}" class="wc-auth-approve">Approve</a>'
            f'<a href="{html.escape(denied)}" class="wc-auth-deny">Deny</a>',
        )

    def _make_key(self, data: Mapping[str, str], user: User) -> Key:
        with self._site.lock:
            number = self._site.next("key")
            made = Key(
                key_id=number,
                user=user,
                description=f"{data['app_name'][:170]} - API ({self._site.now():%Y-%m-%d %H:%M:%S})",
                permissions=data["scope"],
                consumer_key=f"ck_{self._site.token('key', number, length=40)}",
                consumer_secret=f"cs_{self._site.token('secret', number, length=40)}",
            )
            self._site.keys.append(made)
        return made

    def _post(self, made: Key, data: Mapping[str, str]) -> None:
        """The keys leave in this very request; anything but exactly 200 takes them back. Raises Denied."""
        body = encode(
            {
                "key_id": made.key_id,
                "user_id": data["user_id"],
                "consumer_key": made.consumer_key,
                "consumer_secret": made.consumer_secret,
                "key_permissions": made.permissions,
            }
        )
        headers: Headers = (
            ("User-Agent", f"WordPress/{self._site.wordpress}; {self._site.home}"),
            ("Accept", "*/*"),
            ("Accept-Encoding", "deflate, gzip, br, zstd"),
            ("Content-Type", "application/json;charset=UTF-8"),
            ("Connection", "close"),
            ("Content-Length", str(len(body))),
        )
        url = _formatted(data["callback_url"])
        if not self._outgoing.may_call(url):
            raise Denied("A valid URL was not provided.")
        answer = self._outgoing.post_following(url, headers, body, timeout=self._site.delivery_timeout)
        if answer is None:
            raise Denied(f"cURL error 7: Failed to connect to {urlsplit(url).hostname}")
        if answer.status != 200:
            raise Denied(NOT_SENT)

    def _url(self, route: str, data: Mapping[str, str]) -> str:
        return f"{self._site.home}/wc-auth/v1/{route}/?{urlencode({name: data[name] for name in PARAMETERS})}"

    def _nonce(self, earlier: int = 0) -> str:
        """Good for 12 to 24 hours, and as often as somebody clicks."""
        tick = math.ceil(self._site.now().timestamp() / NONCE_SECONDS) + earlier
        return hmac.new(self._site.token("nonce salt").encode(), str(tick).encode(), "md5").hexdigest()[-12:-2]


def _validated(query: Mapping[str, object]) -> dict[str, str]:
    """All five are there, as PHP sees them: "0" is not. Raises Denied."""
    data: dict[str, str] = {}
    for name in PARAMETERS:
        value = query.get(name)
        if not isinstance(value, str) or value in ("", "0"):
            raise Denied(f"Missing parameter {name}")
        data[name] = value
    if data["scope"] not in SCOPES:
        raise Denied(f"Invalid scope {data['scope']}")
    for name in ("return_url", "callback_url"):
        url = _formatted(data[name])
        if not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9+.-]*://[^\s/?#]+[^\s]*", url):
            raise Denied(f"The {url} is not a valid URL")
    if not _formatted(data["callback_url"]).lower().startswith("https://"):
        raise Denied("The callback_url needs to be over SSL")
    return data


def _formatted(url: str) -> str:
    """Decoded once more than the query was, and https where no scheme is named."""
    decoded = unquote_plus(url)
    return decoded if "://" in decoded else f"https://{decoded}"


def _with_answer(data: Mapping[str, str], *, success: int) -> str:
    """The return address; the nonce goes back as it came, not encoded, and whitespace is lost (section 0.17)."""
    url = _formatted(data["return_url"])
    user = " ".join(re.sub(r"%[0-9a-fA-F]{2}", "", data["user_id"]).split())
    raw = quote(user, safe="!*'();:@&=+$,/?#[]~-._")
    return f"{url}{'&' if '?' in url else '?'}success={success}&user_id={raw}"


def _denied(data: Mapping[str, str]) -> str:
    url = _formatted(data["return_url"])
    user = quote_plus(data["user_id"], safe=":=/+")
    return f"{url}{'&' if '?' in url else '?'}success=0&user_id={user}"


def _redirect(url: str) -> Answered:
    return Answered(302, b"", {"Location": url}, "text/html; charset=UTF-8")


def _page(status: int, content: str) -> Answered:
    whole = f"<!DOCTYPE html><html><body>{content}</body></html>"
    return Answered(status, whole.encode(), {}, "text/html; charset=UTF-8")
