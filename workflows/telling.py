"""Which messages an entry asks for. The outbox draws each from the state it finds."""

from collections.abc import Iterator

from workflows.batching import batch_in
from workflows.entry import Draft, Entry, RequestId, RunId
from workflows.instances import items_of
from workflows.message_keys import card_key, read_card_key
from workflows.run import LEFT, Phase, RunState, StepState
from workflows.store import Message, Subject

REPLIES = frozenset(
    {
        "action.executed",
        "action.failed",
        "action.in_doubt",
        "action.resolved",
        "approval.edited",
        "approval.escalated",
        "approval.reminded",
        "break_glass.used",
        "exception.reminded",
        "verification.passed",
        "verification.failed",
        "verification.unknown",
        "wait.started",
        "question.answered",
        "model.answered",
        "run.moved",
        "run.cancelled",
    }
)
TOLD_DECISIONS = frozenset(
    {"skip", "exception", "retry", "abort", "undo", "cancel", "queue", "hold", "auto_approved"}
)
PROMPTS = frozenset({"approval.escalated", "approval.reminded"})
ROUTINE = frozenset({"action.executed", "verification.passed", "wait.started"})
UNVERIFIED = frozenset({"verification.failed", "verification.unknown"})
BROKEN = "break_glass.used"
USES_REQUEST = frozenset({"action.intended", BROKEN})
MOST_LEFT_TOLD = 20  # Of items that a loop leaves behind, so many are told one by one.
_FAILURES = frozenset({"action.failed", *UNVERIFIED})
ENDS = frozenset({"run.finished", "run.cancelled"})
# What changes the list of what a run has done so far.
_DONE = frozenset(
    {
        "action.executed",
        "action.failed",
        "action.in_doubt",
        "action.resolved",
        "verification.passed",
        "wait.started",
    }
)
DECIDED = frozenset({"approval.granted", "approval.denied", BROKEN})
CLOSED = frozenset({"approval.expired", "approval.withdrawn", "approval.edited"})


def messages_about(entry: Entry, *, left: int = 0) -> Iterator[Message]:
    """Yield the messages that `entry` asks for: the run's first message always is one.

    `left` says how many items of its run were left behind before. When they are many, the first
    message counts them, and no further one has a line of its own.
    """
    run = entry.run
    if run is None:
        return
    yield Message(subject=Subject.ROOT, key=run, run=run)
    if _request(entry):
        yield Message(subject=Subject.CARD, key=_request(entry), run=run)
    if "replaces" in entry.data:  # The card of the earlier request leads to this one's.
        yield Message(subject=Subject.CARD, key=str(entry.data["replaces"]), run=run)
    is_counted = left >= MOST_LEFT_TOLD and _fails_in_a_loop(entry)
    if _is_told(entry) and not is_routine(entry) and not is_counted:
        yield Message(subject=Subject.STEP, key=entry.id, run=run)
    if entry.kind.startswith("question."):
        yield question_card(run, RequestId(str(entry.data["request"])))
    if is_exception(entry):
        yield exception_card(entry)
    if entry.kind in ENDS or settles_request(entry):
        yield Message(subject=Subject.OUTCOME, key=run, run=run)


def settles_request(entry: Entry) -> bool:
    """Say whether an entry is what became of an approval request."""
    return entry.kind in CLOSED or (entry.kind in DECIDED and bool(entry.data.get("settles")))


def is_routine(entry: Entry) -> bool:
    """Say whether an entry tells of an item that went well; its loop is told as a whole."""
    if entry.kind == "model.answered":
        return bool(items_of(read_card_key(str(entry.data["call"])).step))
    is_item = bool(items_of(str(entry.data.get("step") or "")))
    return is_item and entry.kind in ROUTINE


def _fails_in_a_loop(entry: Entry) -> bool:
    is_item = bool(items_of(str(entry.data.get("step") or "")))
    is_left = _decision(entry) == "skip" and entry.data["rule"] == LEFT
    return is_item and (is_left or entry.kind in _FAILURES)


def _is_told(entry: Entry) -> bool:
    if entry.kind == "wait.ended":
        return entry.data["cause"] == "child"
    if entry.kind in PROMPTS and batch_in(entry) is not None:
        return False  # One line tells it of all; `prompting` sees to that.
    return entry.kind in REPLIES or _decision(entry) in TOLD_DECISIONS


def is_exception(entry: Entry) -> bool:
    """Say whether an entry makes an exception of its step."""
    if entry.kind == "action.resolved":
        # What a person cannot tell ends the run; what a late answer cannot tell stops it.
        return entry.data["happened"] == "unknown" and entry.data["by"] != "person"
    return entry.kind in UNVERIFIED or _decision(entry) == "exception"


def exception_card(entry: Entry) -> Message:
    """Return the message that asks how a run goes on after `entry` stopped it."""
    run = RunId(entry.run or "")
    key = card_key(run, str(entry.data["step"]), entry.id)
    return Message(subject=Subject.TROUBLE, key=key, run=run)


def doubt_card(run: RunId, state: StepState) -> Message:
    """Return the message that asks owner and deputy what happened."""
    intent = state.intended
    step, entry = (str(intent.data["step"]), intent.id) if intent is not None else ("", "")
    return Message(subject=Subject.DOUBT, key=card_key(run, step, entry), run=run)


def trouble_card(run: RunId, step: str, state: StepState) -> Message:
    """Return the message that asks owner and deputy how an exception goes on."""
    return Message(subject=Subject.TROUBLE, key=card_key(run, step, state.trouble), run=run)


def cards_beside(fact: Draft, state: RunState) -> Iterator[Message]:
    """Yield the cards of what has stopped in a run in which `fact` says that something was done.

    They list what the run has done so far and offer to take it back, and other branches go on.
    """
    if fact.kind in _DONE:
        for name, phase in state.marked.items():
            if phase is Phase.EXCEPTION:
                yield trouble_card(state.id, name, state.step(name))


def question_card(run: RunId, request: RequestId) -> Message:
    """Return the message that asks people something."""
    return Message(subject=Subject.QUESTION, key=f"{run}/{request}", run=run)


def renewed(entry: Entry) -> RequestId | None:
    """Return the request of which people may have been told directly, and which `entry` changes."""
    is_about_it = entry.kind.startswith("approval.") or entry.kind == BROKEN
    is_news = is_about_it and entry.kind != "approval.requested"
    request = str(batch_in(entry) or entry.data.get("request") or "")
    return RequestId(request) if is_news and request else None


def _request(entry: Entry) -> str:
    """Return the request whose card an entry changes; an effect that begins uses it up."""
    changes = entry.kind.startswith("approval.") or entry.kind in USES_REQUEST
    return str(batch_in(entry) or entry.data.get("request") or "") if changes else ""


def _decision(entry: Entry) -> str:
    return str(entry.data["decision"]) if entry.kind == "decision.made" else ""
