"""Random workflows in random weeks: whatever a file may say, a run of it comes to a lawful end.

`INTERLOCK_PROPERTIES=long .venv/bin/python -m pytest tests/properties/test_random_workflows.py
-o timeout=0` looks for hours instead of seconds, at new workflows each time.
"""

import itertools
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial

from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.conftest import new_database
from tests.fuse import Crash
from tests.properties.drawn_policies import POLICIES, Rules, is_sound
from tests.properties.drawn_workflows import Drawn, workflows
from tests.properties.ends import check_undoing, left_behind
from tests.properties.happenings import REFUSED, TROUBLES, WAITS, Happenings
from tests.properties.office import Office
from tests.properties.told import say_all
from tests.properties.ways import (
    check_deadline,
    check_locks,
    check_places,
    check_told,
    check_tries,
    check_way,
)
from tests.world import (
    LOST,
    UNREACHABLE,
    failing,
    id_of,
    policy_in,
)
from workflows.actions.base import Happened
from workflows.breaking import Breaking
from workflows.delegating import NewDelegation
from workflows.entry import Entry, RequestId, RunId
from workflows.errors import InterlockError
from workflows.gate import Verdict
from workflows.glass import Finding
from workflows.orders import Ballot, Edit, Moving
from workflows.reviewing import Review
from workflows.run import Phase

IS_LONG = os.environ.get("INTERLOCK_PROPERTIES") == "long"
ANSWERS = ("retry", "retry", "skip", "skip", "undo", "abort")


def _cancel(machine: "RandomWorkflows", at: int) -> None:
    if run := machine.run_at(at):
        machine.office.house.engine.cancel(run, person=id_of("rita"), reason="enough")


def _move(machine: "RandomWorkflows", at: int) -> None:
    if run := machine.run_at(at):
        machine.office.house.activate(machine.drawn.versions[-1])
        wanted = Moving(run=run, person=id_of("omar"), reason="it is better")
        machine.office.house.engine.move(wanted)


def _decide(machine: "RandomWorkflows", at: int) -> None:
    verdict = Verdict.DENY if at == 0 else Verdict.APPROVE
    for one in machine.all_of("approval.requested"):
        with suppress(InterlockError):
            ballot = Ballot(request=_request(one), person=id_of("ana"), verdict=verdict)
            machine.office.house.engine.decide(ballot)


def _settle(machine: "RandomWorkflows", at: int) -> None:
    for run, step in machine.steps_in(Phase.EXCEPTION):
        with suppress(InterlockError):
            machine.say_of_exception(run, step, ANSWERS[at])


def _time(machine: "RandomWorkflows", at: int) -> None:
    machine.office.clock.forward(timedelta(minutes=(1, 5, 20, 60, 240, 1500)[at]))


def _other(machine: "RandomWorkflows", _at: int) -> None:
    """Have another worker look at every run, as one does that takes this one for dead."""
    engine = machine.office.another_worker()
    for run in machine.runs:
        engine.advance(run)


MEANWHILE: Mapping[str, Callable[["RandomWorkflows", int], None]] = {
    "cancel": _cancel,
    "move": _move,
    "decide": _decide,
    "settle": _settle,
    "time": _time,
    "other worker": _other,
}


class RandomWorkflows(Happenings):
    """Everything people, targets, clocks and power cuts do to runs of workflows drawn at random."""

    drawn: Drawn
    rules_so_far: list[Rules]

    def __init__(self, url: Callable[[], str] = str) -> None:
        super().__init__()
        self._url = url()

    def teardown(self) -> None:
        if hasattr(self, "office"):
            self._come_to_an_end()
            super().teardown()

    @initialize(
        drawn=workflows(is_sound),
        policy=st.sampled_from(sorted(POLICIES)),
        branches=st.sampled_from([1, 1, 3]),
        kind=st.sampled_from(["", *sorted(TROUBLES)]),
        times=st.integers(1, 4),
        steps=st.tuples(st.integers(0, 2), st.integers(0, 3)),
        can_probe=st.booleans(),
    )
    def begin(
        self,
        drawn: Drawn,
        policy: str,
        branches: int,
        kind: str,
        times: int,
        steps: tuple[int, int],
        *,
        can_probe: bool,
    ) -> None:
        """Begin in the middle: most of what is interesting comes after approvals, with trouble."""
        assert all(is_sound(one) for one in (*drawn.versions, *drawn.children))
        self.drawn, self.workflow, self.rules_so_far = drawn, drawn.name, [POLICIES[policy]]
        self.office = Office(
            self.folder,
            definitions=(*reversed(drawn.versions), *drawn.children),
            policy=POLICIES[policy].text,
            url=self._url,
            branches=branches,
        )
        self.office.house.activate(drawn.main)
        self.office.world.items = [{"name": "n", "by": 1}, {"name": "n", "by": 2}]
        self.office.world.can_probe = can_probe
        self.start()
        for _ in range(steps[0]):
            self.all_goes_well()
        if kind:
            self.trouble(kind, times)
        for _ in range(steps[1]):
            self.all_goes_well()

    @rule()
    def all_goes_well(self) -> None:
        """Have everybody agree and answer, Slack take every post, and time pass."""
        self.vote("dora", Verdict.APPROVE)
        self.answer("dora", 3)
        self.slack_says_what_became_of_posts(is_there=True)
        super().all_goes_well()

    @rule(after=st.integers(0, 3), at=st.integers(0, 9))
    def all_is_taken_back(self, after: int, at: int) -> None:
        """Let a run get somewhere and stop there, and have it undone."""
        for _ in range(after):
            self.all_goes_well()
        self.trouble("refused", 9)
        self.all_goes_well()
        self.office.world.trouble = lambda _place: None
        self.settle_one(at, "undo")

    # --- what happens beside ---------------------------------------------------------------------

    @rule(by=st.integers(1, 5))
    @precondition(lambda self: len(self.runs) < 6)
    def start_another(self, by: int) -> None:
        self.may(lambda: self.office.house.start(self.workflow, {"by": by}))

    @rule(at=st.integers(0, 3), to=st.integers(0, 2))
    def move(self, at: int, to: int) -> None:
        self.move_to(self.drawn.versions[to % len(self.drawn.versions)], at)

    @rule(by=st.sampled_from(["rita", "omar"]), to=st.integers(1, 5))
    def edit(self, by: str, to: int) -> None:
        for one in self.all_of("approval.requested"):
            wanted = Edit(request=_request(one), person=id_of(by), inputs={"by": to})
            self.may(partial(self.office.house.engine.edit, wanted))

    @rule(by=st.sampled_from(["sam", "sam", "ana"]))
    def break_glass(self, by: str) -> None:
        for one in self.all_of("approval.requested"):
            order = Breaking(request=_request(one), person=id_of(by), reason="it is down")
            self.may(partial(self.office.house.engine.break_glass, order))

    @rule(by=st.sampled_from(["omar", "sam"]), finding=st.sampled_from(Finding))
    def review_glass(self, by: str, finding: Finding) -> None:
        for one in self.all_of("break_glass.used"):
            said = Review(use=one.id, person=id_of(by), finding=finding, comment="so it was")
            self.may(partial(self.office.house.engine.review_glass, said))

    @rule(giver=st.sampled_from(["ana", "ben", "dora"]), to=st.sampled_from(["ben", "sam", ""]))
    def go_away(self, giver: str, to: str) -> None:
        until = self.office.clock() + timedelta(hours=50)
        word = NewDelegation(giver=id_of(giver), stand_in=id_of(to) if to else None, until=until)
        self.may(lambda: self.office.house.engine.delegate(word))

    @rule(at=st.integers(0, 8), verdicts=st.lists(st.sampled_from(Verdict), min_size=1, max_size=3))
    def vote_on_all_of_a_run(self, at: int, verdicts: list[Verdict]) -> None:
        run = self.run_at(at)
        asked = [_request(one) for one in self.all_of("approval.requested") if one.run == run]
        ballots = [
            Ballot(request=one, person=id_of("ana"), verdict=verdict)
            for one, verdict in zip(asked, itertools.cycle(verdicts), strict=False)
        ]
        if ballots:
            self.may(lambda: self.office.house.engine.decide_together(ballots))

    @rule(at=st.integers(0, 9), answer=st.sampled_from(ANSWERS))
    def settle_one(self, at: int, answer: str) -> None:
        if stopped := self.steps_in(Phase.EXCEPTION):
            run, step = stopped[at % len(stopped)]
            self.may(partial(self.say_of_exception, run, step, answer))

    @rule(at=st.integers(0, 20), error=st.sampled_from([REFUSED, LOST, UNREACHABLE, Crash("x")]))
    def trouble_with_one_step(self, at: int, error: Exception) -> None:
        if steps := (*self.drawn.steps, "back"):
            place = f"before {steps[at % len(steps)]}"
            self.office.world.trouble = failing(place, error, times=9)

    @rule(
        place=st.sampled_from(["before", "before", "after", "read", "list"]),
        what=st.sampled_from(sorted(MEANWHILE)),
        at=st.integers(0, 5),
    )
    def meanwhile(self, place: str, what: str, at: int) -> None:
        """Have something happen while an effect or a read is under way, once."""
        left = [1]

        def trouble(here: str) -> None:
            if here == place and left[0]:
                left[0] = 0
                with suppress(InterlockError):
                    MEANWHILE[what](self, at)

        self.office.world.trouble = trouble

    @rule(at=st.integers(0, 5))
    def its_segments_die(self, at: int) -> None:
        if run := self.run_at(at):
            self.may(lambda: self.office.house.engine.give_up(run, error_class="died"))

    @rule(after=st.integers(1, 30))
    def the_power_will_fail(self, after: int) -> None:
        """End the process at one of the next commits: before it, or with its answer lost."""
        self.office.fuse.blows_at = self.office.fuse.count + after

    @rule(is_there=st.sampled_from([True, True, False]))
    def slack_says_what_became_of_posts(self, *, is_there: bool) -> None:
        for run, step in self.steps_in(Phase.INTENDED):
            if step.startswith("post"):
                self.may(partial(self._answer_post, run, step, is_there=is_there))

    def _answer_post(self, run: RunId, step: str, *, is_there: bool) -> None:
        engine = self.office.house.engine
        if is_there:
            engine.delivered(run, step, output={"channel": "C0OPS", "ts": "1.000001"})
        else:
            engine.undeliverable(run, step=step, error_class="is_archived")

    @rule()
    def no_card_can_be_delivered(self) -> None:
        for one in (*self.all_of("approval.requested"), *self.all_of("question.asked")):
            self.may(partial(self._lose_card, RunId(str(one.run)), _request(one)))

    def _lose_card(self, run: RunId, request: RequestId) -> None:
        self.office.house.engine.undeliverable(run, request=request, error_class="is_archived")

    @rule(to=st.sampled_from(sorted(POLICIES)))
    def the_policy_changes(self, to: str) -> None:
        self.rules_so_far.append(POLICIES[to])
        self.office.house.policy = policy_in(POLICIES[to].text)

    @rule(number=st.sampled_from([0, 10, 100_000]), count=st.integers(0, 4), is_cut=st.booleans())
    def the_world_changes(self, number: int, count: int, *, is_cut: bool) -> None:
        world = self.office.world
        world.number, world.is_cut = number, is_cut and count > 2
        world.items = [{"name": "n", "by": one + 1} for one in range(count)]

    @rule()
    def everything_is_told(self) -> None:
        say_all(self.office, self.runs)

    # --- what must always hold -------------------------------------------------------------------

    @invariant()
    def nothing_happened_unasked_or_out_of_turn(self) -> None:
        for run in self.runs:
            entries, row = self.office.house.entries(run), self.office.store.run(run)
            definition = self.office.house.shelf.version(row.version)
            check_undoing(definition, entries)
            check_way(self.office.house.shelf.version, run, entries)
            check_told(run, entries, self.office.world.effects)
            if "run.moved" not in {one.kind for one in entries}:
                check_tries(definition, entries)
            self._check_asked(entries)
            check_deadline(entries)
        every = {run: self.office.house.entries(run) for run in self.runs}
        check_locks(every, {run: self.office.store.run(run).lock_key for run in every})
        found = (json.loads(one) for one in (self.drawn.main, *self.drawn.children))
        check_places(every, {one["workflow"]: one["at_once"] for one in found if "at_once" in one})

    def _check_asked(self, entries: list[Entry]) -> None:
        """What every policy so far asks about was asked about."""
        always = frozenset.intersection(*(one.asks for one in self.rules_so_far))
        for one in entries:
            if one.kind == "action.intended" and one.data["effect"] in always:
                assert one.data["request"] is not None

    def _come_to_an_end(self) -> None:
        """Have everybody do their part, then let all time pass; nothing may be left."""
        office = self.office
        office.fuse.blows_at = None
        office.world.trouble = lambda _place: None
        office.world.can_probe = office.house.town.is_readable = True
        office.world.number = 100_000
        office.work()
        say_all(office, self.runs)
        for turn in range(60):
            if all(office.store.run(one).status.is_end for one in self.runs):
                break
            self._do_your_part(ANSWERS[turn % len(ANSWERS)] if turn < 30 else "abort")
        for run in self.runs:
            status = office.store.run(run).status
            assert status.is_end, (run, status, office.house.kinds(run)[-5:])
        for _ in range(14):
            office.clock.forward(timedelta(days=31))
            office.work()
        self.nothing_is_wrong()
        self.nothing_happened_unasked_or_out_of_turn()
        assert left_behind(office.database) == []
        say_all(office, self.runs)
        event(f"versions: {len(self.drawn.versions)}")

    def _do_your_part(self, answer: str) -> None:
        self.slack_says_what_became_of_posts(is_there=True)
        for run, step in self.steps_in(Phase.IN_DOUBT):
            happened = f"{run}/{step}" in self.office.world.effects
            said = Happened.YES if happened else Happened.NO
            self.may(partial(self.say_of_doubt, run, step, said))
        self.settle_exceptions(answer)
        self.review_glass("omar", Finding.RIGHT)
        for name in ("ana", "ben", "dora", "sam"):
            self.vote(name, Verdict.APPROVE)
        for name in ("ben", "dora", "ana", "omar"):
            self.answer(name, 3)
        self.time_passes(WAITS[1])


def _request(entry: Entry) -> RequestId:
    return RequestId(str(entry.data["request"]))


class TestRandomWorkflows(RandomWorkflows.TestCase):  # type: ignore[misc]
    """The machine as a test."""

    settings = settings(
        max_examples=2_000 if IS_LONG else 20,
        stateful_step_count=40 if IS_LONG else 15,
        deadline=None,
    )


def test_random_workflows_on_postgres(postgres_server: str, postgres_schema: str) -> None:
    numbers = itertools.count(1)

    def url() -> str:
        name = f"random_{os.getpid()}_{next(numbers)}"
        return new_database(postgres_server, name, template=postgres_schema)

    run_state_machine_as_test(
        lambda: RandomWorkflows(url),
        settings=settings(
            max_examples=200 if IS_LONG else 3, stateful_step_count=10, deadline=None
        ),
    )
