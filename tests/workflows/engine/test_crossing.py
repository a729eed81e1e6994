"""Drawn workflows with locks, places and calls, looked at in any order: all of them end."""

import random
from datetime import timedelta

import pytest

from storage.store import SqlStore
from tests.workflows.engine.flows import change, workflow
from tests.world import Clock, Working, id_of
from workflows.entry import RunId

LOCKS = (None, "one", "two", "${{ inputs.key }}", "all", "workflow/w0")
KEYS = ("one", "two", "three")
MOST_RUNS = 7


def drawn(chance: random.Random, name: str, names: list[str]) -> str:
    head = "inputs: {calls: {type: integer, default: 0}, key: {type: string, default: own}}"
    if (lock := chance.choice(LOCKS)) is not None:
        head += f"\nlock: {lock}"
    if places := chance.choice([0, 1, 1, 2]):
        head += f"\nat_once: {places}"
    steps = ["{id: rest, wait: 1m}"] if chance.random() < 0.7 else []
    if chance.random() < 0.75:
        given = f"{{calls: '${{{{ inputs.calls - 1 }}}}', key: {chance.choice(KEYS)}}}"
        called = chance.choice(names)
        steps.append(f"{{id: inner, workflow: {called}, inputs: {given}, when: inputs.calls > 0}}")
    return workflow(name, f"{head}\nsteps: [{', '.join([*steps, change('act')])}]")


def go_on(chance: random.Random, house: Working, names: list[str], begun: list[RunId]) -> None:
    """Do one thing that may be done now: look at a run, take a due-row, start another, wait."""
    due = house.store.due(until=house.clock(), limit=100)
    if house.queue.runs and chance.random() < 0.8:
        house.engine.advance(house.queue.runs.pop(chance.randrange(len(house.queue.runs))))
    elif due and chance.random() < 0.8:
        house.engine.handle_due(chance.choice(due))
    elif len(begun) < MOST_RUNS and chance.random() < 0.6:
        inputs = {"calls": chance.randint(0, 2), "key": chance.choice(KEYS)}
        begun.append(house.start(chance.choice(names), inputs))
    else:
        house.clock.forward(timedelta(seconds=chance.choice([5, 20])))


def states(house: Working) -> dict[RunId, str]:
    with house.store.database.read() as connection:
        found = connection.exec_driver_sql("SELECT id, status FROM run WHERE finished_at IS NULL")
        return {RunId(run): str(status) for run, status in found}


def end(house: Working) -> None:
    """Let all of them come to their end; what is refused is aborted."""
    for _ in range(60):
        house.settle()
        house.clock.forward(timedelta(seconds=30))
        for run, status in states(house).items():
            if status == "exception":
                omar = id_of("omar")
                house.engine.settle_exception(run, "inner", person=omar, answer="abort")


@pytest.mark.parametrize("seed", range(24))
def test_whatever_runs_take_and_start_in_whatever_order_none_waits_for_ever(
    store: SqlStore, clock: Clock, seed: int
) -> None:
    chance = random.Random(seed)
    names = [f"w{at}" for at in range(chance.randint(2, 4))]
    texts = tuple(drawn(chance, one, names) for one in names)
    house = Working(store, clock, definitions=texts, most_runs=chance.choice([None, 1, 2, 3]))
    begun: list[RunId] = []
    for _ in range(140):
        go_on(chance, house, names, begun)
    end(house)

    assert states(house) == {}
