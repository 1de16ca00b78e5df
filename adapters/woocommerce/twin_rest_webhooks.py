"""Webhooks over the REST API of a stand-in WooCommerce shop (woocommerce reference, section 3.1)."""

from typing import cast
from urllib.parse import urlsplit

from adapters.twins import Answered
from adapters.woocommerce.twin_documents import ORDER_METHODS, Json
from adapters.woocommerce.twin_rest import EDIT, Call, Error, Route, fields, paged, reply
from adapters.woocommerce.twin_site import User
from adapters.woocommerce.twin_webhooks import STATUSES, Hookshot, Webhook

BAD_URL = "Webhook delivery URL must be a valid URL starting with http:// or https://."


class WebhookRoutes:
    """`/wc/v3/webhooks…`: no answer says the secret, the failures or whether a ping is still due."""

    def __init__(self, hookshot: Hookshot) -> None:
        self._hookshot = hookshot

    def routes(self) -> list[Route]:
        webhooks, one = "/wc/v3/webhooks", r"/wc/v3/webhooks/(?P<id>[\d]+)"
        return [
            Route(("GET",), webhooks, self.list),
            Route(("POST",), webhooks, self.create),
            Route(EDIT, f"{webhooks}/batch", self.batch),
            Route(("GET",), one, self.read),
            Route(EDIT, one, self.update),
            Route(("DELETE",), one, self.delete),
        ]

    def list(self, call: Call) -> Answered:
        status = call.choice("status", "all", ("all", *STATUSES))
        oldest_first = call.choice("order", "desc", ("asc", "desc")) == "asc"
        call.integer("per_page", 10, 1, 100)
        call.checked()
        call.may("woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
        found = [webhook for webhook in self._hookshot.webhooks.values() if status in ("all", webhook.status)]
        found.sort(key=lambda webhook: webhook.created, reverse=not oldest_first)
        return paged(call, found, lambda webhook: _document(call, cast("Webhook", webhook)))

    def read(self, call: Call) -> Answered:
        call.may("woocommerce_rest_cannot_view", "Sorry, you cannot view this resource.")
        return reply(fields(call, [_document(call, self._webhook(call, "ID is invalid.", 400))])[0])

    def create(self, call: Call) -> Answered:
        call.may("woocommerce_rest_cannot_create", "Sorry, you are not allowed to create resources.")
        document = self._create(call)
        return reply(document, 201, {"Location": f"{call.writer.api}/wc/v3/webhooks/{document['id']}"})

    def update(self, call: Call) -> Answered:
        call.may("woocommerce_rest_cannot_edit", "Sorry, you are not allowed to edit this resource.")
        return reply(self._update(call))

    def delete(self, call: Call) -> Answered:
        call.may("woocommerce_rest_cannot_delete", "Sorry, you are not allowed to delete this resource.")
        return reply(self._delete(call, force=call.flag("force")))

    def batch(self, call: Call) -> Answered:
        words = "Sorry, you are not allowed to batch manipulate this resource."
        call.may("woocommerce_rest_cannot_batch", words)
        answers: Json = {}
        for name in ("create", "update", "delete"):
            items = call.get(name)
            if isinstance(items, list) and items:
                answers[name] = [self._tried(call, name, item) for item in items]
        return reply(answers)

    def _tried(self, call: Call, name: str, item: object) -> Json:
        body = item if isinstance(item, dict) else {"id": item}
        one = Call(
            call.site, call.method, call.route, {}, body, call.user, {"id": str(body.get("id", 0))}, call.to_ping
        )
        try:
            if name == "create":
                return self._create(one)
            return self._update(one) if name == "update" else self._delete(one, force=True)
        except Error as error:
            return {"id": int(one.parts["id"]), "error": error.document}

    def _create(self, call: Call) -> Json:
        topic = call.text("topic")
        if not self._hookshot.is_valid_topic(topic.lower()):
            words = "Webhook topic is required and must be valid."
            raise Error("woocommerce_rest_shop_webhook_invalid_topic", words, 400)
        _check_url(call.text("delivery_url"))
        webhook = self._hookshot.create(
            name=call.text("name"),
            topic=topic,
            url=call.text("delivery_url"),
            secret=call.text("secret"),
            user=cast("User", call.user),
        )
        call.to_ping.append(webhook)
        return _document(call, webhook)

    def _update(self, call: Call) -> Json:
        webhook = self._webhook(call, "ID is invalid.", 400)
        topic, url, status = call.text("topic"), call.text("delivery_url"), call.text("status")
        if topic and not self._hookshot.is_valid_topic(topic.lower()):
            raise Error("woocommerce_rest_shop_webhook_invalid_topic", "Webhook topic must be valid.", 400)
        if url:
            _check_url(url)
        if status and status.lower() not in STATUSES:
            raise Error("woocommerce_rest_shop_webhook_invalid_status", "Webhook status must be valid.", 400)
        moved = bool(url) and url != webhook.delivery_url
        webhook.topic = (topic if self._hookshot.is_valid_topic(topic) else "") if topic else webhook.topic
        webhook.delivery_url = url or webhook.delivery_url
        webhook.secret = call.text("secret") or webhook.secret
        # A status in capitals passes the check and is then taken for none.
        webhook.status = (status if status in STATUSES else "disabled") if status else webhook.status
        webhook.name = call.text("name") or webhook.name
        webhook.modified = call.site.now()
        if webhook.status == "active" and (moved or webhook.pending_delivery):
            call.to_ping.append(webhook)
        return _document(call, webhook)

    def _delete(self, call: Call, *, force: bool) -> Json:
        if not force:
            raise Error("woocommerce_rest_trash_not_supported", "Webhooks do not support trashing.", 501)
        webhook = self._webhook(call, "Invalid ID.", 404)
        del self._hookshot.webhooks[webhook.webhook_id]
        return _document(call, webhook)

    def _webhook(self, call: Call, words: str, status: int) -> Webhook:
        webhook = self._hookshot.webhooks.get(call.number("id"))
        if webhook is None:
            raise Error("woocommerce_rest_shop_webhook_invalid_id", words, status)
        return webhook


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in url
    except ValueError:
        good = False
    if not good:
        raise Error("woocommerce_rest_shop_webhook_invalid_delivery_url", BAD_URL, 400)


def _document(call: Call, webhook: Webhook) -> Json:
    return {
        "id": webhook.webhook_id,
        "name": webhook.name,
        "status": webhook.status,
        "topic": webhook.topic,
        "resource": webhook.resource,
        "event": webhook.event,
        "hooks": list(webhook.hooks),
        "delivery_url": webhook.delivery_url,
        "date_created": call.site.local(webhook.created),
        "date_created_gmt": call.site.gmt(webhook.created),
        "date_modified": call.site.local(webhook.modified),
        "date_modified_gmt": call.site.gmt(webhook.modified),
        "_links": call.writer.links(f"webhooks/{webhook.webhook_id}", ORDER_METHODS),
    }
