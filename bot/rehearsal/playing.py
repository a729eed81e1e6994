"""Plays one run to its end: works off what is ready, decides what waits, lets time pass.

Nobody waits for real: when nothing is ready and nobody decides, the clock is set to the next
moment at which something is due. A run that stands and needs somebody is left as it is.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.rehearsal.house import Rehearsal
from workflows.actions.base import Action
from workflows.definition import Definition
from workflows.engine import Engine
from workflows.entry import Entry, Json, RunId
from workflows.errors import InterlockError
from workflows.gate import Verdict
from workflows.instances import step_of
from workflows.orders import Ballot, Start
from workflows.questioning import Answer as Reply
from workflows.rehearsal.form import Answer, Decision
from workflows.rehearsal.people import id_of
from workflows.rehearsal.recorded import failure, filled
from workflows.rehearsal.tape import Tape
from workflows.replay import replay
from workflows.run import Phase, RunState, Status, StepState

CHANNEL = "rehearsal"
MOST_ROUNDS = 2_000
LONGEST_STANDING = timedelta(days=2)
NEEDS_SOMEBODY = frozenset({Status.EXCEPTION, Status.IN_DOUBT})
REMINDERS = frozenset({"exception.reminded", "approval.reminded"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecided:
    """A decision that could not be given as it was written."""

    number: int
    expected: str
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    run: RunId
    step: str
    state: StepState


class Player:
    """Plays one run of a rehearsal."""

    def __init__(
        self, rehearsal: Rehearsal, tape: Tape, actions: Mapping[str, Action[Any, Any]]
    ) -> None:
        """`actions` are the real ones, of which only the shape of outputs is asked."""
        self._house = rehearsal
        self._tape = tape
        self._actions = actions
        self._moved = (0, rehearsal.clock())
        self.undecided: list[Undecided] = []

    def play(self, start: Start, decisions: Sequence[Decision]) -> RunId:
        """Start a run, play it as far as it goes, and return it.

        Raises:
            InterlockError: it is not started.
        """
        run = self._house.engine.start(start).run
        left = list(enumerate(decisions))
        for _ in range(MOST_ROUNDS):
            self._settle()
            if self._house.store.run(run).status.is_end:
                break
            if not (self._decide_next(left) or self._pass_time()):
                break
        self.undecided += [self._left(number, one, run) for number, one in left]
        return run

    @property
    def runs(self) -> list[RunId]:
        """Return every run of the rehearsal."""
        return list(self._house.line.known)

    def bound(self, run: RunId) -> Definition:
        """Return the definition that a run is bound to."""
        return self._house.bound(run)

    def entries(self, run: RunId) -> Sequence[Entry]:
        """Return what was recorded of a run."""
        return self._house.store.history(run)[1]

    def _settle(self) -> None:
        for _ in range(MOST_ROUNDS):
            self._house.line.serve(self._house.engine.advance)
            has_delivered = self._deliver()
            due = self._house.store.due(until=self._house.clock(), limit=100)
            for one in due:
                self._house.engine.handle_due(one)
            if not due and not has_delivered:
                return

    def _deliver(self) -> bool:
        """Do what the outbox does with messages that steps post."""
        posted = [
            (run, name)
            for run, state in self._states()
            for name in state.under_way
            if state.step(name).phase is Phase.INTENDED and self._is_delivered(run, name)
        ]
        for run, name in posted:
            self._deliver_one(run, name)
        return bool(posted)

    def _is_delivered(self, run: RunId, name: str) -> bool:
        return self._actions[self._house.bound(run).step(name).uses].is_delivered

    def _deliver_one(self, run: RunId, name: str) -> None:
        definition, engine = self._house.bound(run), self._house.engine
        shown = self._tape.shown(definition.workflow, name)
        answer = self._tape.next(shown) or Answer()
        refusal = failure(answer, is_read=False)
        if refusal is not None:
            engine.undeliverable(run, step=name, error_class=refusal.error_class)
            return
        self._tape.effects.append(shown)
        action = self._actions[definition.step(name).uses]
        engine.delivered(run, name, output=filled(action, answer.output))

    def _decide_next(self, left: list[tuple[int, Decision]]) -> bool:
        """Give the first decision that somebody waits for; False if nobody does."""
        for place, (number, decision) in enumerate(left):
            waiting = self._waiting(decision)
            if waiting is None:
                continue
            if decision.after is not None:
                # It may be over by then, and whoever is too late is told so.
                self._pass_until(self._house.clock() + decision.after)
            del left[place]
            self._give(number, decision, waiting)
            return True
        return False

    def _waiting(self, decision: Decision) -> _Waiting | None:
        phase = _phase_for(decision)
        for run, state in self._states():
            workflow = self._house.bound(run).workflow
            for name, one in state.steps.items():
                shown = (self._tape.shown(workflow, each) for each in (name, step_of(name)))
                if one.phase is phase and decision.step in shown and state.ended is None:
                    return _Waiting(run=run, step=name, state=one)
        return None

    def _give(self, number: int, decision: Decision, waiting: _Waiting) -> None:
        try:
            _ways(self._house.engine, decision, waiting)()
        except InterlockError as refusal:
            if decision.refused is None or decision.refused not in str(refusal):
                wanted = "it counts" if decision.refused is None else decision.refused
                self._note(number, wanted, f"refused: {refusal}")
        else:
            if decision.refused is not None:
                self._note(number, f"refused: {decision.refused}", "it counts")

    def _note(self, number: int, expected: str, found: str) -> None:
        self.undecided.append(Undecided(number=number, expected=expected, found=found))

    def _left(self, number: int, decision: Decision, run: RunId) -> Undecided:
        phases = {
            self._tape.shown(self._house.bound(each).workflow, name): one.phase.value
            for each, state in self._states()
            for name, one in state.steps.items()
        }
        stands = phases.get(decision.step, "not begun")
        status = self._house.store.run(run).status.value
        found = f"{decision.step} is {stands}, and the run is {status}"
        wanted = f"{decision.step} waits for {_phase_for(decision).value}"
        return Undecided(number=number, expected=wanted, found=found)

    def _pass_time(self) -> bool:
        """Set the clock to the next moment at which something is due; False if nothing helps."""
        coming = self._house.store.next_due()
        if coming is None or self._stands(coming):
            return False
        self._house.clock.at = max(coming, self._house.clock())
        return True

    def _stands(self, coming: datetime) -> bool:
        """Say whether nothing but reminders would happen to runs of which one needs somebody."""
        facts = sum(
            one.kind not in REMINDERS
            for each in self._house.line.known
            for one in self.entries(each)
        )
        if facts != self._moved[0]:
            self._moved = (facts, self._house.clock())
        known = self._house.line.known
        needs_somebody = any(self._house.store.run(one).status in NEEDS_SOMEBODY for one in known)
        return needs_somebody and coming > self._moved[1] + LONGEST_STANDING

    def _pass_until(self, moment: datetime) -> None:
        while (coming := self._house.store.next_due()) is not None and coming <= moment:
            self._house.clock.at = max(coming, self._house.clock())
            self._settle()
        self._house.clock.at = moment

    def _states(self) -> list[tuple[RunId, RunState]]:
        return [(run, replay(run, self.entries(run))) for run in list(self._house.line.known)]


def _phase_for(decision: Decision) -> Phase:
    if decision.verdict is not None:
        return Phase.ASKED
    if decision.answer is not None:
        return Phase.QUESTIONED
    return Phase.EXCEPTION if decision.settle is not None else Phase.IN_DOUBT


def _ways(engine: Engine, decision: Decision, waiting: _Waiting) -> Callable[[], object]:
    """Return what gives a decision."""
    person, request = id_of(decision.by), waiting.state.request
    run, step, reason = waiting.run, waiting.step, decision.reason
    verdict, settle, happened = decision.verdict, decision.settle, decision.happened
    if verdict is not None and request is not None:
        # Whoever refuses has to say why, and what they say matters to few tests.
        words = reason or ("No." if verdict is Verdict.DENY else "")
        ballot = Ballot(request=request, person=person, verdict=verdict, comment=words)
        return lambda: engine.decide(ballot)
    if decision.answer is not None and request is not None:
        values: dict[str, Json] = dict(decision.answer)
        return lambda: engine.answer(Reply(run=run, request=request, person=person, values=values))
    if settle is not None:
        return lambda: engine.settle_exception(
            run, step, person=person, answer=settle, reason=reason
        )
    if happened is None:
        raise InterlockError(f"Nobody was asked about {step}.")
    return lambda: engine.settle_doubt(run, step, person=person, happened=happened, reason=reason)
