"""What shows when the field that wants a one-time code is ignored."""

import pytest

from tests.workflows.engine.gated import asked, policy_of
from tests.workflows.policy_fields.harness import Bench, Row
from workflows.errors import NoCodesError

ROLES = 'roles: {governors: ["@governors"]}'


def an_approval_needs_a_code(bench: Bench) -> None:
    house = bench.house(policy_of('stages: [{from: ["@leads"]}], step_up: totp', rest=ROLES))
    run = asked(house)

    with pytest.raises(NoCodesError, match="needs a one-time code"):
        house.approve(run, by="ana")


ROWS = [Row(field="Rule.step_up", scenario=an_approval_needs_a_code)]
