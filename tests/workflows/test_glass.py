"""Over which requests the glass can be broken, whoever would."""

from datetime import timedelta

import pytest

from tests.world import NOON
from workflows.entry import Ref, RequestId, RunId
from workflows.errors import RequestClosedError
from workflows.gate import ApprovalRequest, Outcome, Stage
from workflows.glass import Breaker, Glass, admit_breaker

HOUR = timedelta(hours=1)
OTTO = Ref("s:otto")
GLASS = Glass(
    names=("@on-call",), people=frozenset({OTTO}), by=("@governors",), review=timedelta(hours=24)
)


def is_admitted(outcome: Outcome, *, is_consumed: bool, is_frozen: bool, is_late: bool) -> bool:
    stage = Stage(groups=("@leads",), approve=1, deny=1, people=frozenset({Ref("s:ana")}))
    request = ApprovalRequest(
        id=RequestId("q"),
        run=RunId("r"),
        step="change",
        binding="0" * 64,
        policy="1" * 64,
        stages=(stage,),
        excluded=frozenset(),
        requester="s:rita",
        needs_reason=False,
        raised_at=NOON,
        expires_at=NOON + HOUR,
        outcome=outcome,
        is_consumed=is_consumed,
    )
    breaker = Breaker(ref=OTTO, member_of=frozenset({"@on-call"}))
    now = NOON + HOUR * is_late
    try:
        admit_breaker(request, GLASS, breaker, now=now, is_frozen=is_frozen)
    except RequestClosedError:
        return False
    return True


@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize("is_frozen", [False, True])
@pytest.mark.parametrize("is_consumed", [False, True])
@pytest.mark.parametrize("outcome", Outcome)
def test_only_what_is_open_or_approved_and_held_by_a_freeze_has_a_glass(
    outcome: Outcome, *, is_consumed: bool, is_frozen: bool, is_late: bool
) -> None:
    is_open = outcome is Outcome.OPEN and not is_late
    is_held = outcome is Outcome.APPROVED and is_frozen and not is_consumed

    found = is_admitted(outcome, is_consumed=is_consumed, is_frozen=is_frozen, is_late=is_late)
    assert found is (is_open or is_held)
