"""The webhooks of a stand-in WooCommerce shop: topics, the queue, delivery, the failure counter and the ping."""

import base64
import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from adapters.twins import Faults
from adapters.woocommerce.twin_desk import Desk
from adapters.woocommerce.twin_documents import Json, Writer, encode
from adapters.woocommerce.twin_outgoing import Headers, Outgoing
from adapters.woocommerce.twin_site import Site, User

HOOKS = {
    "order.created": ("woocommerce_new_order",),
    "order.updated": ("woocommerce_update_order", "woocommerce_order_refunded"),
    "order.deleted": ("wp_trash_post", "woocommerce_trash_order"),
    "order.restored": ("untrashed_post", "woocommerce_untrash_order"),
}
RESOURCES = ("coupon", "customer", "order", "product")
EVENTS = ("created", "updated", "deleted", "restored")
STATUSES = ("active", "paused", "disabled")
PING_SECONDS = 5.0
MOST_FAILURES = 5
"""More than so many in a row, and the next one disables: the seventh does (woocommerce reference, section 0.3)."""
CRON_EVERY = timedelta(seconds=60)

_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "038": "&", "060": "<", "062": ">", "034": '"', "039": "'"}


@dataclass(slots=True)
class Webhook:
    webhook_id: int
    name: str
    topic: str
    """Empty: a ghost that never fires."""
    delivery_url: str
    secret: str = field(repr=False)
    user: User
    created: datetime
    modified: datetime | None = None
    status: str = "active"
    failure_count: int = 0
    pending_delivery: bool = True

    @property
    def resource(self) -> str:
        return self.topic.partition(".")[0]

    @property
    def event(self) -> str:
        return self.topic.partition(".")[2].partition(".")[0]

    @property
    def hooks(self) -> tuple[str, ...]:
        return (self.event,) if self.resource == "action" else HOOKS.get(self.topic, ())


@dataclass(slots=True)
class Queued:
    """A delivery that waits; what it says is made when it leaves."""

    webhook_id: int
    argument: object
    awake: bool = False
    """Whether a visit has come by since."""


class Hookshot:
    """All webhooks of a shop. No call leaves while the site's lock is held."""

    def __init__(self, site: Site, outgoing: Outgoing, faults: Faults) -> None:
        self.webhooks: dict[int, Webhook] = {}
        self.queue: list[Queued] = []
        self.desk: Desk
        """Set once by the twin: the desk tells us of hooks, and we read its orders."""
        self._site = site
        self._outgoing = outgoing
        self._faults = faults
        self._ran: datetime | None = None
        self._sent = 0

    # -- what happens

    def hook(self, name: str, argument: object) -> None:
        """A hook was called: every active webhook on it gets one delivery into the queue, unless one waits already."""
        for webhook in self.webhooks.values():
            if webhook.status != "active" or name not in webhook.hooks or self._is_a_draft(webhook, argument):
                continue
            waiting = any(q.webhook_id == webhook.webhook_id and q.argument == argument for q in self.queue)
            if not waiting:
                self.queue.append(Queued(webhook.webhook_id, argument))

    def visited(self) -> None:
        """Somebody asked the site for something: at most once a minute that wakes what is already in the queue."""
        now = self._site.now()
        with self._site.lock:
            if self._ran is not None and now - self._ran < CRON_EVERY:
                return
            self._ran = now
            for queued in self.queue:
                queued.awake = True

    def deliver(self) -> int:
        """Run the queue as far as it is awake, one after the other; returns how many were answered 2xx."""
        with self._site.lock:
            clockwork = self._site.cron == "system"
            due = [queued for queued in self.queue if clockwork or queued.awake]
            self.queue = [queued for queued in self.queue if not (clockwork or queued.awake)]
        if self._faults.reorder:
            due.reverse()
        return sum(self._deliver(queued) for queued in due)

    # -- the merchant's and the API's side

    def create(self, *, name: str, topic: str, url: str, secret: str, user: User) -> Webhook:
        """`topic` as it was sent: one that is valid only in small letters becomes a ghost (section 3.1)."""
        number = self._site.next("webhook")
        webhook = Webhook(
            webhook_id=number,
            name=name or f"Webhook created on {self._site.now():%b %d, %Y @ %I:%M %p}",
            topic=topic if self.is_valid_topic(topic) else "",
            delivery_url=url,
            secret=secret or self._site.token("webhook secret", number, length=50),
            user=user,
            created=self._site.now(),
        )
        self.webhooks[number] = webhook
        return webhook

    def is_valid_topic(self, topic: str) -> bool:
        """Custom actions are never checked; before 10.9 neither was whether a pair has a hook (section 3.1)."""
        resource, _, event = topic.partition(".")
        if topic.startswith(("action.woocommerce_", "action.wc_")):
            return True
        if resource not in RESOURCES:
            return False
        published = event == "published" and (resource == "product" or not self._site.at_least("10.9"))
        return event in EVENTS or published

    def ping(self, webhook: Webhook) -> None:
        """Unsigned and form-encoded; only exactly 200 counts. Not called while the lock is held."""
        if self._faults.silent:
            return
        body = f"webhook_id={webhook.webhook_id}".encode()
        headers: Headers = (
            *self._greeting(webhook),
            ("Connection", "close"),
            ("Content-Length", str(len(body))),
            ("Content-Type", "application/x-www-form-urlencoded"),
        )
        answer = self._outgoing.send("POST", webhook.delivery_url, headers, body, timeout=PING_SECONDS)
        if answer is not None and answer.status == 200:
            webhook.pending_delivery = False
            webhook.modified = self._site.now()

    # -- inside

    def _is_a_draft(self, webhook: Webhook, argument: object) -> bool:
        """Standard drafts fire nothing; a checkout's drafts do (section 0.11)."""
        order = self.desk.orders.get(argument) if isinstance(argument, int) else None
        return webhook.resource == "order" and order is not None and order.status in ("draft", "auto-draft", "new")

    def _deliver(self, queued: Queued) -> int:
        with self._site.lock:
            webhook = self.webhooks.get(queued.webhook_id)
            if webhook is None or self._is_lost():
                return 0
            body = encode(self._payload(webhook, queued.argument))
            headers = self._headers(webhook, body)
        times = 2 if self._faults.duplicate else 1
        return sum(self._post(webhook, headers, body) for _ in range(times))

    def _post(self, webhook: Webhook, headers: Headers, body: bytes) -> int:
        timeout = self._site.delivery_timeout
        answer = self._outgoing.send("POST", webhook.delivery_url, headers, body, timeout=timeout)
        status = answer.status if answer else 0
        with self._site.lock:
            self._count(webhook, status)
            webhook.modified = self._site.now()
            ping_again = webhook.status == "active" and webhook.pending_delivery
        if ping_again:  # every save of one that was never answered exactly 200 (section 0.4)
            self.ping(webhook)
        return int(200 <= status < 300)

    def _count(self, webhook: Webhook, status: int) -> None:
        """2xx and 300 to 302 pass, though nothing is followed (section 0.6); there is no second try (0.2)."""
        if 200 <= status < 303:
            webhook.failure_count = 0
        elif webhook.failure_count > MOST_FAILURES:
            webhook.status = "disabled"
        else:
            webhook.failure_count += 1

    def _is_lost(self) -> bool:
        self._sent += 1
        every = self._faults.lose_every
        return self._faults.silent or (every > 0 and self._sent % every == 0)

    def _payload(self, webhook: Webhook, argument: object) -> Json:
        """What is true now, with the rights of whoever made the webhook (sections 0.9, 0.12)."""
        if webhook.resource == "action":
            return {"action": webhook.event, "arg": argument}
        if webhook.event == "deleted":
            return {"id": argument}
        order = self.desk.orders.get(argument) if isinstance(argument, int) else None
        if not (webhook.user.manages and webhook.user.there):
            status = 403 if webhook.user.there else 401
            return _error("woocommerce_rest_cannot_view", "Sorry, you cannot view this resource.", status)
        if order is None:
            return _error("woocommerce_rest_shop_order_invalid_id", "Invalid ID.", 404)
        return Writer(self._site, self._source).order(order)

    @property
    def _source(self) -> str:
        return f"{self._site.cron_scheme}://{self._site.host}{self._site.path}"

    def _greeting(self, webhook: Webhook) -> Headers:
        return (
            ("Host", urlsplit(webhook.delivery_url).netloc),
            ("User-Agent", f"WooCommerce/{self._site.version} Hookshot (WordPress/{self._site.wordpress})"),
            ("Accept", "*/*"),
            ("Accept-Encoding", "deflate, gzip, br, zstd"),
        )

    def _headers(self, webhook: Webhook, body: bytes) -> Headers:
        """Names and order as they were seen (section 3.3)."""
        seconds = int(self._site.now().timestamp())
        salt = self._site.token("salt").encode()
        delivery = hmac.new(salt, f"{webhook.webhook_id}{seconds}".encode(), "md5").hexdigest()
        return (
            *self._greeting(webhook),
            ("Content-Type", "application/json"),
            ("X-WC-Webhook-Source", f"{self._source}/"),
            ("X-WC-Webhook-Topic", webhook.topic),
            ("X-WC-Webhook-Resource", webhook.resource),
            ("X-WC-Webhook-Event", webhook.event),
            ("X-WC-Webhook-Signature", signature(webhook.secret, body)),
            ("X-WC-Webhook-ID", str(webhook.webhook_id)),
            ("X-WC-Webhook-Delivery-ID", delivery),
            ("Connection", "close"),
            ("Content-Length", str(len(body))),
        )


def signature(secret: str, body: bytes) -> str:
    """Base64 of HMAC-SHA256; HTML entities in the secret are decoded first, once (section 0.8)."""
    key = re.sub(r"&(?:#0*(38|60|62|34|39)|(amp|lt|gt|quot));", _entity, secret)
    return base64.b64encode(hmac.digest(key.encode(), body, "sha256")).decode()


def _entity(match: re.Match[str]) -> str:
    return _ENTITIES[match[2] or f"0{match[1]}"]


def _error(code: str, message: str, status: int) -> Json:
    return {"code": code, "message": message, "data": {"status": status}}
