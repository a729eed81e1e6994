"""What becomes of an outcome that arrives when another process already holds the run.

The worker was only slow. What it knows is true and is recorded; it settles the doubt that its
silence raised. A failure that nobody doubts any more changes nothing, and a worker that does
not know either leaves the doubt to the probe and to people. That some of it happened goes before
what a person said who saw nothing of it, for as long as it has not been done again.
"""

from collections.abc import Iterator
from dataclasses import replace

from workflows.batching import same_batch
from workflows.entry import INTERLOCK, Draft, Json
from workflows.run import Phase, RunState, StepState

# Somebody said that it did not happen, so it is to be done again.
_TO_BE_DONE = frozenset({Phase.PENDING, Phase.ASKED, Phase.APPROVED})


def late_drafts(outcome: Draft, state: RunState) -> Iterator[Draft]:
    """Yield the facts to record for `outcome`, given where the run stands now."""
    step = state.step(str(outcome.data["step"]))
    happened = _happened(outcome)
    if outcome.kind == "action.in_doubt" and not _is_open(outcome, step):
        return
    if state.ended is not None:
        yield replace(_resolved(outcome, happened, by_run=state.id), run=None)
    elif step.attempt != outcome.data["attempt"]:
        yield _resolved(outcome, happened)
    elif step.phase is Phase.INTENDED:
        yield outcome
    elif happened == "yes":
        yield from _withdrawal(outcome, step)
        yield outcome
        yield _resolved(outcome, happened)
    elif step.phase is Phase.IN_DOUBT and outcome.kind != "action.in_doubt":
        yield _resolved(outcome, happened)
    elif happened == "unknown" and step.phase in _TO_BE_DONE:
        yield from _withdrawal(outcome, step)
        yield _resolved(outcome, happened)


def _is_open(outcome: Draft, step: StepState) -> bool:
    """Say whether nobody has taken the attempt up since it was announced."""
    return step.phase is Phase.INTENDED and step.attempt == outcome.data["attempt"]


def _happened(outcome: Draft) -> str:
    if outcome.kind == "action.executed":
        return "yes"
    is_harmless = outcome.kind == "action.failed" and outcome.data["performed"] == "no"
    return "no" if is_harmless else "unknown"


def _withdrawal(outcome: Draft, step: StepState) -> Iterator[Draft]:
    """Take back a request that asks for what has happened already, or some of it."""
    if step.phase is not Phase.ASKED or step.asked is None:
        return
    data: dict[str, Json] = {
        "request": step.request,
        "binding": step.asked.data["binding"],
        "reason": "already_happened",
        **same_batch(step.asked),
    }
    yield Draft(kind="approval.withdrawn", actor=INTERLOCK, data=data, run=outcome.run)


def _resolved(outcome: Draft, happened: str, *, by_run: str = "") -> Draft:
    data: dict[str, Json] = {
        "step": outcome.data["step"],
        "attempt": outcome.data["attempt"],
        "idem": outcome.data["idem"],
        "happened": happened,
        "by": "late_reply",
    }
    if by_run:
        data["by_run"] = by_run
    return Draft(kind="action.resolved", actor=INTERLOCK, data=data, run=outcome.run)
