"""What shows when a field about one-time codes is ignored."""

import pytest

from tests.workflows.engine.gated import asked, policy_of
from tests.workflows.policy_fields.harness import Bench, Row
from workflows.errors import StepUpError
from workflows.gate import Outcome


def a_code_is_wanted(bench: Bench) -> None:
    house = bench.house(
        policy_of(
            'stages: [{from: ["@leads"]}], step_up: totp', rest='roles: {governors: ["@directors"]}'
        )
    )
    run = asked(house)

    with pytest.raises(StepUpError):
        house.approve(run, by="ana")

    assert house.request(run).outcome is Outcome.OPEN


ROWS = [Row(field="Rule.step_up", scenario=a_code_is_wanted)]
