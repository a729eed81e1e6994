"""What people, targets, clocks and power cuts do to runs, whatever their workflows are.

State machines inherit these rules and say for themselves which runs there are to begin. What must
hold after each of them is checked from entries and tables.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

from hypothesis import event
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.crash.flow_paths import runs_of
from tests.fuse import Crash
from tests.properties.ends import check_standing
from tests.properties.office import Office, check_intents
from tests.world import LOST, SLOW, UNREACHABLE, failing, id_of
from workflows.actions.base import Happened
from workflows.entry import Entry, RequestId, RunId
from workflows.errors import ActionFailedError, InterlockError
from workflows.gate import Verdict
from workflows.orders import Ballot, Moving
from workflows.questioning import Answer
from workflows.replay import replay
from workflows.run import Phase

EVERYBODY = ("rita", "ana", "ben", "omar", "sam", "zoe")
REFUSED = ActionFailedError("no", error_class="refused")
TROUBLES = {
    "lost before": ("before", LOST),
    "lost after": ("after", LOST),
    "unreachable": ("before", UNREACHABLE),
    "refused": ("before", REFUSED),
    "partly": ("after", ActionFailedError("half", error_class="broken_off", partly=True)),
    "slow read": ("list", SLOW),
    "killed before": ("before", Crash("before")),
    "killed after": ("after", Crash("after")),
}
WAITS = (timedelta(minutes=11), timedelta(hours=3), timedelta(hours=7), timedelta(hours=25))


class Happenings(RuleBasedStateMachine):
    """Runs, and everything that happens to them. `office` and `workflow` are the machine's own."""

    office: Office
    workflow: str

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="interlock-happenings-"))

    def teardown(self) -> None:
        for run in self.runs:
            event(f"a run ends up {self.office.house.status(run)}")
        for kind in {one.kind for run in self.runs for one in self.office.house.entries(run)}:
            event(f"there is {kind}")
        self.office.check_log()
        self.office.close()
        shutil.rmtree(self.folder)

    @property
    def runs(self) -> list[RunId]:
        return runs_of(self.office.house)

    def start(self) -> None:
        self.may(lambda: self.office.house.start(self.workflow))

    @rule()
    def all_goes_well(self) -> None:
        """Have whoever is asked agree and answer, and what is waited for come."""
        self.vote("ana", Verdict.APPROVE)
        self.answer("ben", 3)
        self.office.clock.forward(timedelta(hours=3))
        self.office.work()

    @rule(
        by=st.sampled_from(["ana", "ana", "ben", *EVERYBODY]),
        verdict=st.sampled_from([*[Verdict.APPROVE] * 4, Verdict.DENY]),
    )
    def vote(self, by: str, verdict: Verdict) -> None:
        for one in self.all_of("approval.requested"):
            request = RequestId(str(one.data["request"]))
            ballot = Ballot(request=request, person=id_of(by), verdict=verdict)
            self.may(partial(self.office.house.engine.decide, ballot))

    @rule(by=st.sampled_from(["ana", "ben", *EVERYBODY]), value=st.integers(0, 6))
    def answer(self, by: str, value: int) -> None:
        for one in self.all_of("question.asked"):
            given = Answer(
                run=RunId(str(one.run)),
                request=RequestId(str(one.data["request"])),
                person=id_of(by),
                values={"did": "same"} if one.data.get("shadow") else {"by": value},
            )
            self.may(partial(self.office.house.engine.answer, given))

    @rule(at=st.integers(0, 3), by=st.sampled_from(["rita", "omar"]))
    def cancel(self, at: int, by: str) -> None:
        if run := self.run_at(at):
            self.may(
                lambda: self.office.house.engine.cancel(run, person=id_of(by), reason="enough")
            )

    def move_to(self, text: str, at: int) -> None:
        """Have people agree to another version, and a run go by it."""
        if run := self.run_at(at):
            self.may(lambda: self.office.house.activate(text))
            wanted = Moving(run=run, person=id_of("omar"), reason="it is better")
            self.may(lambda: self.office.house.engine.move(wanted))

    @rule(said=st.sampled_from(Happened))
    def settle_doubts(self, said: Happened) -> None:
        for run, step in self.steps_in(Phase.IN_DOUBT):
            self.may(partial(self.say_of_doubt, run, step, said))

    def say_of_doubt(self, run: RunId, step: str, said: Happened) -> None:
        engine = self.office.house.engine
        engine.settle_doubt(run, step, person=id_of("omar"), happened=said)

    @rule(answer=st.sampled_from(["retry", "retry", "skip", "abort", "undo", "undo"]))
    def settle_exceptions(self, answer: str) -> None:
        for run, step in self.steps_in(Phase.EXCEPTION):
            self.may(partial(self.say_of_exception, run, step, answer))

    def say_of_exception(self, run: RunId, step: str, answer: str) -> None:
        engine = self.office.house.engine
        engine.settle_exception(run, step, person=id_of("omar"), answer=answer)

    @rule(wait=st.sampled_from(WAITS))
    def time_passes(self, wait: timedelta) -> None:
        self.office.clock.forward(wait)
        self.office.work()

    @rule(hours=st.sampled_from([-30, -1, 40]))
    def the_clock_jumps(self, hours: int) -> None:
        """Nobody waited: the machine's clock was wrong, or is now."""
        self.office.clock.forward(timedelta(hours=hours))
        self.office.work()

    @rule(kind=st.sampled_from(sorted(TROUBLES)), times=st.integers(1, 4))
    def trouble(self, kind: str, times: int) -> None:
        place, error = TROUBLES[kind]
        self.office.world.trouble = failing(place, error, times=times)  # type: ignore[arg-type]

    @rule(can_probe=st.booleans(), readable=st.booleans())
    def what_can_be_known(self, *, can_probe: bool, readable: bool) -> None:
        self.office.world.can_probe = can_probe
        self.office.house.town.is_readable = readable

    @rule()
    def restart(self) -> None:
        self.office.restart()

    @invariant()
    def nothing_is_wrong(self) -> None:
        for run in self.runs:
            entries = self.office.house.entries(run)
            assert [one.rseq for one in entries] == list(range(len(entries)))
            self._check_end(run, entries)
            check_intents(entries)
            check_each_effect(run, entries, self.office.world.effects)
        self.office.check([])

    def _check_end(self, run: RunId, entries: Sequence[Entry]) -> None:
        ends = [one.rseq for one in entries if one.kind in ("run.finished", "run.cancelled")]
        with self.office.store.begin() as unit:
            row, request = unit.lock_run(run), unit.open_request(run)
        state = replay(run, entries)
        assert row.status.is_end == bool(ends)
        if row.status.is_end:
            assert ends == [len(entries) - 1]
            assert request is None
            assert state.open_intent is None
            # A review of broken glass outlives its run, until somebody has given it.
            left = {one.kind.value for one in self.office.house.due(run)}
            assert left <= {"summarise", "cancel", "review"}
        else:
            check_standing(self.office, run)

    # --- what there is -------------------------------------------------------------------------

    def run_at(self, at: int) -> RunId | None:
        """Return one of the runs, if there is any."""
        runs = self.runs
        return runs[at % len(runs)] if runs else None

    def steps_in(self, phase: Phase) -> list[tuple[RunId, str]]:
        states = [(run, replay(run, self.office.house.entries(run))) for run in self.runs]
        return [
            (run, name)
            for run, state in states
            for name, one in state.steps.items()
            if one.phase is phase
        ]

    def all_of(self, kind: str) -> list[Entry]:
        return [
            one for run in self.runs for one in self.office.house.entries(run) if one.kind == kind
        ]

    def may(self, do: Callable[[], object]) -> None:
        """Do it, take no for an answer, and let the office work on."""
        try:
            with suppress(InterlockError):
                do()
        except Crash:
            self.office.restart()
        self.office.work()


def check_each_effect(run: RunId, entries: Sequence[Entry], effects: Sequence[str]) -> None:
    """Every effect of a run happened once, unless a person had that step done again."""
    happened = Counter(key for key in effects if key.startswith(f"{run}/"))
    for key, times in happened.items():
        step = key.partition("/")[2]
        own = [one for one in entries if one.data.get("step") == step]
        again = sum(
            one.actor.is_person
            and (
                (one.kind == "action.resolved" and one.data["happened"] == "no")
                or (one.kind == "decision.made" and one.data["decision"] == "retry")
            )
            for one in own
        )
        assert times <= 1 + again, (key, [one.kind for one in own])
        assert times <= sum(one.kind == "action.intended" for one in own)
