"""What may be asked of the bot beside Slack: runs, schedules, tokens, the log's head, the story.

An order is the same whether the command carries it out itself or hands it to the process
that serves; only then does it cross the Unix socket of `holder`, as one line of JSON.
"""

from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, TypeAdapter, ValidationError

from bot import token_orders
from bot.core import Core
from bot.order_form import OrderForm
from bot.schedule_orders import (
    ChangeScheduleOrder,
    ScheduleOrder,
    change_by_order,
    set_by_order,
)
from bot.token_orders import RevokeOrder, TokenOrder
from storage.heads import show_head
from workflows.entry import Json, RunId
from workflows.errors import InterlockError
from workflows.orders import Start
from workflows.people import PersonId


class OrderError(InterlockError):
    """An order cannot be read, or its answer cannot."""


class RunOrder(OrderForm):
    """Start a run of `workflow`. The same `key` twice is one run."""

    do: Literal["run"] = "run"
    workflow: str = Field(max_length=200)
    inputs: dict[str, str]
    key: str | None = Field(default=None, max_length=200)
    channel: str = Field(default="", max_length=200)


class CancelOrder(OrderForm):
    """Cancel a run."""

    do: Literal["cancel"] = "cancel"
    run: str = Field(max_length=64)
    reason: str = Field(max_length=3000)


class HeadOrder(OrderForm):
    """Give out the newest signed head, and remember that it left the process."""

    do: Literal["head"] = "head"


class DigestOrder(OrderForm):
    """Tell what happened: since a moment, or, to be posted, since the last digest."""

    do: Literal["digest"] = "digest"
    since: datetime | None = None
    post: bool = False


AnyOrder: TypeAlias = (
    RunOrder
    | CancelOrder
    | HeadOrder
    | DigestOrder
    | ScheduleOrder
    | ChangeScheduleOrder
    | TokenOrder
    | RevokeOrder
)
_ORDER: TypeAdapter[AnyOrder] = TypeAdapter(Annotated[AnyOrder, Field(discriminator="do")])


def read_order(line: bytes) -> AnyOrder:
    """Return the order that `line` writes.

    Raises:
        OrderError: it writes none.
    """
    try:
        return _ORDER.validate_json(line)
    except ValidationError as error:
        raise OrderError(
            "The order could not be read.", hint="Use the same release for both processes."
        ) from error


def carry_out(core: Core, order: AnyOrder, *, person: PersonId) -> Mapping[str, Json]:
    """Do what `order` says in the name of `person` and return the answer.

    Raises:
        InterlockError: it is refused.
    """
    if isinstance(order, RunOrder):
        return _run(core, order, person)
    if isinstance(order, CancelOrder):
        core.engine.cancel(RunId(order.run), person=person, reason=order.reason)
        return {"ok": True, "run": order.run}
    if isinstance(order, ScheduleOrder):
        return set_by_order(core, order, person)
    if isinstance(order, ChangeScheduleOrder):
        return change_by_order(core, order, person)
    if isinstance(order, DigestOrder):
        return _digest(core, order)
    if isinstance(order, TokenOrder):
        return token_orders.make(core, order, person=person)
    if isinstance(order, RevokeOrder):
        return token_orders.revoke(core, order, person=person)
    return _head(core)


def _run(core: Core, order: RunOrder, person: PersonId) -> Mapping[str, Json]:
    channel = order.channel or core.settings.channel
    own = core.library.active(order.workflow).channel
    if not channel and not own:
        raise OrderError(
            "The run would have no channel for its thread.",
            hint="Give --channel, or set INTERLOCK_CHANNEL.",
        )
    started = core.engine.start(
        Start(
            workflow=order.workflow,
            inputs=order.inputs,
            person=person,
            trigger="cli",
            key=None if order.key is None else f"cli:{order.key}",
            channel=channel,
        )
    )
    return {"ok": True, "run": started.run, "is_new": started.is_new}


def _digest(core: Core, order: DigestOrder) -> Mapping[str, Json]:
    if not order.post:
        return {"ok": True, **core.digests.look(since=order.since).figures}
    if not core.settings.channel:
        raise OrderError("There is no channel to post to.", hint="Set INTERLOCK_CHANNEL.")
    made = core.digests.post()
    return {"ok": True, "digest": made.id, **made.figures}


def _head(core: Core) -> Mapping[str, Json]:
    with core.memory.database.begin() as tx:
        shown = show_head(tx)
    return {
        "ok": True,
        "origin": shown.origin,
        "size": shown.size,
        "root": b64encode(shown.root).decode(),
        "note": shown.note,
        "vkey": shown.vkey,
    }
