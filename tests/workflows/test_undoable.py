"""What a run has done, and what of it can be taken back, from its entries alone."""

import itertools

from tests.world import NOON
from workflows.entry import INTERLOCK, Entry, Json, RunId
from workflows.loading import load_definition
from workflows.replay import replay
from workflows.run import RunState
from workflows.undoable import Done, done

RUN = RunId("r1")

SHOP = """
workflow: sell-it
title: Sell it
owner: "@owners"
deputy: "@deputies"
steps:
  - id: look
    uses: world.read
    with: {name: number}
  - id: charge
    uses: world.change
    with: {name: number, by: 1}
    undo: {uses: world.change, with: {name: number, by: -1}}
  - id: reserve
    uses: world.change
    with: {name: number, by: 2}
    undo:
      uses: world.change
      with: {name: number, by: -2}
      verify: {uses: world.read, with: {name: number}, expect: result.value >= 0}
  - id: tell
    uses: world.change
    with: {name: number, by: 3}
    undo: none
  - id: ship
    uses: world.change
    with: {name: number, by: 4}
"""
DEFINITION = load_definition(SHOP)


class History:
    """The entries of a run, written step by step."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._ids = itertools.count(1)

    def add(self, kind: str, **data: Json) -> "History":
        self.entries.append(
            Entry(
                id=f"e{next(self._ids)}",
                index=None,
                run=RUN,
                rseq=len(self.entries),
                at=NOON,
                kind=kind,
                actor=INTERLOCK,
                data=data,
                parts={},
            )
        )
        return self

    def started(self) -> "History":
        return self.add("run.started", workflow="sell-it", version="v", trigger="slash")

    def read(self, step: str) -> "History":
        return self.add("step.observed", step=step, attempt=1, action="world.read", outcome="ok")

    def intended(self, step: str, attempt: int = 1) -> "History":
        return self.add(
            "action.intended",
            step=step,
            attempt=attempt,
            action="world.change",
            effect="write",
            target="",
            idem=f"{RUN}/{step}",
            binding=None,
            request=None,
        )

    def end(self, kind: str, step: str, attempt: int = 1, **more: Json) -> "History":
        return self.add(kind, step=step, attempt=attempt, idem=f"{RUN}/{step}", **more)

    def executed(self, step: str, attempt: int = 1) -> "History":
        return self.intended(step, attempt).end("action.executed", step, attempt, ms=1)

    def failed(self, step: str, attempt: int = 1, *, performed: str = "no") -> "History":
        self.intended(step, attempt)
        told: dict[str, Json] = {"error_class": "x", "performed": performed, "again": False}
        return self.end("action.failed", step, attempt, **told)

    def resolved(self, step: str, happened: str, attempt: int = 1) -> "History":
        return self.end("action.resolved", step, attempt, happened=happened, by="person")

    def decided(self, step: str, decision: str) -> "History":
        return self.add("decision.made", step=step, decision=decision, rule="person")

    @property
    def state(self) -> RunState:
        return replay(RUN, self.entries)

    @property
    def done(self) -> Done:
        return done(DEFINITION, self.state)


def begun() -> History:
    return History().started().read("look")


def test_an_untouched_run_has_done_nothing() -> None:
    assert History().started().done == Done()


def test_what_happened_is_sorted_by_what_the_definition_says_of_undoing_it() -> None:
    history = begun().executed("charge").executed("reserve").executed("tell").executed("ship")

    assert history.done == Done(
        undoable=("charge", "reserve"), final=("tell", "ship"), read=("look",)
    )


def test_the_order_is_that_in_which_things_took_effect_not_that_of_the_file() -> None:
    history = begun().intended("charge").executed("reserve")
    history.end("action.executed", "charge", ms=1)

    assert history.done.undoable == ("reserve", "charge")


def test_each_item_of_a_loop_stands_for_itself() -> None:
    history = begun().executed("charge/0").failed("charge/1").executed("charge/2")

    assert history.done.undoable == ("charge/0", "charge/2")


def test_what_certainly_did_not_happen_is_not_listed() -> None:
    assert begun().failed("charge").done == Done(read=("look",))


def test_what_happened_in_part_is_unclear_and_not_undone_by_itself() -> None:
    history = begun().failed("charge", performed="partly").decided("charge", "exception")

    assert history.done == Done(unclear=("charge",), read=("look",))


def test_what_happened_in_part_stays_unclear_although_a_later_attempt_did_nothing() -> None:
    history = begun().failed("charge", performed="partly").decided("charge", "retry")

    assert history.failed("charge").done == Done(unclear=("charge",), read=("look",))


def test_what_is_under_way_or_in_doubt_is_unclear() -> None:
    under_way = begun().intended("charge")
    in_doubt = begun().intended("charge").end("action.in_doubt", "charge", cause="crash")

    assert under_way.done.unclear == in_doubt.done.unclear == ("charge",)


def test_what_a_person_says_of_a_doubt_counts() -> None:
    def doubt() -> History:
        return begun().intended("charge").end("action.in_doubt", "charge", cause="crash")

    assert doubt().resolved("charge", "yes").done.undoable == ("charge",)
    assert doubt().resolved("charge", "no").done == Done(read=("look",))
    assert doubt().resolved("charge", "unknown").done.unclear == ("charge",)


def test_an_effect_that_does_not_show_and_is_skipped_has_happened_all_the_same() -> None:
    history = begun().executed("charge")
    history.add("verification.failed", step="charge", check="world.read", attempt=1)

    assert history.done.undoable == ("charge",)
    assert history.decided("charge", "skip").done.undoable == ("charge",)


def test_a_second_attempt_that_fails_does_not_hide_that_the_first_one_happened() -> None:
    history = begun().executed("charge")
    history.add("verification.failed", step="charge", check="world.read", attempt=1)
    history.decided("charge", "retry").failed("charge", 2)

    assert history.done.undoable == ("charge",)


def test_the_late_yes_of_an_earlier_attempt_counts_too() -> None:
    history = begun().intended("charge").end("action.in_doubt", "charge", cause="crash")
    history.resolved("charge", "no").failed("charge", 2)
    history.end("action.resolved", "charge", 1, happened="yes", by="late_reply")

    assert history.done.undoable == ("charge",)
    assert history.state.step("charge").phase == "failed"


def test_what_is_taken_back_leaves_the_list_when_that_is_certain() -> None:
    history = begun().executed("charge").executed("reserve").executed("charge/0")
    history.executed("charge/undo").executed("charge/0/undo").executed("reserve/undo")
    assert history.done == Done(
        undoable=("reserve",), undone=("charge", "charge/0"), read=("look",)
    )
    history.add("verification.passed", step="reserve/undo", check="world.read", attempt=1)

    assert history.done.undone == ("charge", "reserve", "charge/0")
    assert history.done.undoable == ()


def test_an_undoing_that_failed_is_still_to_be_done_and_one_that_is_skipped_never() -> None:
    history = begun().executed("charge").failed("charge/undo", performed="partly")
    assert history.done.undoable == ("charge",)

    assert history.decided("charge/undo", "skip").done.final == ("charge",)


def test_a_step_that_the_definition_does_not_know_stays_done() -> None:
    assert begun().executed("gone").done.final == ("gone",)
