"""What may be asked of the bot beside Slack: runs, schedules, the log's head, what happened.

An order is the same whether the command carries it out itself or hands it to the process
that serves; only then does it cross the Unix socket of `holder`, as one line of JSON.
"""

from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from bot.core import Core
from bot.key_orders import KeyDesk, KeyOrder
from bot.schedule_orders import (
    ChangeScheduleOrder,
    ScheduleOrder,
    change_by_order,
    set_by_order,
)
from storage.heads import show_head
from workflows.actions.base import Happened
from workflows.entry import Json, Ref, RunId
from workflows.errors import InterlockError
from workflows.operators import acting, settling
from workflows.orders import Start
from workflows.people import PersonId

CLI = "cli"
Answer: TypeAlias = Literal["retry", "skip", "abort", "undo", "happened", "not-happened", "unknown"]
HAPPENED: Mapping[str, Happened] = {
    "happened": Happened.YES,
    "not-happened": Happened.NO,
    "unknown": Happened.UNKNOWN,
}


class OrderError(InterlockError):
    """An order cannot be read, or its answer cannot."""


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RunOrder(_Order):
    """Start a run of `workflow`. The same `key` twice is one run."""

    do: Literal["run"] = "run"
    workflow: str = Field(max_length=200)
    inputs: dict[str, str]
    key: str | None = Field(default=None, max_length=200)
    channel: str = Field(default="", max_length=200)


class CancelOrder(_Order):
    """Cancel a run."""

    do: Literal["cancel"] = "cancel"
    run: str = Field(max_length=64)
    reason: str = Field(max_length=3000)


class SettleOrder(_Order):
    """Say how an exception goes on, or what became of an effect in doubt."""

    do: Literal["settle"] = "settle"
    run: str = Field(max_length=64)
    step: str = Field(max_length=200)
    answer: Answer
    reason: str = Field(max_length=3000)


class HeadOrder(_Order):
    """Give out the newest signed head, and remember that it left the process."""

    do: Literal["head"] = "head"


class DigestOrder(_Order):
    """Tell what happened: since a moment, or, to be posted, since the last digest."""

    do: Literal["digest"] = "digest"
    since: datetime | None = None
    post: bool = False


AnyOrder: TypeAlias = (
    RunOrder
    | CancelOrder
    | SettleOrder
    | HeadOrder
    | DigestOrder
    | ScheduleOrder
    | ChangeScheduleOrder
    | KeyOrder
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
        return _run(core, order, acting(person, core.policy, core.people))
    if isinstance(order, CancelOrder):
        return _cancel(core, order, person)
    if isinstance(order, SettleOrder):
        return _settle(core, order, settling(person, core.policy, core.people))
    if isinstance(order, ScheduleOrder):
        return set_by_order(core, order, acting(person, core.policy, core.people))
    if isinstance(order, ChangeScheduleOrder):
        return change_by_order(core, order, acting(person, core.policy, core.people))
    if isinstance(order, DigestOrder):
        return _digest(core, order)
    if isinstance(order, KeyOrder):
        desk = KeyDesk(memory=core.memory, home=core.settings.home)
        return desk.carry_out(order, person=person)
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
            trigger=CLI,
            key=order.key,
            channel=channel,
        )
    )
    return {"ok": True, "run": started.run, "is_new": started.is_new}


def _cancel(core: Core, order: CancelOrder, person: PersonId) -> Mapping[str, Json]:
    run = RunId(order.run)
    requester = core.store.person(Ref(core.store.run(run).requester))
    # What an account started before the policy named a person for it stays its own to cancel.
    who = person if requester == person else acting(person, core.policy, core.people)
    has_ended = core.engine.cancel(run, person=who, reason=order.reason)
    return {"ok": True, "run": run, "has_ended": has_ended}


def _settle(core: Core, order: SettleOrder, person: PersonId) -> Mapping[str, Json]:
    run, happened = RunId(order.run), HAPPENED.get(order.answer)
    if happened is not None:
        core.engine.settle_doubt(
            run, order.step, person=person, happened=happened, reason=order.reason, via=CLI
        )
    else:
        core.engine.settle_exception(
            run, order.step, person=person, answer=order.answer, reason=order.reason, via=CLI
        )
    return {"ok": True, "run": run, "step": order.step, "answer": order.answer}


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
