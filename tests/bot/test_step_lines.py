"""How far a loop is, as its run's first message says: by items, whatever stands within them."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.run_reading import RunRead
from bot.step_lines import step_lines
from storage.listing import listed_run
from tests.stores import opened
from tests.workflows.engine.flows import change, workflow
from tests.workflows.engine.test_waits import summary_of
from tests.world import Clock, Working
from workflows.entry import RunId
from workflows.errors import ActionFailedError
from workflows.replay import replay

NAMED = '"${{ item.name }}"'
SIDES = (
    f"{{id: sides, parallel: {{left: [{change('pay')}], "
    f"right: [{{id: rest, wait: 1h}}, {change('send')}]}}}}"
)
LOOP = workflow(
    "all",
    "steps: [{id: look, uses: world.list, with: {name: x}}, {id: each, "
    'foreach: "${{ steps.look.output.rows }}", max_parallel: 3, on_item_failure: continue, '
    "steps: ["
    + SIDES.replace("name: pay", f"name: {NAMED}").replace("name: send", f"name: {NAMED}")
    + "]}]",
)


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[Working]:
    clock = Clock()
    with opened(database_url, tmp_path, clock) as store:
        made = Working(store, clock, definitions=(LOOP,))
        made.world.items = [{"name": f"n{one}", "by": 1} for one in range(3)]
        yield made


def told(house: Working, run: RunId) -> str:
    listed = listed_run(house.store.database, run)
    assert listed is not None
    entries = house.entries(run)
    read = RunRead(
        listed=listed,
        entries=entries,
        state=replay(run, entries),
        definition=house.shelf.active("all"),
        known={},
    )
    return next(one.note for one in step_lines(read) if one.name == "each")


def test_an_item_is_done_once_all_its_branches_are_and_left_behind_once_however_many_failed(
    house: Working,
) -> None:
    def trouble(place: str) -> None:
        if place == "before n1":
            raise ActionFailedError("no", error_class="refused")

    house.world.trouble = trouble
    run = house.start("all")
    house.settle()

    assert told(house, run) == "1 of 3 items, 1 left behind"

    house.clock.forward(timedelta(hours=1))
    house.settle()

    assert house.status(run) == "done"
    assert told(house, run) == "3 of 3 items, 1 left behind"
    assert "went over 3 items, 1 failed and were left behind" in summary_of(house, run)
