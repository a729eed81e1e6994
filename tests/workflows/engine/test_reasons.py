"""Where the policy wants a reason, nothing is decided without one."""

import pytest

from storage.store import SqlStore
from tests.world import POLICY, Clock, Working
from workflows.entry import RunId
from workflows.errors import ReasonMissingError
from workflows.gate import Verdict

REASONED = POLICY.replace("approve: 1}]", "approve: 1}]\n    reason: required")


def asked(store: SqlStore, clock: Clock) -> tuple[Working, RunId]:
    house = Working(store, clock, policy=REASONED)
    run = house.start()
    house.settle()
    return house, run


@pytest.mark.parametrize("comment", ["", "  \n "])
@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_decision_without_a_reason_is_refused(
    store: SqlStore, clock: Clock, verdict: Verdict, comment: str
) -> None:
    house, run = asked(store, clock)

    with pytest.raises(ReasonMissingError, match="reason"):
        house.vote(run, verdict, by="ana", comment=comment)

    assert house.kinds(run)[-1] == "approval.requested"


def test_the_reason_stays_beside_the_decision(store: SqlStore, clock: Clock) -> None:
    house, run = asked(store, clock)
    house.vote(run, Verdict.APPROVE, by="ana", comment="seen the invoice")
    granted = house.entries(run)[-1]

    assert granted.kind == "approval.granted"
    assert granted.parts["comment"].value == b"seen the invoice"
