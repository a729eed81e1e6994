"""Random weeks of runs that branch, loop, wait, ask, call others and are undone.

`INTERLOCK_PROPERTIES=long .venv/bin/python -m pytest tests/properties/test_flows.py
-o timeout=0` looks for hours instead of seconds, at new weeks each time.
"""

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.crash.flow_paths import BACK, CHILD, runs_of
from tests.fuse import Crash
from tests.properties.office import Office, check_intents
from tests.workflows.engine.flows import change, destructive, workflow
from tests.world import LOST, POLICY, SLOW, UNREACHABLE, failing, id_of
from workflows.actions.base import Happened
from workflows.entry import Entry, RequestId, RunId
from workflows.errors import ActionFailedError, InterlockError
from workflows.gate import Verdict
from workflows.orders import Ballot, Moving
from workflows.questioning import Answer
from workflows.replay import replay
from workflows.run import WAITING, Phase, Status

EVERYTHING = workflow(
    "everything",
    f"""
at_once: 2
deadline: 20h
steps:
  - id: look
    uses: world.list
    with: {{name: x}}
  - id: sides
    parallel:
      left:
        - id: each
          foreach: "${{{{ steps.look.output.rows }}}}"
          max_parallel: 2
          on_item_failure: continue
          steps:
            - {change("pay", '"${{ item.by }}"')}
            - {destructive("send", undo=BACK)}
      right:
        - {{id: rest, wait: 3h}}
        - id: how
          ask:
            of: ["@deciders"]
            question: How?
            fields: {{by: {{type: integer, minimum: 1, maximum: 5}}}}
            expires: 6h
        - {destructive("give", '"${{ steps.how.output.by }}"', undo=BACK)}
  - {{id: inner, workflow: child}}
  - {change("last")}
""",
)
NOTE = "            - {id: note, wait: 1m}\n      right:"
# Other versions, some of which a run cannot go by once it has come far enough.
NEWER = {
    "as it was": EVERYTHING,
    "other words": EVERYTHING.replace("- {id: inner,", '- {id: inner, title: "Another",'),
    "a step in the loop": EVERYTHING.replace("      right:", NOTE),
    "a step at the end": EVERYTHING + "  - {id: more, wait: 1m}\n",
    "another end": EVERYTHING.replace("id: last,", "id: end,"),
    "a step before": EVERYTHING.replace(
        "- {id: inner,", "- {id: pause, wait: 1m}\n  - {id: inner,"
    ),
}
EVERYBODY = ("rita", "ana", "ben", "omar", "sam", "zoe")
TROUBLES = {
    "lost before": ("before", LOST),
    "lost after": ("after", LOST),
    "unreachable": ("before", UNREACHABLE),
    "refused": ("before", ActionFailedError("no", error_class="refused")),
    "refused at the end": ("before last", ActionFailedError("no", error_class="refused")),
    "slow read": ("list", SLOW),
    "killed before": ("before", Crash("before")),
    "killed after": ("after", Crash("after")),
}
WAITS = (timedelta(minutes=11), timedelta(hours=3), timedelta(hours=7), timedelta(hours=25))


class Flows(RuleBasedStateMachine):
    """Everything people, targets, clocks and power cuts do to runs of many branches."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="interlock-flows-"))
        definitions = (*reversed(NEWER.values()), CHILD)
        self.office = Office(self.folder, definitions=definitions, policy=POLICY)
        self.office.house.activate(EVERYTHING)
        self.office.world.items = [{"name": "n", "by": 1}, {"name": "n", "by": 2}]

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

    @initialize(kind=st.sampled_from(["", *sorted(TROUBLES)]), steps=st.integers(0, 4))
    def begin(self, kind: str, steps: int) -> None:
        """Begin in the middle: most of what is interesting comes after some approvals."""
        self.start()
        for _ in range(steps):
            self.all_goes_well()
        if kind:
            self.trouble(kind, 2)

    @rule()
    @precondition(lambda self: len(self.runs) < 4)
    def start(self) -> None:
        self._may(lambda: self.office.house.start("everything"))

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
        for one in self._all("approval.requested"):
            request = RequestId(str(one.data["request"]))
            self._may(partial(self._decide, request, by, verdict))

    def _decide(self, request: RequestId, by: str, verdict: Verdict) -> None:
        ballot = Ballot(request=request, person=id_of(by), verdict=verdict)
        self.office.house.engine.decide(ballot)

    @rule(by=st.sampled_from(["ana", "ben", *EVERYBODY]), value=st.integers(0, 6))
    def answer(self, by: str, value: int) -> None:
        for one in self._all("question.asked"):
            given = Answer(
                run=RunId(str(one.run)),
                request=RequestId(str(one.data["request"])),
                person=id_of(by),
                values={"by": value},
            )
            self._may(partial(self.office.house.engine.answer, given))

    @rule(at=st.integers(0, 3), by=st.sampled_from(["rita", "omar"]))
    def cancel(self, at: int, by: str) -> None:
        run = self.runs[at % len(self.runs)]
        engine = self.office.house.engine
        self._may(lambda: engine.cancel(run, person=id_of(by), reason="enough"))

    @rule(at=st.integers(0, 3), to=st.sampled_from(sorted(NEWER)))
    def move(self, at: int, to: str) -> None:
        """Have people agree to another version, and a run go by it."""
        run, house = self.runs[at % len(self.runs)], self.office.house
        house.activate(NEWER[to])
        wanted = Moving(run=run, person=id_of("omar"), reason="it is better")
        self._may(lambda: house.engine.move(wanted))

    @rule(said=st.sampled_from(Happened))
    def settle_doubts(self, said: Happened) -> None:
        for run, step in self._steps_in(Phase.IN_DOUBT):
            engine = self.office.house.engine
            self._may(partial(engine.settle_doubt, run, step, person=id_of("omar"), happened=said))

    @rule(answer=st.sampled_from(["retry", "retry", "skip", "abort", "undo", "undo"]))
    def settle_exceptions(self, answer: str) -> None:
        for run, step in self._steps_in(Phase.EXCEPTION):
            engine = self.office.house.engine
            self._may(
                partial(engine.settle_exception, run, step, person=id_of("omar"), answer=answer)
            )

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
            assert {one.kind.value for one in self.office.house.due(run)} <= {
                "summarise",
                "cancel",
            }
        elif row.status in (Status.WAITING, Status.EXCEPTION, Status.IN_DOUBT):
            assert any(one in WAITING for one in state.marked.values())

    def _steps_in(self, phase: Phase) -> list[tuple[RunId, str]]:
        states = [(run, replay(run, self.office.house.entries(run))) for run in self.runs]
        return [
            (run, name)
            for run, state in states
            for name, one in state.steps.items()
            if one.phase is phase
        ]

    def _all(self, kind: str) -> list[Entry]:
        return [
            one for run in self.runs for one in self.office.house.entries(run) if one.kind == kind
        ]

    def _may(self, do: Callable[[], object]) -> None:
        """Do it, take no for an answer, and let the office work on."""
        with suppress(InterlockError):
            do()
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


class TestFlows(Flows.TestCase):  # type: ignore[misc]
    """The machine as a test."""

    settings = settings(
        max_examples=25 if os.environ.get("INTERLOCK_PROPERTIES") != "long" else 2_000,
        stateful_step_count=20,
        deadline=None,
    )
