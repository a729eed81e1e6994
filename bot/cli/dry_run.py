"""`interlock try`: shows what a run would read, ask and do, and does none of it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias
from zoneinfo import ZoneInfo

import click

from bot.beside import slack_people
from bot.cli.explaining import step_data, step_lines
from bot.cli.output import Exit, answer, as_json_option, leave
from bot.cli.ruling import active_here, other_version, ruling_here
from bot.cli.running import inputs_of
from bot.core import Means, read_redactor
from bot.policy_in_force import Ruling
from bot.rehearsal.ground import Ground
from bot.rehearsal.house import NoSecrets
from bot.rehearsal.secrets import secrets_of_reads
from bot.rehearsal.trying import Tried, Wish, World, tried
from bot.settings import Settings, read_settings
from storage.rows import DatabaseRows
from workflows.actions.registry import all_actions
from workflows.check import check as check_files
from workflows.could_approve import StagePeople, could_approve
from workflows.definition import Definition
from workflows.demand import Match
from workflows.entry import Json
from workflows.errors import (
    DefinitionError,
    NotAllowedError,
    PeopleUnreadableError,
    UnknownWorkflowError,
)
from workflows.explaining import ExplainedStep
from workflows.fault import suggestion
from workflows.instances import is_undo, step_of
from workflows.loading import read_as, read_text
from workflows.moments import moment_of, stamp
from workflows.people import CLICK_AGE, People, PersonId
from workflows.policy import Policy
from workflows.rehearsal.form import Fixtures
from workflows.rehearsal.people import Believing, Cast
from workflows.run import Status
from workflows.separation import Duty
from workflows.step_scope import Actions

EXISTING = click.Path(path_type=Path, exists=True)
SHOWN = 300
FIRM = "Nothing was changed, and nothing was recorded."

Told: TypeAlias = Sequence[tuple[ExplainedStep, Sequence[StagePeople]]]


@click.command("try")
@click.argument("workflow", metavar="WORKFLOW|FILE")
@click.option("-i", "--input", "values", multiple=True, metavar="FIELD=VALUE")
@click.option("--read", "looks", is_flag=True, help="Perform reads for real.")
@click.option("--fixtures", type=EXISTING, help="A file of answers and people.")
@click.option("--requester", default="", metavar="@NAME", help="Who asks.")
@click.option("--at", "moment", metavar="MOMENT", help="As at that moment: RFC 3339, or a day.")
@click.option("--policy", "policy_file", type=EXISTING, help="That file, not what is in force.")
@as_json_option
def try_workflow(
    workflow: str,
    values: tuple[str, ...],
    fixtures: Path | None,
    requester: str,
    moment: str | None,
    policy_file: Path | None,
    *,
    looks: bool,
    as_json: bool,
) -> None:
    """Show what a run of WORKFLOW would read, ask and do, and do none of it.

    Reads are answered from --fixtures, or performed with --read; others stay unknown. Ends
    with 1 if the run would not come to its end like that.
    """
    settings, at = read_settings(), moment_of(moment) if moment else datetime.now(UTC)
    ruling = ruling_here(settings, policy_file)
    policy = ruling.policy
    actions = all_actions(policy.targets, DatabaseRows(now=lambda: at))
    known, name = _definitions(settings, workflow, actions, policy)
    given = _fixtures(fixtures)
    people = _people(settings, given)
    definition = known[name]
    wish = Wish(
        workflow=name,
        definitions=known,
        inputs=dict(inputs_of(values)),
        answers=given.answers,
        person=_requester(people, (requester,) if requester else definition.may_run),
        at=at,
        looks=looks,
    )
    means = Means()
    redact = read_redactor(settings, means)
    with ExitStack() as stack:
        book = secrets_of_reads(settings, means, redact, is_given_alone=policy_file is not None)
        world = World(
            policy=policy,
            actions=actions,
            people=people,
            references=Believing(definition),
            secrets=stack.enter_context(book) if looks else NoSecrets(),
            redact=redact,
        )
        try:
            found = tried(wish, world, stack.enter_context(Ground()))
        except NotAllowedError as refused:
            _refuse_unknown(people, given, definition, refused)
            raise
    bound = {wish.person: Duty.REQUESTER}
    is_known = not isinstance(people, Cast) or bool(given.people)
    told = [(one, _who(people, one, bound) if is_known else ()) for one in found.steps]
    active = active_here(settings, name)
    remarks = [one for one in (ruling.remark, other_version(active, definition)) if one]
    data = {**_data(ruling, found, told), "active": active}
    answer(data, [*remarks, *_lines(policy, found, told)], as_json=as_json)
    leave(Exit.FINE if found.status is Status.DONE else Exit.NO)


def _definitions(
    settings: Settings, workflow: str, actions: Actions, policy: Policy
) -> tuple[Mapping[str, Definition], str]:
    """Return the sound workflows around the one that is meant, and its name."""
    file = Path(workflow)
    folder = file.parent if file.is_file() else settings.definitions
    report = check_files([folder] if folder.exists() else [], actions, policy)
    known = {one.workflow: one for one in report.definitions}
    name = workflow
    if file.is_file():
        own = check_files([file], actions, policy)
        if not own.definitions:
            raise DefinitionError("\n".join(map(str, own.errors)) or f"{file} is no workflow.")
        name = own.definitions[0].workflow
        known[name] = own.definitions[0]
    if name not in known:
        raise UnknownWorkflowError(
            f"There is no sound file of a workflow {name} in {folder}.",
            hint=f"Of the workflows there: {suggestion(name, known)}",
        )
    return known, name


def _fixtures(file: Path | None) -> Fixtures:
    return Fixtures() if file is None else read_as(read_text(file), str(file), Fixtures).required()


def _people(settings: Settings, given: Fixtures) -> People:
    """Return those of the fixtures; without any, those of Slack where it can be asked."""
    return (None if given.people else slack_people(settings)) or Cast(given.people)


def _requester(people: People, names: Sequence[str]) -> PersonId:
    for name in names:
        members = people.members(name, max_age=CLICK_AGE)
        if members:
            return min(members)
    raise PeopleUnreadableError(
        f"{' and '.join(names)} have nobody who could ask.", hint="Name somebody: --requester."
    )


def _refuse_unknown(
    people: People, given: Fixtures, definition: Definition, refused: NotAllowedError
) -> None:
    """Say what is missing where nobody knows who belongs to whom: that refuses nobody in Slack."""
    unknown = [one for one in definition.may_run if one not in given.people]
    if isinstance(people, Cast) and unknown:
        groups = " and ".join(unknown)
        raise PeopleUnreadableError(
            f"Who belongs to {groups} is not known here, so it cannot be tried as somebody of"
            f" theirs. ({refused.message})",
            hint="Set SLACK_BOT_TOKEN, name them in a file for --fixtures"
            f' (`people: {{"{unknown[0]}": ["@rita"]}}`), or leave --requester away.',
        ) from refused


def _who(
    people: People, one: ExplainedStep, bound: Mapping[PersonId, Duty]
) -> Sequence[StagePeople]:
    demand = one.told.demand
    return () if demand is None else could_approve(people, demand, bound)


def _lines(policy: Policy, found: Tried, told: Told) -> Iterator[str]:
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


def _effect(found: Tried, one: ExplainedStep, people: Sequence[StagePeople]) -> Iterator[str]:
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


def _data(ruling: Ruling, found: Tried, told: Told) -> dict[str, object]:
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
