"""What may be asked of the payloads: to remove what is due, to hold something back, to let go."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Literal

from pydantic import Field

from bot.core import Core
from bot.nearby import nearest_names
from bot.order_form import OrderForm, Reason
from bot.sweeping import Sweeping
from storage.listing import listed_run
from storage.published import known_workflows
from storage.retention.due import ClassSwept
from storage.retention.holds import WHOLE, lift_hold, refs_known_as, set_hold
from workflows.entry import Json, Ref, RunId
from workflows.errors import HoldError
from workflows.holds import Kind, Selector, read_selector
from workflows.people import PersonId


class SweepOrder(OrderForm):
    """Remove the payloads whose term is over."""

    do: Literal["sweep"] = "sweep"


class HoldOrder(OrderForm):
    """Hold back the payloads that `selector` selects."""

    do: Literal["hold"] = "hold"
    selector: str = Field(max_length=200)
    reason: Reason


class LiftOrder(OrderForm):
    """Let go of what a hold keeps."""

    do: Literal["lift"] = "lift"
    hold: str = Field(max_length=64)
    reason: Reason


def sweep_by_order(core: Core, _order: SweepOrder, _person: PersonId) -> Mapping[str, Json]:
    """Sweep once."""
    found = Sweeping(core.store, core.policy, now=core.means.clock).sweep()
    return {
        "ok": True,
        "payloads": found.payloads,
        "messages": found.messages,
        "classes": [class_data(one) for one in found.classes],
    }


def class_data(one: ClassSwept) -> Json:
    """Return what is due of a class as data."""
    return {
        "class": one.cls.value,
        "before": one.before,
        "swept": one.swept,
        "erased": one.erased,
        "held": one.held,
    }


def hold_by_order(core: Core, order: HoldOrder, person: PersonId) -> Mapping[str, Json]:
    """Set a hold."""
    selector = _selected(core, order.selector)
    _refuse_unknown_run(core, selector)
    name = set_hold(core.store, selector, reason=core.redact(order.reason), actor=person)
    told: dict[str, Json] = {"ok": True, "hold": name, "selector": str(selector)}
    if selector.kind is Kind.WORKFLOW and (doubt := _unknown_workflow(core, selector.name)):
        told["warning"] = doubt
    return told


def lift_by_order(core: Core, order: LiftOrder, person: PersonId) -> Mapping[str, Json]:
    """Lift a hold."""
    lift_hold(core.store, order.hold, reason=core.redact(order.reason), actor=person)
    return {"ok": True, "hold": order.hold}


def _refuse_unknown_run(core: Core, selector: Selector) -> None:
    """Refuse a hold of which a typing error would keep nothing."""
    if selector.kind is not Kind.RUN:
        return
    if listed_run(core.memory.database, RunId(selector.name)) is None:
        raise HoldError(
            f"This log has no run {selector.name}.",
            hint="Give its whole id, as `interlock runs` lists it.",
        )


def _unknown_workflow(core: Core, name: str) -> str:
    """Return what to say of a workflow that there may be one day, or that was misspelt."""
    known = known_workflows(core.memory.database)
    if name in known:
        return ""
    near = nearest_names(name, known)
    meant = f" Did you mean {near[0]}? Then lift this one." if near else ""
    return f"No workflow {name} was ever published here; the hold counts once one is.{meant}"


def _selected(core: Core, text: str) -> Selector:
    """Return what `text` selects, as every verifier reads it: people by pseudonym, days in full."""
    kind, _, name = text.partition(":")
    if kind == Kind.PERSON.value and name:
        return Selector(Kind.PERSON, _ref_of(core, name))
    selector = read_selector(text)
    if selector.kind is not Kind.PERIOD:
        return selector
    first, end = (one.date().isoformat() for one in selector.period)
    return replace(selector, name=f"{first}/{end}")


def _ref_of(core: Core, name: str) -> Ref:
    """Return the pseudonym of whoever has that name, which may be any words, or account."""
    with core.memory.database.read() as connection:
        refs = refs_known_as(connection, name)
    if len(refs) != 1:
        count = "Nobody" if not refs else "More than one person"
        words = f"{count} in this log is known as {name}."
        raise HoldError(words, hint=_instead(name, refs))
    return Ref(refs[0])


def _instead(name: str, refs: Collection[str]) -> str:
    """Return what to name in the place of a name that means nobody, or several."""
    account = "Name the account, as in person:slack:T0ACME:U0RITA."
    if refs:
        return account
    erased = "Whoever was erased has neither name nor account here any more: hold runs or a period."
    return erased if name.startswith(WHOLE) else f"{account} {erased}"
