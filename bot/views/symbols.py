"""The sign and the words for each state, the same in every view."""

from collections.abc import Sequence

from workflows.gate import Outcome
from workflows.run import Phase, Status

STATUS: dict[Status, tuple[str, str]] = {
    Status.QUEUED: ("🕓", "queued behind another run"),
    Status.READY: ("▶️", "about to go on"),
    Status.RUNNING: ("▶️", "running"),
    Status.WAITING: ("⏸️", "waiting"),
    Status.IN_DOUBT: ("❓", "in doubt: nobody knows yet whether it happened"),
    Status.EXCEPTION: ("⚠️", "stopped: somebody has to say how it goes on"),
    Status.DONE: ("✅", "done"),
    Status.DENIED: ("⛔", "rejected"),
    Status.EXPIRED: ("⌛", "expired without a decision"),
    Status.WITHDRAWN: ("↩️", "withdrawn"),
    Status.FAILED: ("❌", "failed"),
    Status.ABORTED: ("⏹️", "aborted"),
    Status.CANCELLED: ("🚫", "cancelled"),
}

PHASE: dict[Phase, tuple[str, str]] = {
    Phase.PENDING: ("▫️", ""),
    Phase.OBSERVED: ("✅", "read"),
    Phase.ASKED: ("✋", "waits for approval"),
    Phase.APPROVED: ("👍", "approved, not run yet"),
    Phase.REFUSED: ("⛔", "not approved, not run"),  # Or `ABORTED`.
    Phase.INTENDED: ("▶️", "under way"),
    Phase.IN_DOUBT: ("❓", "in doubt"),
    Phase.EXECUTED: ("✅", "done"),
    Phase.VERIFIED: ("✅", "done and verified"),
    Phase.SKIPPED: ("⏭️", "skipped"),
    Phase.FAILED: ("❌", "failed"),
    Phase.EXCEPTION: ("⚠️", "needs a person"),
    Phase.TIMED: ("🕓", "waits"),
    Phase.QUESTIONED: ("💬", "waits for an answer"),
    Phase.CALLED: ("▶️", "another run works for it"),
    Phase.DONE: ("✅", "done"),
}

# Of a step that somebody gave up after it failed, which may have been approved, and have run.
ABORTED = ("⏹️", "given up after it failed")

# Of a step that was under way, or waited for something, when its run came to its end.
CUT_OFF = ("⏹️", "ended with the run")

# Of a request that somebody decided alone, which is no approval.
BROKEN_GLASS = ("🧯", "Decided alone, by breaking the glass")

IN_SHADOW = "👥", "over, in shadow: it changed nothing"
OUTCOME: dict[Outcome, tuple[str, str]] = {
    Outcome.OPEN: ("✋", "Waiting for approval"),
    Outcome.APPROVED: ("✅", "Approved"),
    Outcome.DENIED: ("⛔", "Rejected"),
    Outcome.EXPIRED: ("⌛", "Expired"),
    Outcome.WITHDRAWN: ("↩️", "Withdrawn"),
    Outcome.SUPERSEDED: ("🔁", "Superseded"),
}


def became(outcomes: Sequence[Outcome]) -> str:
    """Say how many requests came to what: `✅ 3 approved · ⛔ 1 rejected · ✋ 2 open`."""
    named = {**OUTCOME, Outcome.OPEN: ("✋", "open")}
    told = [(named[one], outcomes.count(one)) for one in Outcome]
    return " · ".join(
        f"{sign} {count} {words.casefold()}" for (sign, words), count in told if count
    )
