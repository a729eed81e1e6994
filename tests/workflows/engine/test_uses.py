"""What runs asked for and did is read from their entries, on both databases."""

from datetime import timedelta

from storage.store import SqlStore
from storage.uses import uses_of
from tests.world import CHANGE, NOON, Clock, Working
from workflows.ad_hoc import copies_in_use

OTHER = CHANGE.replace("workflow: change-it", "workflow: alter-it").replace("  by: {", "  more: {")
OTHER = OTHER.replace("inputs.by", "inputs.more")


def test_runs_tell_what_they_were_for_whoever_may_have_denied_it(
    store: SqlStore, clock: Clock
) -> None:
    house = Working(store, clock, definitions=(CHANGE, OTHER))
    runs = [house.start() for _ in range(3)]
    runs += [house.start("alter-it", {"more": 7}) for _ in range(2)]
    house.settle()
    house.deny(runs[0])
    house.approve(runs[1])
    house.settle()
    names = ("alter-it", "change-it", "never-ran")
    uses = uses_of(store.database, names, since=NOON - timedelta(days=1))

    assert sorted(one.run for one in uses) == sorted(runs)
    assert len({one.acts for one in uses}) == 1
    (copied,) = copies_in_use(uses)
    assert (copied.workflow, copied.other, sorted(copied.runs)) == (
        "alter-it",
        "change-it",
        sorted(runs[3:]),
    )
    assert uses_of(store.database, names, since=NOON + timedelta(days=1)) == []
