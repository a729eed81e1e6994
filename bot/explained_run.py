"""Gathers what the policy is asked about: a run on record, or a workflow with values to try."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from storage.delegations import DelegationSql
from storage.history import read_run
from storage.listing import listed_run, people_of
from storage.published import canonical_of, publisher_of
from storage.transaction import Database
from workflows.check import check as check_files
from workflows.definition import Definition
from workflows.definition_flow import ForEach
from workflows.entry import Entry, Json, Ref, RunId
from workflows.errors import UnknownRunError, UnknownWorkflowError
from workflows.explaining import Given
from workflows.fault import suggestion
from workflows.flow import loop_output
from workflows.input_values import read_inputs
from workflows.instances import is_undo, step_of
from workflows.lineage import answers_in, outwards, questions_behind, shapers
from workflows.own_workflows import is_own
from workflows.people import CLICK_AGE, People, PersonId
from workflows.replay import replay
from workflows.run import RunState
from workflows.separation import Duty
from workflows.step_scope import Actions, StepScopes

JUDGED = ("approval.requested", "action.intended")


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What is looked at, and who may not decide it whatever the policy says."""

    definition: Definition
    given: Given
    bound: Mapping[PersonId, Duty] = field(default_factory=dict)
    answers: Sequence[tuple[str, PersonId]] = ()  # Which question was answered, and by whom.
    stand_ins: Mapping[PersonId, PersonId] = field(default_factory=dict)  # By who is away.

    def bound_at(self, step: str, scopes: StepScopes) -> Mapping[PersonId, Duty]:
        """Return who may not decide a step, whoever acts for one of them included.

        That is those bound anyhow, and who answered what it rests on.

        Raises:
            ExpressionError: an expression on the way does not compile.
        """
        behind = {step_of(one) for one in questions_behind(self.definition, scopes, step)}
        found = [who for question, who in self.answers if step_of(question) in behind]
        bound = {**dict.fromkeys(found, Duty.ANSWERER), **self.bound}
        acting = [self.stand_ins[who] for who in bound if who in self.stand_ins]
        return {**dict.fromkeys(acting, Duty.DELEGATE), **bound}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line says beside the workflow or run; `people` is None without Slack."""

    requester: str
    at: datetime
    people: People | None


def of_workflow(
    folder: Path, tried: tuple[str, Mapping[str, str]], *, asked: Asked, actions: Actions
) -> Looked:
    """Return a workflow of the files in `folder`, named in `tried`, with the values there.

    Raises:
        UnknownWorkflowError: no sound file there holds it.
        InputsError: values that do not fit.
    """
    workflow, values = tried
    paths = [folder] if folder.exists() else []
    found = {one.workflow: one for one in check_files(paths, actions).definitions}
    if workflow not in found:
        raise UnknownWorkflowError(
            f"There is no sound file of a workflow {workflow} in {folder}.",
            hint=suggestion(workflow, found).capitalize(),  # Names have no capitals.
        )
    definition = found[workflow]
    given = Given(
        inputs=read_inputs(definition.inputs, values), requester=asked.requester, at=asked.at
    )
    bound: dict[PersonId, Duty] = {}
    if asked.people is not None and asked.requester:
        named = asked.people.members(asked.requester, max_age=CLICK_AGE)
        bound = dict.fromkeys(named, Duty.REQUESTER)
    return Looked(definition=definition, given=given, bound=bound)


def of_run(database: Database, run: RunId, asked: Asked) -> Looked:
    """Return a run as it stands: with its values, what its steps gave, and whom it concerns.

    Raises:
        UnknownRunError: there is none.
        DefinitionError: its definition cannot be read by this release.
    """
    listed = listed_run(database, run)
    if listed is None:
        raise UnknownRunError(f"There is no run {run}.", hint="See `interlock runs`.")
    if is_own(listed.workflow):
        raise UnknownRunError(
            f"The run {run} changes the catalog, and the section `publish` says whom that asks.",
            hint=f"See its card, or `interlock show {run}`.",
        )
    stored = canonical_of(database, listed.version) or ""
    definition = Definition.from_canonical(stored.encode())
    with database.read() as connection:
        entries = read_run(connection, run)
    state = replay(run, entries)
    duties, answers = _duties(database, state), list(answers_in(entries))
    acting = _acting(database, {*duties, *(ref for _, ref in answers)}, at=asked.at)
    known = people_of(database, [*duties, *(ref for _, ref in answers), *acting.values()])
    given = Given(
        inputs=state.inputs,
        requester=asked.requester or _requester(state, known, asked.people),
        at=asked.at,
        run=run,
        outputs=outputs_of(definition, state),
        args=arguments_of(entries),
    )
    bound = {known[ref][0]: duty for ref, duty in duties.items() if ref in known}
    told = [(question, known[ref][0]) for question, ref in answers if ref in known]
    acts = {
        known[giver][0]: known[stand_in][0]
        for giver, stand_in in acting.items()
        if giver in known and stand_in in known
    }
    return Looked(definition=definition, given=given, bound=bound, answers=told, stand_ins=acts)


@dataclass(frozen=True, slots=True)
class _Trails:
    """What `lineage` reads, from a database at rest."""

    database: Database

    def history(self, run: RunId) -> tuple[None, Sequence[Entry]]:
        with self.database.read() as connection:
            return None, read_run(connection, run)


def _duties(database: Database, state: RunState) -> dict[Ref, Duty]:
    runs = outwards(_Trails(database), state)
    published = ((one.version, publisher_of(database, one.version)) for one, _ in runs)
    duties = shapers(runs, {version: who for version, who in published if who is not None})
    if state.requester is not None and state.requester.is_person:
        duties[Ref(state.requester.ref)] = Duty.REQUESTER
    return duties


def _acting(database: Database, people: Collection[Ref], *, at: datetime) -> dict[Ref, Ref]:
    """Return who acts at that moment for those of `people` who are away."""
    with database.glance() as tx:
        words = DelegationSql(tx).of_people(people, now=at)
    return {giver: one.stand_in for giver, one in words.items() if one.stand_in is not None}


def _requester(
    state: RunState, known: Mapping[str, tuple[PersonId, str]], people: People | None
) -> str:
    """Return the requester as rules see them: by the user name, where Slack can be asked."""
    actor = state.requester
    if actor is None or not actor.is_person:
        return "" if actor is None else actor.kind.value
    who, name = known.get(actor.ref, (None, ""))
    if who is not None and people is not None:
        person = people.person(who)
        name = person.handle or person.name
    return f"@{name}" if name else ""


def outputs_of(definition: Definition, state: RunState) -> dict[str, Json]:
    """Return what the steps outside of loops gave."""
    return {
        name: loop_output(definition, state, name)
        if isinstance(definition.form(name), ForEach)
        else one.output
        for name, one in state.steps.items()
        if name == step_of(name) and state.gave(name)
    }


def arguments_of(entries: Iterable[Entry]) -> dict[tuple[str, bool], Mapping[str, Json]]:
    """Return the newest recorded arguments of each step; those that were erased are missing."""
    found: dict[tuple[str, bool], Mapping[str, Json]] = {}
    for one in entries:
        part = one.parts.get("args")
        if one.kind in JUDGED and part is not None and part.value is not None:
            name = str(one.data["step"])
            found[step_of(name), is_undo(name)] = json.loads(part.value)
    return found
