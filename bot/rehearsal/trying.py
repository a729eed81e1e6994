"""Walks a workflow as far as it goes without doing anything: a dry run.

The engine walks it on a log that is thrown away. People agree, effects are planned and not
done, questions are answered from the fixtures. What the policy really makes of each step, with
the values that were found on the way, is explained beside it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.explained_run import arguments_of, outputs_of
from bot.rehearsal.finding import failure_words
from bot.rehearsal.ground import Ground
from bot.rehearsal.house import Given, Rehearsal, SetClock, rehearsal_of
from bot.rehearsal.playing import CHANNEL, Player
from storage.store import SqlStore
from workflows.actions.base import Plan
from workflows.definition import Definition
from workflows.definition_flow import Ask
from workflows.entry import Entry, Json, RequestId, RunId
from workflows.errors import GateError
from workflows.explaining import ExplainedStep, explain
from workflows.explaining import Given as Explained
from workflows.gate import Verdict
from workflows.orders import Ballot, Start
from workflows.people import People, PersonId
from workflows.policy import Policy
from workflows.procedure import Procedures
from workflows.questioning import Answer as Reply
from workflows.references import References
from workflows.rehearsal.dry import Dry, Notes
from workflows.rehearsal.form import Answers, Decision
from workflows.rehearsal.relaxed import relaxed, unproven
from workflows.rehearsal.tape import Tape
from workflows.replay import replay
from workflows.run import Phase, RunState, Status, StepState
from workflows.secret_book import SecretBook
from workflows.step_scope import Actions

AGREED = "Tried."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be tried: which workflow among which others, with what, and for whom.

    `looks` says whether reads are performed for real.
    """

    workflow: str
    definitions: Mapping[str, Definition]
    inputs: Mapping[str, Json]
    answers: Mapping[str, Answers]
    person: PersonId
    at: datetime
    looks: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the walk meets: the policy, the real actions, people, and the secrets of reads."""

    policy: Policy
    actions: Actions
    people: People
    references: References
    secrets: SecretBook
    redact: Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """How far a dry run came. `why` says what stopped it, empty where it came to its end."""

    definition: Definition
    state: RunState
    status: Status
    notes: Notes
    given: Explained
    steps: tuple[ExplainedStep, ...]
    why: str


def tried(wish: Wish, world: World, ground: Ground) -> Tried:
    """Walk the workflow as far as it goes.

    Raises:
        InterlockError: it could not be started like that.
    """
    clock, notes = SetClock(wish.at), Notes()
    with ground.store(clock) as store:
        tape, house = _house(wish, world, notes, store)
        player = Agreeing(rehearsal_of(store, clock, house), tape, world.actions, notes=notes)
        run = player.play(_start(wish), ())
        entries, status = player.entries(run), store.run(run).status
    state = replay(run, entries)
    definition = wish.definitions[wish.workflow]
    notes.plans = {name: _redacted(one, world.redact) for name, one in notes.plans.items()}
    given = Explained(
        inputs=state.inputs,
        requester=_handle(world.people, wish.person),
        at=wish.at,
        run=run,
        outputs=outputs_of(definition, state),
        args=arguments_of(entries),
    )
    procedure = Procedures(world.actions).of(definition)
    return Tried(
        definition=definition,
        state=state,
        status=status,
        notes=notes,
        given=given,
        steps=tuple(explain(world.policy, procedure, world.actions, given)),
        why="" if status is Status.DONE else player.why or _why(entries, status),
    )


def _house(wish: Wish, world: World, notes: Notes, store: SqlStore) -> tuple[Tape, Given]:
    """Return what answers calls, and a house in which everything else only plans."""
    walked = {name: unproven(one) for name, one in wish.definitions.items()}
    bound = {one.version: one for one in walked.values()}
    tape = Tape(wish.workflow, wish.answers, lambda run: bound[store.run(RunId(run)).version])
    house = Given(
        definitions=walked,
        policy=relaxed(world.policy),
        actions={
            name: Dry(one, tape, notes, looks=wish.looks) for name, one in world.actions.items()
        },
        people=world.people,
        references=world.references,
        secrets=world.secrets,
        redact=world.redact,
    )
    return tape, house


def _redacted(plan: Plan, redact: Callable[[str], str]) -> Plan:
    lines = tuple(map(redact, plan.lines))
    return replace(plan, summary=redact(plan.summary), lines=lines)


class Agreeing(Player):
    """Plays a run in which everybody agrees, and questions are answered as it was recorded."""

    def __init__(self, rehearsal: Rehearsal, tape: Tape, actions: Actions, *, notes: Notes) -> None:
        super().__init__(rehearsal, tape, actions)
        self._notes = notes
        self.why = ""

    def _deliver_one(self, run: RunId, name: str) -> None:
        """Take down what would be posted; it is never planned where nobody is asked about it."""
        definition = self._house.bound(run)
        step, entry = definition.step(name), replay(run, self.entries(run)).step(name).intended
        given = entry.parts["args"].value if entry is not None else None
        if given is not None:
            action = self._actions[step.uses]
            summary = action.describe(action.takes.model_validate_json(given))
            shown = self._tape.shown(definition.workflow, name)
            self._notes.plans.setdefault(shown, Plan(summary=summary))
        super()._deliver_one(run, name)

    def _decide_next(self, left: list[tuple[int, Decision]]) -> bool:
        del left
        self.why = ""
        return any(
            self._settled(run, state, name) for run, state in self._states() for name in state.steps
        )

    def _settled(self, run: RunId, state: RunState, name: str) -> bool:
        one = state.step(name)
        if state.ended is not None or one.request is None:
            return False
        if one.phase is Phase.ASKED:
            return self._agree(one.request)
        return one.phase is Phase.QUESTIONED and self._reply(run, name, one)

    def _agree(self, request: RequestId) -> bool:
        asked = self._house.store.request(request)
        for ref in sorted(frozenset().union(*(one.people for one in asked.stages))):
            person = self._house.store.person(ref)
            if person is None:
                continue
            ballot = Ballot(request=request, person=person, verdict=Verdict.APPROVE, comment=AGREED)
            try:
                if self._house.engine.decide(ballot).changed:
                    return True
            except GateError as refusal:
                self.why = str(refusal)
        return False

    def _reply(self, run: RunId, name: str, one: StepState) -> bool:
        definition = self._house.bound(run)
        shown = self._tape.shown(definition.workflow, name)
        answer = self._tape.next(shown)
        if answer is None or not isinstance(answer.output, dict) or one.request is None:
            self.why = f"{shown} asks a question; give its answer in the fixtures."
            return False
        for person in self._asked(definition, name):
            reply = Reply(run=run, request=one.request, person=person, values=answer.output)
            self._house.engine.answer(reply)
            return True
        return False

    def _asked(self, definition: Definition, name: str) -> Sequence[PersonId]:
        form = definition.form(name)
        groups = form.ask.asked if isinstance(form, Ask) else ()
        return sorted(self._house.members(groups))

    def _pass_time(self) -> bool:
        """Let no request expire: it stands because nobody could answer it."""
        waits = (Phase.ASKED, Phase.QUESTIONED)
        stands = any(
            one.phase in waits for _, state in self._states() for one in state.steps.values()
        )
        return not stands and super()._pass_time()


def _start(wish: Wish) -> Start:
    return Start(
        workflow=wish.workflow,
        inputs=wish.inputs,
        trigger="slash",
        person=wish.person,
        channel=CHANNEL,
    )


def _handle(people: People, person: PersonId) -> str:
    return people.person(person).in_rules


def _why(entries: Sequence[Entry], status: Status) -> str:
    """Return what stopped the run, in the words of its entries: a failure, or who stopped it."""
    failed = [one for one in entries if one.data.get("error_class")]
    stopped = [one for one in entries if one.data.get("decision") == "exception"]
    for entry in (*reversed(failed), *reversed(stopped)):
        if words := failure_words(entry):
            return f"{entry.data['step']}: {words}"
    return f"The run is {status.value}."
