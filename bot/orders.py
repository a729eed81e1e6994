"""What may be asked of the bot beside Slack: runs, schedules, secrets, the log's head, the story.

An order is the same whether the command carries it out itself or hands it to the process
that serves; only then does it cross the Unix socket of `holder`, as one line of JSON.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias, get_args

from pydantic import Field, TypeAdapter, ValidationError

from bot import token_orders
from bot.access_orders import AccessOrder, review_by_order
from bot.core import Core
from bot.digest_figures import people_in
from bot.draft_orders import DraftOrder, draft_by_order
from bot.export_orders import ExportOrder, ProofOrder, export_by_order, prove_by_order
from bot.key_orders import KeyDesk, KeyOrder
from bot.order_form import OrderError, OrderForm, Reason
from bot.publish_orders import (
    ActivateOrder,
    PublishOrder,
    RetireOrder,
    activate_by_order,
    publish_by_order,
    retire_by_order,
)
from bot.retention_orders import (
    HoldOrder,
    LiftOrder,
    SweepOrder,
    hold_by_order,
    lift_by_order,
    sweep_by_order,
)
from bot.schedule_orders import (
    ChangeScheduleOrder,
    ScheduleOrder,
    change_by_order,
    set_by_order,
)
from bot.secret_orders import (
    ForgetSecretOrder,
    ListSecretsOrder,
    RotateSecretsOrder,
    SetSecretOrder,
    forget_secret,
    list_by_order,
    rotate_secrets,
    set_secret,
)
from bot.secret_words import refuse_secret
from bot.token_orders import RevokeOrder, TokenOrder
from bot.wording import who_of
from storage.heads import show_head
from storage.listing import people_of
from workflows.actions.base import Happened
from workflows.entry import Json, Ref, RunId
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
    reason: Reason


class SettleOrder(OrderForm):
    """Say how an exception goes on, or what became of an effect in doubt."""

    do: Literal["settle"] = "settle"
    run: str = Field(max_length=64)
    step: str = Field(max_length=200)
    answer: Answer
    reason: Reason


class MoveRunOrder(OrderForm):
    """Put a waiting run on another version; without `to`, on the active one.

    Without a reason it is only said whether the run could be put there.
    """

    do: Literal["move_run"] = "move_run"
    run: str = Field(max_length=64)
    to: str = Field(default="", max_length=64)
    reason: str = Field(default="", max_length=3000)


class HeadOrder(OrderForm):
    """Give out the newest signed head, and remember that it left the process."""

    do: Literal["head"] = "head"


class DigestOrder(OrderForm):
    """Tell what happened in a period, or, to be posted, since the last digest."""

    do: Literal["digest"] = "digest"
    since: datetime | None = None
    until: datetime | None = None
    post: bool = False


AnyOrder: TypeAlias = (
    RunOrder
    | CancelOrder
    | SettleOrder
    | MoveRunOrder
    | HeadOrder
    | DigestOrder
    | ScheduleOrder
    | ChangeScheduleOrder
    | KeyOrder
    | TokenOrder
    | RevokeOrder
    | ExportOrder
    | ProofOrder
    | SweepOrder
    | HoldOrder
    | LiftOrder
    | AccessOrder
    | SetSecretOrder
    | ForgetSecretOrder
    | RotateSecretsOrder
    | ListSecretsOrder
    | PublishOrder
    | ActivateOrder
    | RetireOrder
    | DraftOrder
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
    if not isinstance(order, SetSecretOrder):
        refuse_secret(core.redact.holds, order.model_dump_json())
    return _DOERS[type(order)](core, order, person)


def _acting(core: Core, person: PersonId) -> PersonId:
    return acting(person, core.policy, core.people)


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
            person=_acting(core, person),
            trigger=CLI,
            key=None if order.key is None else f"cli:{order.key}",
            channel=channel,
        )
    )
    return {"ok": True, "run": started.run, "is_new": started.is_new}


def _cancel(core: Core, order: CancelOrder, person: PersonId) -> Mapping[str, Json]:
    run = RunId(order.run)
    requester = core.store.person(Ref(core.store.run(run).requester))
    # What an account started before the policy named a person for it stays its own to cancel.
    who = person if requester == person else _acting(core, person)
    has_ended = core.engine.cancel(run, person=who, reason=order.reason)
    return {"ok": True, "run": run, "has_ended": has_ended}


def _settle(core: Core, order: SettleOrder, person: PersonId) -> Mapping[str, Json]:
    run, happened = RunId(order.run), HAPPENED.get(order.answer)
    person = settling(person, core.policy, core.people)
    if happened is not None:
        core.engine.settle_doubt(
            run, order.step, person=person, happened=happened, reason=order.reason, via=CLI
        )
    else:
        core.engine.settle_exception(
            run, order.step, person=person, answer=order.answer, reason=order.reason, via=CLI
        )
    return {"ok": True, "run": run, "step": order.step, "answer": order.answer}


def _move_run(core: Core, order: MoveRunOrder, person: PersonId) -> Mapping[str, Json]:
    from bot.moving_runs import could_be, move_run, told  # noqa: PLC0415 - seldom asked for.

    who = settling(person, core.policy, core.people)
    moved = move_run(
        core.engine,
        core.store,
        RunId(order.run),
        person=who,
        reason=order.reason,
        to=order.to,
        via=CLI,
    )
    return {
        "ok": True,
        "run": moved.run,
        "before": moved.before,
        "version": moved.version,
        "changed": moved.changed,
        "words": told(moved) if order.reason else could_be(moved),
    }


def _digest(core: Core, order: DigestOrder, _person: PersonId) -> Mapping[str, Json]:
    if not order.post:
        looked = core.digests.look(since=order.since, until=order.until)
        return {"ok": True, **_called(core, looked.figures), **looked.figures}
    if not core.settings.channel:
        raise OrderError("There is no channel to post to.", hint="Set INTERLOCK_CHANNEL.")
    made = core.digests.post()
    return {"ok": True, "digest": made.id, **_called(core, made.figures), **made.figures}


def _called(core: Core, figures: Mapping[str, Any]) -> dict[str, Json]:
    """Return what people and workflows are called now, of which figures have none of it."""
    return {"people": _names(core, figures), "titles": {**core.digests.titles()}}


def _names(core: Core, figures: Mapping[str, Any]) -> dict[str, Json]:
    """Return how those are called now of whom figures speak by their pseudonyms."""
    known = people_of(core.memory.database, people_in(figures))
    return {ref: who_of(*one).plain for ref, one in known.items()}


def _head(core: Core, _order: HeadOrder, _person: PersonId) -> Mapping[str, Json]:
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


def _keys(core: Core, order: KeyOrder, person: PersonId) -> Mapping[str, Json]:
    return KeyDesk(memory=core.memory, settings=core.settings).carry_out(order, person=person)


def _schedule(core: Core, order: ScheduleOrder, person: PersonId) -> Mapping[str, Json]:
    return set_by_order(core, order, _acting(core, person))


def _change_schedule(
    core: Core, order: ChangeScheduleOrder, person: PersonId
) -> Mapping[str, Json]:
    return change_by_order(core, order, _acting(core, person))


def _token(core: Core, order: TokenOrder, person: PersonId) -> Mapping[str, Json]:
    return token_orders.make(core, order, person=person)


def _revoke(core: Core, order: RevokeOrder, person: PersonId) -> Mapping[str, Json]:
    return token_orders.revoke(core, order, person=person)


_DOERS: Mapping[type, Callable[[Core, Any, PersonId], Mapping[str, Json]]] = {
    RunOrder: _run,
    CancelOrder: _cancel,
    SettleOrder: _settle,
    MoveRunOrder: _move_run,
    DigestOrder: _digest,
    HeadOrder: _head,
    **dict.fromkeys(get_args(KeyOrder), _keys),
    ScheduleOrder: _schedule,
    ChangeScheduleOrder: _change_schedule,
    TokenOrder: _token,
    RevokeOrder: _revoke,
    ExportOrder: export_by_order,
    ProofOrder: prove_by_order,
    SweepOrder: sweep_by_order,
    HoldOrder: hold_by_order,
    LiftOrder: lift_by_order,
    AccessOrder: review_by_order,
    SetSecretOrder: set_secret,
    ForgetSecretOrder: forget_secret,
    RotateSecretsOrder: rotate_secrets,
    ListSecretsOrder: list_by_order,
    PublishOrder: publish_by_order,
    ActivateOrder: activate_by_order,
    RetireOrder: retire_by_order,
    DraftOrder: draft_by_order,
}
