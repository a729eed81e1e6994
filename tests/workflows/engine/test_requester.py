"""Rules about who asks hold whatever people call themselves."""

import pytest

from storage.store import SqlStore
from tests.world import POLICY, Clock, Working, id_of

WATCHED = """  - name: watched
    when: requester == "@rita"
    stages: [{from: ["@directors"], approve: 1}]
"""


@pytest.mark.parametrize("display_name", ["rita", "omar", "Rita R."])
def test_a_rule_about_a_requester_holds_under_any_display_name(
    store: SqlStore, clock: Clock, display_name: str
) -> None:
    house = Working(store, clock, policy=POLICY + WATCHED)
    house.town.display_names["rita"] = display_name
    run = house.start(by="rita")
    house.settle()
    with house.store.begin() as unit:
        dora = unit.ref(id_of("dora"))

    assert any(dora in stage.people for stage in house.request(run).stages)


def test_nobody_comes_under_a_rule_by_taking_a_display_name(store: SqlStore, clock: Clock) -> None:
    house = Working(store, clock, policy=POLICY + WATCHED)
    house.town.groups["@askers"].add("eve")
    house.town.display_names["eve"] = "rita"
    run = house.start(by="eve")
    house.settle()

    assert len(house.request(run).stages) == 1
