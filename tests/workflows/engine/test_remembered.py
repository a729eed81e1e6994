"""What a process remembers of a long run is what its entries say, whoever wrote them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from storage.store import SqlStore
from tests.workflows.engine.flows import destructive, workflow
from tests.world import Clock, Working
from workflows.entry import RunId
from workflows.remembered import LONG, MOST_AGE, Remembered
from workflows.replay import replay
from workflows.run import RunState

LOOP = workflow(
    "long",
    f"""
steps:
  - id: each
    foreach: "${{{{ [{",".join("0" * LONG)}] }}}}"
    steps: [{{id: one, uses: world.read, with: {{name: n}}}}]
  - {destructive("last")}
  - {destructive("again")}
""",
)


class Counting:
    """A store that notes from where on histories are read."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self.read: list[int] = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the store has.
        return getattr(self._store, name)

    def history(self, run: RunId, *, after: int = -1) -> Any:  # noqa: ANN401 - as the store's.
        self.read.append(after)
        return self._store.history(run, after=after)


@pytest.fixture
def house(store: SqlStore, clock: Clock) -> Working:
    return Working(store, clock, definitions=(LOOP,))


@pytest.fixture
def waiting(house: Working) -> RunId:
    """A run whose loop is done, and whose next step waits for people."""
    run = house.start("long")
    house.settle()
    assert house.status(run) == "waiting"
    return run


def told(store: SqlStore, run: RunId) -> RunState:
    return replay(run, store.history(run)[1])


def test_what_another_process_wrote_is_added_to_what_is_remembered(
    store: SqlStore, clock: Clock, house: Working, waiting: RunId
) -> None:
    known = Remembered()
    known.keep(told(store, waiting), now=clock())
    before = told(store, waiting).rseq
    other = Working(store, clock, definitions=(LOOP,), world=house.world)
    other.approve(waiting, by="ana")
    other.settle()
    counting = Counting(store)

    _, state = known.history(counting, waiting, now=clock())  # type: ignore[arg-type]

    assert state == told(store, waiting)
    assert state.rseq > before
    assert counting.read == [before - 1]


def test_a_long_run_goes_on_from_what_is_remembered_and_ends_the_same(
    store: SqlStore, clock: Clock, house: Working, waiting: RunId
) -> None:
    house.approve(waiting, by="ana")
    house.settle()
    other = Working(store, clock, definitions=(LOOP,), world=house.world)
    other.approve(waiting, by="ana")
    house.engine.advance(waiting)
    house.settle()

    assert house.status(waiting) == "done"
    assert len(house.world.effects) == len(set(house.world.effects)) == 2


def test_a_database_that_went_back_to_a_copy_is_read_as_a_whole(
    store: SqlStore, clock: Clock, waiting: RunId
) -> None:
    known, state = Remembered(), told(store, waiting)
    known.keep(replace(state, moved_at=clock() - timedelta(hours=1)), now=clock())
    counting = Counting(store)

    assert known.history(counting, waiting, now=clock())[1] == state  # type: ignore[arg-type]
    assert counting.read == [state.rseq - 1, -1]

    known.keep(replace(state, rseq=state.rseq + 9), now=clock())

    assert known.history(counting, waiting, now=clock())[1] == state  # type: ignore[arg-type]


def test_after_a_minute_the_whole_history_counts_again(
    store: SqlStore, clock: Clock, waiting: RunId
) -> None:
    known, state = Remembered(), told(store, waiting)
    known.keep(state, now=clock())
    clock.forward(MOST_AGE / 2)
    known.keep(state, now=clock())  # Used again, which does not make it younger.
    clock.forward(MOST_AGE / 2 + timedelta(seconds=1))
    counting = Counting(store)
    known.history(counting, waiting, now=clock())  # type: ignore[arg-type]

    assert counting.read == [-1]


def test_a_state_that_holds_much_is_not_kept(store: SqlStore, clock: Clock, waiting: RunId) -> None:
    known, state = Remembered(), told(store, waiting)
    name, step = next(iter(state.steps.items()))
    heavy = replace(step, output={"rows": ["x" * 1000] * 2000})
    known.keep(replace(state, steps={**state.steps, name: heavy}), now=clock())
    counting = Counting(store)
    known.history(counting, waiting, now=clock())  # type: ignore[arg-type]

    assert counting.read == [-1]
