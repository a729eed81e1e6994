"""A verification that passed may ride on a commit: never lost with what rests on it, nor twice.

So it is with what came of an effect, when the answer to its own commit is lost.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from storage.rebuild import check_projections
from storage.store import SqlStore
from tests.workflows.engine.flows import change, workflow
from tests.world import Clock, Working, World, id_of
from workflows.entry import RunId
from workflows.errors import StorageUnavailableError
from workflows.store import Store, Unit

PROOF = ", verify: {uses: world.read, with: {name: x}, expect: 'result.value >= 0'}"
SEEN = workflow(
    "seen",
    f"""
steps:
  - {change("first", more=PROOF)}
  - {{id: look, uses: world.read, with: {{name: x}}}}
  - {change("second", more=PROOF)}
""",
)
WHOLE = [
    "run.started",
    *("action.intended", "action.executed", "verification.passed"),
    "step.observed",
    *("action.intended", "action.executed", "verification.passed"),
    "run.finished",
]
COMMITS = 8
COMMITS_OF_SEGMENT = 6  # Intent, end, verification; read and intent, end, verification and end.


class Ending:
    """A store whose process ends before its n-th commit."""

    def __init__(self, store: SqlStore, *, at: int) -> None:
        self._store = store
        self._left = at

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever the store has
        return getattr(self._store, name)

    def begin(self) -> AbstractContextManager[Unit]:
        self._left -= 1
        if self._left == 0:
            raise KeyboardInterrupt
        return self._store.begin()


class Forgetful:
    """A store on a line that breaks once the n-th commit is kept, and `then` something happens."""

    def __init__(self, store: SqlStore, *, breaks_at: int, then: Callable[[], object]) -> None:
        self._store = store
        self._left = breaks_at
        self._then = then

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever the store has
        return getattr(self._store, name)

    @contextmanager
    def begin(self) -> Iterator[Unit]:
        with self._store.begin() as unit:
            yield unit
        self._left -= 1
        if self._left == 0:
            self._then()
            raise StorageUnavailableError("The database cannot be reached.", hint="Try again.")


def working(
    store: SqlStore, clock: Clock, world: World | None = None, wrapped: Store | None = None
) -> Working:
    return Working(store, clock, definitions=(SEEN,), world=world, wrapped=wrapped)


def at_read(number: int, do: Callable[[], object]) -> Callable[[str], None]:
    reads: Iterator[int] = iter(range(1, 1_000))

    def trouble(place: str) -> None:
        if place == "read" and next(reads) == number:
            do()

    return trouble


def end() -> None:
    raise KeyboardInterrupt


def once(house: Working, run: RunId) -> bool:
    """Say whether nothing is told twice of an attempt, and the tables are those of the entries."""
    told = Counter(
        (one.kind, one.data["step"], one.data["attempt"])
        for one in house.entries(run)
        if "attempt" in one.data
    )
    assert [str(one) for one in check_projections(house.store.database)] == []
    return set(told.values()) == {1}


def late_replies(store: SqlStore) -> int:
    """Return how many outcomes were recorded as those of a worker that was only slow."""
    with store.database.read() as connection:
        kinds = connection.execute(text("SELECT kind, run_id FROM audit_entry")).all()
    return [one.kind for one in kinds if one.run_id is None].count("action.resolved")


def test_before_a_read_that_may_take_time_it_is_recorded(store: SqlStore, clock: Clock) -> None:
    house = working(store, clock)
    run = house.start("seen")
    house.world.trouble = at_read(2, end)
    with pytest.raises(KeyboardInterrupt):
        house.settle()

    assert house.kinds(run)[-1] == "verification.passed"


def test_it_rides_on_the_end_of_the_run_and_cut_short_before_is_asked_again(
    store: SqlStore, clock: Clock
) -> None:
    house = working(store, clock)
    run = house.start("seen")
    ending = Ending(store, at=COMMITS_OF_SEGMENT)
    with pytest.raises(KeyboardInterrupt):
        working(store, clock, house.world, wrapped=ending).engine.advance(run)
    assert house.kinds(run)[-1] == "action.executed"

    clock.forward(timedelta(hours=2))
    working(store, clock, house.world).engine.advance(run)

    assert house.kinds(run) == WHOLE
    assert house.world.effects == [f"{run}/first", f"{run}/second"]


@pytest.mark.parametrize("read", [1, 2, 3])
def test_a_process_that_was_overtaken_meanwhile_adds_nothing(
    store: SqlStore, clock: Clock, read: int
) -> None:
    slow = working(store, clock)
    quick = working(store, clock, slow.world)
    run = slow.start("seen")

    def overtake() -> None:
        slow.world.trouble = lambda _place: None
        quick.engine.advance(run)
        quick.settle()

    slow.world.trouble = at_read(read, overtake)
    slow.settle()

    assert slow.kinds(run) == WHOLE
    assert slow.world.effects == [f"{run}/first", f"{run}/second"]


@pytest.mark.parametrize("read", [1, 2, 3])
def test_nothing_follows_a_cancel_that_comes_meanwhile(
    store: SqlStore, clock: Clock, read: int
) -> None:
    house = working(store, clock)
    run = house.start("seen")
    house.world.trouble = at_read(
        read, lambda: house.engine.cancel(run, person=id_of("rita"), reason="enough")
    )
    house.settle()

    assert house.kinds(run)[-1] == "run.cancelled"
    assert once(house, run)


@pytest.mark.parametrize("is_overtaken", [False, True])
@pytest.mark.parametrize("commit", range(1, COMMITS))
def test_what_was_kept_although_its_answer_was_lost_is_not_told_twice(
    store: SqlStore, clock: Clock, commit: int, *, is_overtaken: bool
) -> None:
    house = working(store, clock)
    run = house.start("seen")
    other = working(store, clock, house.world)
    then = partial(other.engine.advance, run) if is_overtaken else partial(int)
    line = Forgetful(store, breaks_at=commit, then=then)
    cut = working(store, clock, house.world, wrapped=line)
    with suppress(StorageUnavailableError):
        cut.engine.advance(run)
    for _ in range(5):  # A doubt ends in time, and the effect is tried again after a while.
        house.engine.advance(run)
        clock.forward(timedelta(hours=1))

    assert once(house, run)
    assert late_replies(store) == 0
    assert house.status(run) == "done"
    assert house.world.effects == [f"{run}/first", f"{run}/second"]
