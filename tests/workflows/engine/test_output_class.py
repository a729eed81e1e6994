"""How personal an output is, and so how long it is kept, is what its step says of it."""

import pytest

from storage.store import SqlStore
from tests.world import CHANGE, Clock, Working
from workflows.entry import PartClass

# What is recorded is the same on either database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.mark.parametrize("cls", [PartClass.BUSINESS, PartClass.IDENTITY])
def test_what_a_step_says_of_its_output_counts_for_reads_and_for_effects(
    store: SqlStore, clock: Clock, cls: PartClass
) -> None:
    text = CHANGE.replace("  - id: ", f"  - cls: {cls}\n    id: ")
    house = Working(store, clock, definitions=(text,))
    run = house.start()
    house.settle()
    house.approve(run)
    house.settle()
    outputs = [one.parts["output"] for one in house.entries(run) if "output" in one.parts]

    assert house.status(run) == "done"
    assert [one.cls for one in outputs if one.cls is not PartClass.CONTENT] == [cls] * 3
