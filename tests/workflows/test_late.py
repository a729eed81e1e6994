"""What is recorded of an outcome that comes when another process already holds the run."""

import pytest

from workflows.entry import INTERLOCK, Draft, Json, RunId
from workflows.late import late_drafts
from workflows.run import Phase, RunState, Status, StepState

RUN = RunId("r")
DONE, UNDONE, PARTLY, UNSURE = "executed", "failed", "partly", "in_doubt"


def outcome(what: str) -> Draft:
    """Return what the first attempt of a step came to."""
    data: dict[str, Json] = {"step": "s", "attempt": 1, "idem": "r/s"}
    if what in {UNDONE, PARTLY}:
        data["performed"] = "partly" if what == PARTLY else "no"
        what = "failed"
    return Draft(kind=f"action.{what}", actor=INTERLOCK, data=data, run=RUN)


def recorded(what: str, phase: Phase, *, attempt: int = 1, ended: Status | None = None) -> str:
    """Return what is recorded where the step stands so, each fact in a word or two."""
    step = StepState(phase=phase, attempt=attempt)
    state = RunState(id=RUN, steps={"s": step}, ended=ended)
    told = []
    for one in late_drafts(outcome(what), state):
        assert one.data["attempt"] == 1
        is_outside = one.run is None
        assert is_outside == (one.data.get("by_run") == RUN)
        happened = f" {one.data['happened']}" if one.kind == "action.resolved" else ""
        told.append(f"{one.kind.removeprefix('action.')}{happened}{' outside' * is_outside}")
    return ", ".join(told)


@pytest.mark.parametrize(
    ("what", "phase", "told"),
    [
        (DONE, Phase.INTENDED, "executed"),  # Nobody has looked at it since.
        (DONE, Phase.IN_DOUBT, "executed, resolved yes"),
        (DONE, Phase.FAILED, "executed, resolved yes"),  # Somebody said that it did not happen.
        (UNDONE, Phase.INTENDED, "failed"),
        (UNDONE, Phase.IN_DOUBT, "resolved no"),
        (PARTLY, Phase.IN_DOUBT, "resolved unknown"),
        (UNDONE, Phase.VERIFIED, ""),
        (UNSURE, Phase.INTENDED, "in_doubt"),
        (UNSURE, Phase.IN_DOUBT, ""),
        (UNSURE, Phase.ASKED, ""),
    ],
)
def test_what_is_certain_settles_the_doubt_and_what_nobody_doubts_changes_nothing(
    what: str, phase: Phase, told: str
) -> None:
    assert recorded(what, phase) == told


@pytest.mark.parametrize(
    ("what", "told"),
    [(DONE, "resolved yes"), (UNDONE, "resolved no"), (PARTLY, "resolved unknown"), (UNSURE, "")],
)
def test_it_never_ends_another_attempt_nor_goes_into_a_run_that_has_ended(
    what: str, told: str
) -> None:
    outside = f"{told} outside" if told else ""

    assert recorded(what, Phase.INTENDED, attempt=2) == told
    assert recorded(what, Phase.IN_DOUBT, ended=Status.FAILED) == outside
    assert recorded(what, Phase.INTENDED, attempt=2, ended=Status.FAILED) == outside
