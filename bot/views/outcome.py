"""What a requester is told, privately, when their run has ended."""

from dataclasses import dataclass
from datetime import timedelta

from slack_sdk.models.blocks import Block

from bot.views.pieces import Rendered, context, plain_section, rendered, section
from bot.views.symbols import STATUS
from bot.wording import Who, bold, clip, code, duration, escape, link, mention
from workflows.run import Status

_WORDS = 1_500

_NEXT = {
    Status.DENIED: "Nothing was changed by the rejected step.",
    Status.EXPIRED: "Nobody decided in time, so the step was not run. You can ask again.",
    Status.WITHDRAWN: "The step was not run. You can ask again.",
    Status.FAILED: "What earlier steps did stands; the thread says which.",
    Status.ABORTED: "What earlier steps did stands; the thread says which.",
    Status.CANCELLED: "What earlier steps did stands; the thread says which.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """A run that ended: how, why, and who decided it."""

    run: str
    title: str
    status: Status
    took: timedelta
    reason: str = ""  # A person's words, or what came back.
    by: Who | None = None
    step: str = ""
    thread: str = ""


def outcome(told: RunOutcome) -> Rendered:
    """Build the message to the requester."""
    sign, words = STATUS[told.status]
    by = f" by {mention(told.by)}" if told.by is not None else ""
    at = f" at step {code(told.step)}" if told.step else ""
    blocks: list[Block] = [
        section(f"{sign} Your run of {bold(told.title, 200)} ended: {words}{by}{at}.")
    ]
    if told.reason:
        blocks += [context("The reason:"), plain_section(clip(told.reason, _WORDS))]
    if told.status in _NEXT:
        blocks.append(section(_NEXT[told.status]))
    there = link(told.thread, "Open its thread") if told.thread else ""
    blocks.append(context(f"Run {code(told.run)} · took {duration(told.took)}", there))
    return rendered(_sentence(told), blocks)


def _sentence(told: RunOutcome) -> str:
    sign, words = STATUS[told.status]
    by = f" by {escape(told.by.plain, 80)}" if told.by is not None else ""
    why = f": {escape(told.reason, 300)}" if told.reason else ""
    return f"{sign} Your run of {escape(told.title, 150)} ended: {words}{by}{why}"
