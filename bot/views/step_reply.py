"""One line in a run's thread for each entry that people should see go by."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.error_words import answered
from bot.views.pieces import Rendered, context, rendered, section
from bot.wording import (
    Who,
    bold,
    code,
    duration,
    escape,
    joined,
    link,
    mention,
    mentions,
    one_line,
    when,
)
from workflows.entry import Entry, Json
from workflows.message_keys import read_card_key
from workflows.run import UNTOLD

_ERROR, _WORDS, _CHANGES = 80, 300, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReply:
    """An entry worth telling: its kind and data, who did it, and words that explain it."""

    kind: str
    data: Mapping[str, Json] = field(default_factory=dict)
    actor: Who | None = None  # None for the bot itself.
    words: str = ""  # What came back, or a person's reason.
    changes: Sequence[str] = ()  # What an edit changed.
    asked: Sequence[Who] = ()  # Whom it speaks to.
    stays: Sequence[str] = ()  # Which steps changed something that a cancelled run leaves behind.
    card: str = ""  # The address of the card that it is about.
    is_program: bool = False  # Its effect is a program that was started here.
    rseq: int = 0
    index: int | None = None


def reply_about(
    entry: Entry, *, actor: Who | None = None, words: str = "", asked: Sequence[Who] = ()
) -> StepReply:
    """Return the reply that tells of `entry`."""
    return StepReply(
        kind=entry.kind,
        data=entry.data,
        actor=actor,
        words=words,
        asked=asked,
        rseq=entry.rseq,
        index=entry.index,
    )


def step_reply(reply: StepReply) -> Rendered:
    """Build the line."""
    tell = _LINES.get(reply.kind, _other)
    line = tell(reply)
    words = "".join(f"\n• {escape(one_line(one), _WORDS)}" for one in reply.changes[:_CHANGES])
    words += f"\n“{escape(reply.words, _WORDS)}”" if reply.words else ""
    number = f" · entry #{reply.index} of the log" if reply.index is not None else ""
    return rendered(
        f"{line} {words.strip()}".strip(),
        [section(line + words), context(f"Entry {reply.rseq + 1} of this run{number}")],
    )


def _step(reply: StepReply) -> str:
    return code(_text(reply, "step") or "run")


def _text(reply: StepReply, name: str) -> str:
    value = reply.data.get(name)
    return "" if value is None else str(value)


def _by(reply: StepReply) -> str:
    return f" by {mention(reply.actor)}" if reply.actor is not None else ""


def _try(reply: StepReply) -> str:
    attempt = reply.data.get("attempt")
    return f", attempt {attempt}" if isinstance(attempt, int) and attempt > 1 else ""


def _executed(reply: StepReply) -> str:
    ms = reply.data.get("ms")
    took = f" in {duration(timedelta(milliseconds=ms))}" if isinstance(ms, int) else ""
    return f"✅ {_step(reply)} is done{took}{_try(reply)}"


def _failed(reply: StepReply) -> str:
    error = escape(_text(reply, "error_class") or "error", _ERROR)
    partly = _text(reply, "performed") == "partly"
    happened = "some of it may have happened" if partly else "it did not happen"
    return f"❌ {_step(reply)} failed ({error}{_try(reply)}); {happened}"


def _in_doubt(reply: StepReply) -> str:
    named = _text(reply, "cause")
    known = {
        "crash": "the bot stopped on the way",
        "timeout": "it took longer than its time",
        "left_running": "it did not end in time",
        "reply_lost": "the answer was lost",
        "end_unknown": "nobody can say how the program ended",
    }
    cause = known.get(named) or answered(named) or "the cause is unknown"
    sent = "started" if reply.is_program else "sent"
    return (
        f"❓ {_step(reply)} may or may not have happened: {cause}. It is not {sent} again blindly"
    )


def _resolved(reply: StepReply) -> str:
    found = {
        "yes": "✅ {step} did happen",
        "no": "🔁 {step} did not happen",
        "unknown": "⏹️ {step} stays unknown",
    }.get(_text(reply, "happened"), "❓ {step} was looked into")
    how = {
        "probe": ", as the system it was sent to says",
        "late_reply": f", as its late {'end' if reply.is_program else 'answer'} says",
    }.get(_text(reply, "by"), _by(reply))
    return found.format(step=_step(reply)) + how


def _verified(reply: StepReply) -> str:
    return f"🔎 {_step(reply)} is verified: the change is there"


def _not_verified(reply: StepReply) -> str:
    return f"⚠️ {_step(reply)} is not verified: the change is not there. Somebody has to look"


def _unverifiable(reply: StepReply) -> str:
    return f"⚠️ {_step(reply)} could not be verified. Somebody has to look"


def _decided(reply: StepReply) -> str:
    told = {
        "skip": "⏭️ {step} is skipped{by}",
        "exception": "⚠️ {step} needs a person to say how it goes on",
        "retry": "🔁 {step} is tried again{by}",
        "abort": "⏹️ {step} is aborted{by}",
        "undo": "↩️ The run is aborted{by}; what can be taken back is taken back now",
        "cancel": "🚫 The run is being cancelled{by}; it ends once {step} has an end",
        "queue": "🕓 The run waits until {holder} is done with the same thing",
        "hold": "⏳ {step} waits, and goes on by itself",
        "auto_approved": "🟢 {step} needs nobody's approval, by the rule {rule}",
    }.get(_text(reply, "decision"))
    if told is None:
        return _other(reply)
    if _text(reply, "rule") == UNTOLD:
        why = escape(_text(reply, "error_class"), _ERROR)
        return f"👥 {_step(reply)} is left out of this run in shadow: nothing can be told ({why})"
    rule = bold(_text(reply, "rule"), _ERROR)
    named = _text(reply, "holder")
    holder = f"run {code(named, _ERROR)}" if named else "another one"
    return told.format(step=_step(reply), by=_by(reply), rule=rule, holder=holder)


def _cancelled(reply: StepReply) -> str:
    why = {
        "parent_ended": ", since the run that it was a part of has ended",
        "replaced": ", since what it was to replace has changed meanwhile",
    }.get(_text(reply, "reason"), "")
    told = [code(name) for name in reply.stays[:_CHANGES]]
    more = len(reply.stays) - len(told)
    named = joined([*told, f"{more} more"] if more else told, "and")
    stays = f". Nothing is taken back: what {named} did stays done" if named else ""
    return f"🚫 The run is cancelled{_by(reply)}{why}{stays}"


def _edited(reply: StepReply) -> str:
    return f"✏️ What is asked was changed{_by(reply)}; approvals given before no longer count"


def _moved(reply: StepReply) -> str:
    before, after = (code(_text(reply, name)[:8]) for name in ("from", "to"))
    return (
        f"🔀 The run goes on by version {after} instead of {before}{_by(reply)}; approvals given"
        " before no longer count"
    )


def _reminded(reply: StepReply) -> str:
    if reply.data.get("to") == []:
        return "⏰ This still waits for a decision, and everybody who could decide is away"
    who = mentions(reply.asked, "Those who were asked", most=20)
    return f"⏰ {who}: this still waits for a decision. The card above has the buttons"


def _escalated(reply: StepReply) -> str:
    who = mentions(reply.asked, "More people", most=20)
    return f"📣 {who}: this has waited for long, so you may decide it too. The card has the buttons"


def _chased(reply: StepReply) -> str:
    who = mentions(reply.asked, "Owner and deputy", most=20)
    card = link(reply.card, "The card") if reply.card else "The card above"
    return f"⏰ {who}: {_step(reply)} still waits for one of you. {card} has the buttons"


def _broke_glass(reply: StepReply) -> str:
    review = _text(reply, "review_by")
    until = f"; it is reviewed until {when(datetime.fromisoformat(review))}" if review else ""
    return f"🧯 {_step(reply)} was decided alone{_by(reply)}, by breaking the glass{until}"


def _waits(reply: StepReply) -> str:
    child = _text(reply, "child")
    if child:
        called = code(_text(reply, "workflow"))
        return f"▶️ {_step(reply)} started {called} as run {code(child)} and waits for its end"
    until = _text(reply, "until")
    moment = f" until {when(datetime.fromisoformat(until))}" if until else ""
    return f"🕓 {_step(reply)} waits{moment}"


def _waited(reply: StepReply) -> str:
    ended = escape(_text(reply, "outcome"), _ERROR)
    return f"▶️ The run that {_step(reply)} waited for has ended: {ended}"


def _answered(reply: StepReply) -> str:
    return f"💬 {_step(reply)} is answered{_by(reply)}"


def _model_answered(reply: StepReply) -> str:
    step, model = read_card_key(_text(reply, "call")).step, code(_text(reply, "model"))
    if not reply.words:
        why = escape(_text(reply, "finish"), _ERROR)
        return f"🤖 {code(step)}: the language model {model} gave no answer ({why})"
    return f"🤖 {code(step)}: the language model {model} wrote, and nobody has checked it:"


def _other(reply: StepReply) -> str:
    what = escape(_text(reply, "decision") or reply.kind.replace(".", " "), _ERROR)
    return f"• {_step(reply)}: {what}{_by(reply)}"


_LINES: dict[str, Callable[[StepReply], str]] = {
    "action.executed": _executed,
    "action.failed": _failed,
    "action.in_doubt": _in_doubt,
    "action.resolved": _resolved,
    "verification.passed": _verified,
    "verification.failed": _not_verified,
    "verification.unknown": _unverifiable,
    "approval.edited": _edited,
    "run.moved": _moved,
    "run.cancelled": _cancelled,
    "approval.escalated": _escalated,
    "approval.reminded": _reminded,
    "exception.reminded": _chased,
    "break_glass.used": _broke_glass,
    "decision.made": _decided,
    "wait.started": _waits,
    "wait.ended": _waited,
    "question.answered": _answered,
    "model.answered": _model_answered,
}
