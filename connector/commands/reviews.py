"""`connector review`: messages only a person can decide about."""

import argparse

from connector.app import build_service
from connector.commands.parsing import Commands, add, group
from connector.domain.errors import ConnectorError
from connector.settings import load
from notifications import history
from notifications.outbox import OutboxState


def register(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    review = group(commands, "review", "messages a person must decide about")
    add(review, "list", "list what may or may not have arrived, and what was refused", _list)
    decision = add(review, "decide", "say what happens to one of them", _decide)
    decision.add_argument("shop", help="the shop's id")
    decision.add_argument("message", help="the message's id, as listed")
    decision.add_argument(
        "decision", choices=("again", "sent"), help="send it (again), or: it is known to have arrived"
    )


def _list(_: argparse.Namespace) -> int:
    service = build_service(load())
    with service.database.read() as connection:
        found = history.needing_decision(connection, limit=200)
    for said in found:
        about = said.notification
        print(f"{about.shop_id}  {said.intent_id}  order {about.order_id}  {about.kind}  {said.state.value}")
        print(f"    {said.outcome}")
    if not found:
        print("Nothing waits for a decision.")
    return 0


def _decide(parsed: argparse.Namespace) -> int:
    service = build_service(load())
    after = OutboxState.PENDING if parsed.decision == "again" else OutboxState.SENT
    with service.database.write() as connection:
        said = history.find(connection, parsed.shop, parsed.message)
        if said is None:
            raise ConnectorError("there is no such message; see `connector review list`")
        try:
            done = history.decide(connection, said, after, service.clock.now())
        except ValueError as error:
            raise ConnectorError(f"{error}; see `connector review list`") from error
    print("done" if done else "it has moved on meanwhile")
    return 0 if done else 1
