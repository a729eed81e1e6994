"""What `interlock try` says of a run that it only tried, to a person and to a program."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias
from zoneinfo import ZoneInfo

from bot.cli.explaining import step_data, step_lines
from bot.policy_in_force import Ruling
from bot.rehearsal.trying import Tried
from workflows.could_approve import CouldApprove
from workflows.demand import Match
from workflows.entry import Json
from workflows.explaining import ExplainedStep
from workflows.instances import is_undo, step_of
from workflows.moments import stamp
from workflows.policy import Policy
from workflows.run import Status

SHOWN = 300
FIRM = "Nothing was changed, and nothing was recorded."

Told: TypeAlias = Sequence[tuple[ExplainedStep, CouldApprove | None]]


def data_of(ruling: Ruling, found: Tried, told: Told) -> dict[str, object]:
    """Return what `lines_of` yields, for a program."""
    reads: dict[str, Json] = {
        name: {
            "reads": said,
            "is_real": name in found.notes.is_real,
            "output": found.state.step(name).output,
        }
        for name, said in found.notes.reads.items()
    }
    plans: dict[str, Json] = {
        name: {"summary": one.summary, "lines": list(one.lines)}
        for name, one in found.notes.plans.items()
    }
    return {
        "ok": found.status is Status.DONE,
        "workflow": found.definition.workflow,
        "version": found.definition.version,
        "policy": ruling.policy.digest,
        **ruling.data,
        "requester": found.given.requester,
        "at": stamp(found.given.at),
        "inputs": dict(found.given.inputs),
        "outcome": found.status.value,
        "why": found.why,
        "reads": reads,
        "plans": plans,
        "steps": [step_data(one, people) for one, people in told],
    }


def lines_of(policy: Policy, found: Tried, told: Told) -> Iterator[str]:
    """Yield what a run would read, ask and do, step by step, and where it stops."""
    here = found.given.at.astimezone(ZoneInfo(policy.timezone))
    yield f"{found.definition.workflow} as asked by {found.given.requester},"
    yield f"on {here:%A, %Y-%m-%d %H:%M} ({policy.timezone}), policy {policy.digest[:8]}:"
    explained = {(one.step.step, one.step.is_undo): (one, people) for one, people in told}
    for name in found.definition.outline:
        if (name, False) not in explained:
            yield from ("", *_other(found, name))
        for is_undo_of in (False, True):
            known = explained.get((name, is_undo_of))
            if known is not None:
                yield from ("", *_effect(found, *known))
    yield ""
    yield f"It stops there. {found.why}" if found.why else "It comes to its end, if all agree."
    yield FIRM


def _effect(found: Tried, one: ExplainedStep, people: CouldApprove | None) -> Iterator[str]:
    first, *others = step_lines(_telling(one), people)
    yield first
    own = [each for each in found.notes.plans.items() if step_of(each[0]) == one.step.step]
    plans = [plan for name, plan in own if is_undo(name) == one.step.is_undo]
    for plan in plans:
        yield f"  would be done: {plan.summary}"
        yield from (f"  | {line}" for line in plan.lines)
    if not plans and one.applies is not False and not one.step.is_undo:
        yield "  It was not reached."
    yield from others


def _telling(one: ExplainedStep) -> ExplainedStep:
    """Leave out the rules that do not match; `policy explain` has them all."""
    kept = tuple(rule for rule in one.rules if rule.why.match is not Match.PASSED_BY)
    whys = tuple(rule.why for rule in kept)
    return replace(one, rules=kept, told=replace(one.told, rules=whys))


def _other(found: Tried, name: str) -> Iterator[str]:
    """Say what came of a step that changes nothing."""
    form, one = found.definition.form(name), found.state.step(name)
    read = found.notes.reads.get(name)
    yield f"{name} ({getattr(form, 'uses', type(form).__name__.lower())})"
    if read is not None:
        yield f"  {read}"
    if found.state.gave(name) and one.output is not None:
        how = "read" if name in found.notes.is_real else "given"
        yield f"  {how}: {_cut(json.dumps(one.output, ensure_ascii=False, sort_keys=True))}"
    elif read is not None:
        yield "  not known: read it with --read, or give it in --fixtures"
    elif name not in found.state.steps and not any(
        step_of(each) == name for each in found.state.steps
    ):
        yield "  It was not reached."
    elif one.phase.value == "skipped":
        yield "  It is left out: its condition is not true with these values."


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
