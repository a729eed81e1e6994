"""`interlock policy explain`: which rules ask whom about the steps of a run, and why."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias
from zoneinfo import ZoneInfo

import click

from bot.beside import slack_people
from bot.cli.output import answer, as_json_option
from bot.cli.reading import opened
from bot.cli.ruling import active_here, has_log, other_version, ruling_here
from bot.cli.running import inputs_of
from bot.explained_run import Asked, Looked, of_run, of_workflow
from bot.policy_in_force import Ruling
from bot.settings import Settings, read_settings
from bot.wording import utc
from storage.delegations import live_delegations
from storage.listing import people_of
from storage.rows import DatabaseRows
from workflows.actions.registry import all_actions
from workflows.could_approve import (
    Absence,
    Away,
    CouldApprove,
    StagePeople,
    could_approve,
)
from workflows.entry import RunId
from workflows.explaining import ExplainedStep, explain
from workflows.moments import moment_of, stamp
from workflows.people import Person
from workflows.policy import Policy
from workflows.procedure import Procedure, Procedures
from workflows.step_scope import Actions

EXISTING = click.Path(path_type=Path, exists=True)
UNRESOLVED = "Who belongs to these is not known here: SLACK_BOT_TOKEN is not set."

Told: TypeAlias = Sequence[tuple[ExplainedStep, CouldApprove | None]]


@click.command("explain")
@click.argument("run_id", metavar="[RUN]", required=False)
@click.option("--workflow", help="A workflow of the files, instead of a run.")
@click.option(
    "-i", "--input", "values", multiple=True, metavar="FIELD=VALUE", help="A value; again for more."
)
@click.option("--step", "only", help="Only this step.")
@click.option("--requester", default="", metavar="@NAME", help="Who asks.")
@click.option("--at", "moment", metavar="MOMENT", help="As at that moment: RFC 3339, or a day.")
@click.option("--policy", "file", type=EXISTING, help="That file, not what is in force.")
@as_json_option
def policy_explain(
    run_id: str | None,
    workflow: str | None,
    values: tuple[str, ...],
    only: str | None,
    requester: str,
    moment: str | None,
    file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Say of each step of RUN, or of a workflow with values, whom the policy asks, and why.

    Nothing is run or recorded. What is explained is the policy in force, once people agreed to
    one; until then it is the policy file.
    """
    if (run_id is None) == (workflow is None) or (run_id and values):
        raise click.UsageError("Name a run, or a --workflow with its values (-i FIELD=VALUE).")
    settings = read_settings()
    ruling = ruling_here(settings, file)
    policy = ruling.policy
    at = moment_of(moment) if moment else datetime.now(UTC)
    asked = Asked(requester=requester, at=at, people=slack_people(settings))
    actions = all_actions(policy.targets, DatabaseRows(now=lambda: at))
    looked = _looked(settings, asked, actions, run_id, (workflow or "", inputs_of(values)))
    procedure = Procedures(actions).of(looked.definition)
    steps = explain(policy, procedure, actions, looked.given)
    away = _away(settings, at) if asked.people is not None else None
    if only is not None:
        looked.definition.form(only)
    told = [
        (one, _people(one, looked, procedure, asked, away=away))
        for one in steps
        if only in (None, one.step.step)
    ]
    active = None if workflow is None else active_here(settings, workflow)
    other = other_version(active, looked.definition)
    data = {**_data(ruling, looked, told), "active": active}
    remarks = [one for one in (ruling.remark, other) if one]
    answer(data, [*remarks, *_lines(policy, looked, told)], as_json=as_json)


def _looked(
    settings: Settings,
    asked: Asked,
    actions: Actions,
    run: str | None,
    tried: tuple[str, Mapping[str, str]],
) -> Looked:
    if run is None:
        return of_workflow(settings.definitions, tried, asked=asked, actions=actions)
    with opened(settings) as database:
        return of_run(database, RunId(run), asked)


def _away(settings: Settings, at: datetime) -> Away | None:
    """Return who of those whom this log knows said that they are away then, if there is one."""
    if not has_log(settings):
        return None
    with opened(settings) as database:
        words = live_delegations(database, now=at)
        refs = {ref for one in words for ref in (one.giver, one.stand_in) if ref is not None}
        known = {ref: who for ref, (who, _) in people_of(database, sorted(refs)).items()}
    return {
        known[one.giver]: Absence(
            until=one.ends_at, stand_in=None if one.stand_in is None else known.get(one.stand_in)
        )
        for one in words
        if one.giver in known and one.given_at <= at
    }


def _people(
    one: ExplainedStep, looked: Looked, procedure: Procedure, asked: Asked, *, away: Away | None
) -> CouldApprove | None:
    demand = one.told.demand
    if demand is None or asked.people is None:
        return None
    bound = looked.bound_at(one.step.step, procedure.scopes)
    return could_approve(asked.people, demand, bound, at=asked.at, away=away)


def _lines(policy: Policy, looked: Looked, told: Told) -> Iterator[str]:
    given, definition = looked.given, looked.definition
    here = given.at.astimezone(ZoneInfo(policy.timezone))
    what = f"run {given.run} of {definition.workflow}" if given.run else definition.workflow
    by = given.requester or "nobody in particular"
    yield f"{what} under the policy {policy.digest[:8]}, asked for by {by},"
    yield f"on {here:%A, %Y-%m-%d %H:%M} ({policy.timezone}):"
    if not told:
        yield "No step of it does more than read, so nobody is asked."
    for step, people in told:
        yield ""
        yield from step_lines(step, people)


def step_lines(one: ExplainedStep, people: CouldApprove | None) -> Iterator[str]:
    """Yield what the policy makes of a step, for a person."""
    step = one.step
    yield f"{'undo of ' if step.is_undo else ''}{step.step} ({step.action}, {one.effect.value})"
    if one.applies is False:
        yield "  It is left out: its condition is not true with these values."
    if one.unknown:
        yield f"  Known only when it runs: {', '.join(one.unknown)}."
    if one.by_model:
        names = ", ".join(one.by_model)
        yield f"  Filled by a language model: {names}. A rule that looks at arguments asks."
    for rule in one.rules:
        yield from (f"  {line}" for line in rule.lines)
    yield from (f"  {line}" for line in one.told.lines[len(one.rules) :])
    if one.told.demand is not None:
        yield from (f"  {line}" for line in _people_lines(people))


def _people_lines(people: CouldApprove | None) -> Iterator[str]:
    if people is None:
        yield UNRESOLVED
        return
    for stage in people.stages:
        yield from _who(stage)
    if people.stops:
        yield f"It would stop there and ask nobody: {people.stops}"


def _who(stage: StagePeople) -> Iterator[str]:
    groups = " or ".join(stage.stage.asked)
    if stage.people is None:
        yield f"Who belongs to {groups} cannot be read now: {stage.why_not}"
        return
    names = ", ".join(map(_name, stage.people)) or "nobody"
    few = "" if stage.is_enough else f", and {stage.stage.approve} have to agree"
    yield f"Could approve now for {groups}: {names}{few}."
    for person, (until, stand_in) in (stage.away or {}).items():
        instead = "nobody" if stand_in is None else _name(stand_in)
        yield f"  {_name(person)} is away until {utc(until)}: {instead} decides in their place."
    for person, duty in stage.left_out.items():
        yield f"  Not {_name(person)}: {duty.who}."


def _name(person: Person) -> str:
    return person.in_rules


def _data(ruling: Ruling, looked: Looked, told: Told) -> dict[str, object]:
    given = looked.given
    return {
        "run": given.run or None,
        "workflow": looked.definition.workflow,
        "version": looked.definition.version,
        "policy": ruling.policy.digest,
        **ruling.data,
        "requester": given.requester,
        "at": stamp(given.at),
        "steps": [step_data(step, people) for step, people in told],
    }


def step_data(one: ExplainedStep, people: CouldApprove | None) -> dict[str, object]:
    """Return what the policy makes of a step, as data."""
    demand = one.told.demand
    return {
        "step": one.step.step,
        "is_undo": one.step.is_undo,
        "action": one.step.action,
        "effect": one.effect.value,
        "applies": one.applies,
        "unknown": list(one.unknown),
        "by_model": list(one.by_model),
        "asks": demand is not None,
        "refusal": one.told.refusal,
        "rules": [
            {
                "rule": rule.why.rule,
                "when": rule.why.when,
                "match": rule.why.match.value,
                "because": rule.why.because,
                "saw": dict(rule.saw),
                "not_auto": rule.not_auto,
            }
            for rule in one.rules
        ],
        "stages": [
            {"from": list(stage.asked), "approve": stage.approve, "deny": stage.deny}
            for stage in (demand.stages if demand is not None else ())
        ],
        "expires_seconds": demand.expires.total_seconds() if demand is not None else None,
        "people": None if people is None else [_stage_data(stage) for stage in people.stages],
        "stops": "" if people is None else people.stops,
    }


def _stage_data(stage: StagePeople) -> dict[str, object]:
    return {
        "from": list(stage.stage.asked),
        "could_approve": None if stage.people is None else [_name(one) for one in stage.people],
        "left_out": {_name(one): duty.value for one, duty in stage.left_out.items()},
        "why_not": stage.why_not,
        **({} if stage.away is None else {"away": dict(_away_data(stage.away))}),
    }


def _away_data(
    away: Mapping[Person, tuple[datetime, Person | None]],
) -> Iterator[tuple[str, Mapping[str, object]]]:
    for one, (until, stand_in) in away.items():
        instead = None if stand_in is None else _name(stand_in)
        yield _name(one), {"until": stamp(until), "stand_in": instead}
