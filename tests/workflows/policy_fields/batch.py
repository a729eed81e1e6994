"""What shows when the field that puts items to people together is ignored."""

from tests.workflows.engine.batches import loop, policy, requests
from tests.workflows.policy_fields.harness import Bench, Row


def items_are_asked_about_together(bench: Bench) -> None:
    house = bench.house(policy(), definition=loop())
    house.world.items = [{"name": "a", "by": 1}, {"name": "b", "by": 2}]
    run = house.start("pay-all")
    house.settle()

    assert len(requests(house, run)) == 2


ROWS = [Row(field="Rule.batch", scenario=items_are_asked_about_together)]
