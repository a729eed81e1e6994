"""Random weeks in the life of an office: what must never happen does not happen.

`INTERLOCK_PROPERTIES=long .venv/bin/python -m pytest tests/properties/test_runs.py
-o timeout=0` looks for hours instead of seconds, at new weeks each time.
"""

import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from tests.fuse import Crash
from tests.properties.office import Office
from tests.world import CHANGE, LOST, SLOW, UNREACHABLE, failing, id_of
from workflows.actions.base import Happened
from workflows.entry import RunId
from workflows.errors import ActionFailedError, InterlockError
from workflows.gate import Verdict
from workflows.loading import load_policy
from workflows.orders import Ballot, Edit

LOCKED = CHANGE.replace("workflow: change-it", "workflow: change-in-turn\nlock: number/one")
ONE = """
defaults: {expires: 24h}
rules:
  - name: destructive
    when: effect == "destructive"
    stages: [{from: ["@deciders"], approve: 1}]
"""
TWO = """
defaults: {expires: 6h}
rules:
  - name: destructive
    when: effect == "destructive"
    stages: [{from: ["@deciders"], approve: 2, deny: 2}, {from: ["@directors"], approve: 1}]
"""
THREE = """
defaults: {expires: 24h, quiet: {from: "22:00", to: "06:00"}}
rules:
  - name: destructive
    when: effect == "destructive"
    stages:
      - {all: [{from: ["@deciders"]}, {from: ["@owners", "@directors"]}]}
      - {from: ["@directors", "@deputies"]}
    remind: [5m, 30m]
    escalate: {after: 10m, to: ["@directors", "@askers"]}
    exclude: ["@zoe"]
"""
EVERYBODY = ("rita", "ana", "ben", "dora", "omar", "sam", "zoe")
GROUPS = ("@deciders", "@directors", "@owners", "@askers")
TROUBLES = {
    "lost before": ("before", LOST),
    "lost after": ("after", LOST),
    "unreachable": ("before", UNREACHABLE),
    "refused": ("before", ActionFailedError("no", error_class="refused")),
    "partly": ("after", ActionFailedError("half", error_class="broken_off", partly=True)),
    "slow read": ("read", SLOW),
    "killed before": ("before", Crash("before")),
    "killed after": ("after", Crash("after")),
    "killed reading": ("read", Crash("read")),
}
WAITS = (timedelta(seconds=20), timedelta(minutes=11), timedelta(hours=7), timedelta(hours=25))
PEOPLE = st.sampled_from(EVERYBODY)


class Weeks(RuleBasedStateMachine):
    """Everything people, targets, clocks and power cuts do to runs."""

    runs = Bundle("runs")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="interlock-weeks-"))
        self.office = Office(self.folder, definitions=(CHANGE, LOCKED), policy=ONE)
        self.known: list[RunId] = []

    def teardown(self) -> None:
        for run in self.known:
            event(f"a run ends up {self.office.house.status(run)}")
        for kind in {one.kind for run in self.known for one in self.office.house.entries(run)}:
            event(f"there is {kind}")
        self.office.check_log()
        self.office.close()
        shutil.rmtree(self.folder)

    # --- what people do ----------------------------------------------------------------------

    @initialize(
        target=runs,
        workflow=st.sampled_from(["change-it", "change-in-turn"]),
        kind=st.sampled_from(["", *sorted(TROUBLES)]),
        times=st.integers(1, 6),
        can_probe=st.booleans(),
        policy=st.sampled_from([ONE, THREE]),
        late=st.booleans(),
    )
    def begin(
        self, workflow: str, kind: str, times: int, *, can_probe: bool, policy: str, late: bool
    ) -> object:
        """Begin in the middle: most of what is interesting comes after an approval."""
        self.policy_changes(policy)
        run = self._start(workflow, "rita")
        self.probing(can_probe=can_probe)
        if late:
            self.time_passes(WAITS[1])
        if run is not None and kind:
            self.approve_into_trouble(run, kind, times)
        return run

    @rule(
        target=runs,
        workflow=st.sampled_from(["change-it", "change-in-turn"]),
        by=st.sampled_from(["rita", "rita", "ana"]),
    )
    @precondition(lambda self: len(self.known) < 4)
    def start(self, workflow: str, by: str) -> object:
        run = self._start(workflow, by)
        return multiple() if run is None else run

    def _start(self, workflow: str, by: str) -> RunId | None:
        try:
            run = self.office.house.start(workflow, by=by)
        except InterlockError:
            return None
        self.known.append(run)
        self.office.work()
        return run

    @rule(run=runs, by=PEOPLE, verdict=st.sampled_from([Verdict.APPROVE] * 3 + [Verdict.DENY]))
    def vote(self, run: RunId, by: str, verdict: Verdict) -> None:
        self._may(lambda: self._vote(run, by, verdict))

    @rule(run=runs, kind=st.sampled_from(sorted(TROUBLES)), times=st.integers(1, 6))
    def approve_into_trouble(self, run: RunId, kind: str, times: int) -> None:
        self.trouble(kind, times)
        for name in ("ana", "omar", "ben", "dora", "sam"):
            self.vote(run, name, Verdict.APPROVE)

    def _vote(self, run: RunId, by: str, verdict: Verdict) -> None:
        if "approval.requested" in self.office.house.kinds(run):
            self.office.house.vote(run, verdict, by=by)

    @rule(run=runs, by=PEOPLE, verdict=st.sampled_from(Verdict))
    def vote_on_the_first_card(self, run: RunId, by: str, verdict: Verdict) -> None:
        asked = [one for one in self.office.house.entries(run) if one.kind == "approval.requested"]
        if asked:
            ballot = Ballot(
                request=asked[0].data["request"],  # type: ignore[arg-type]
                shown=str(asked[0].data["binding"])[:8],
                person=id_of(by),
                verdict=verdict,
            )
            self._may(lambda: self.office.house.engine.decide(ballot))

    @rule(run=runs, by=st.sampled_from(["rita", "rita", "ana", "zoe"]), to=st.integers(4, 7))
    def edit(self, run: RunId, by: str, to: int) -> None:
        asked = [one for one in self.office.house.entries(run) if one.kind == "approval.requested"]
        if asked:
            request = self.office.house.request(run).id
            wanted = Edit(request=request, person=id_of(by), inputs={"by": to})
            self._may(lambda: self.office.house.engine.edit(wanted))

    @rule(run=runs, by=PEOPLE)
    def cancel(self, run: RunId, by: str) -> None:
        self._may(lambda: self.office.house.engine.cancel(run, person=id_of(by), reason="enough"))

    @rule(run=runs, by=st.sampled_from(["omar", "sam", "rita"]), said=st.sampled_from(Happened))
    def settle_doubt(self, run: RunId, by: str, said: Happened) -> None:
        engine = self.office.house.engine
        self._may(lambda: engine.settle_doubt(run, "change", person=id_of(by), happened=said))

    @rule(
        run=runs,
        step=st.sampled_from(["look", "change"]),
        by=st.sampled_from(["omar", "sam", "ana"]),
        answer=st.sampled_from(["retry", "skip", "abort"]),
    )
    def settle_exception(self, run: RunId, step: str, by: str, answer: str) -> None:
        engine = self.office.house.engine
        self._may(lambda: engine.settle_exception(run, step, person=id_of(by), answer=answer))

    # --- what happens around them --------------------------------------------------------------

    @rule(wait=st.sampled_from(WAITS))
    def time_passes(self, wait: timedelta) -> None:
        self.office.clock.forward(wait)
        self.office.work()

    @rule(name=PEOPLE, group=st.sampled_from(GROUPS))
    def join_or_leave(self, name: str, group: str) -> None:
        self.office.house.town.groups[group] ^= {name}

    @rule(readable=st.booleans())
    def directory(self, *, readable: bool) -> None:
        self.office.house.town.is_readable = readable

    @rule(text=st.sampled_from([ONE, TWO, THREE]))
    def policy_changes(self, text: str) -> None:
        self.office.house.policy = load_policy(text)

    @rule(kind=st.sampled_from(sorted(TROUBLES)), times=st.integers(1, 6))
    def trouble(self, kind: str, times: int) -> None:
        place, error = TROUBLES[kind]
        self.office.world.trouble = failing(place, error, times=times)  # type: ignore[arg-type]

    @rule(can_probe=st.booleans())
    def probing(self, *, can_probe: bool) -> None:
        self.office.world.can_probe = can_probe

    @rule(by=st.integers(-200, 900))
    def number_changes(self, by: int) -> None:
        self.office.world.number = max(0, self.office.world.number + by)

    @rule(run=runs)
    def card_is_undeliverable(self, run: RunId) -> None:
        with self.office.store.begin() as unit:
            request = unit.open_request(run)
        if request is not None:
            engine = self.office.house.engine
            self._may(
                lambda: engine.undeliverable(run, request=request.id, error_class="is_archived")
            )

    @rule()
    def restart(self) -> None:
        self.office.restart()

    # --- what must always hold -----------------------------------------------------------------

    @invariant()
    def nothing_is_wrong(self) -> None:
        self.office.check(self.known)

    def _may(self, do: Callable[[], object]) -> None:
        """Do it, take no for an answer, and let the office work on."""
        with suppress(InterlockError):
            do()
        self.office.work()


class TestWeeks(Weeks.TestCase):  # type: ignore[misc]
    """The machine as a test."""

    settings = settings(
        max_examples=40 if os.environ.get("INTERLOCK_PROPERTIES") != "long" else 2_000,
        stateful_step_count=25,
    )
