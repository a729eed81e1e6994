"""Schedules as people see them: the question before one is set, and the list of all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import Block, ButtonElement
from slack_sdk.models.views import View

from bot import limits
from bot.local_time import Told
from bot.views.paging import Listing, page_of
from bot.views.pieces import Rendered, actions, button, confirm, context, plain, rendered, section
from bot.wording import Who, bold, code, escape, mention, when
from workflows.foreseen import Foreseen

SCHEDULE_CONFIRM = "schedule.confirm"
SCHEDULE_DROP = "schedule.drop"
SCHEDULE_PAUSE = "schedule.pause"
SCHEDULE_RESUME = "schedule.resume"
SCHEDULE_DELETE = "schedule.delete"
SCHEDULE_FORM = "schedule.form"
SCHEDULE_CONFIRM_FORM = "schedule.confirm_form"

_TITLE = 120
_ASKING = {
    Foreseen.SURELY: "✋ People will be asked when it fires:"
    " nothing is changed for good without them.",
    Foreseen.PERHAPS: "✋ People may be asked when it fires; that shows only then.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A schedule that would be set; `moments` are the one or the next three."""

    title: str
    workflow: str
    rhythm: str  # "Once", or how often in words.
    moments: Sequence[Told]
    asks: Foreseen  # Whether people will be asked when it fires.
    makes_up: bool  # A moment that nobody served is made up for.
    values: Sequence[tuple[str, str]] = ()


def proposal(shown: Proposal, *, draft: str) -> Rendered:
    """Build the private question before a schedule is set; its buttons carry the draft."""
    first = shown.moments[0]
    buttons = actions(
        button("Confirm", SCHEDULE_CONFIRM, draft, style="primary"),
        button("Cancel", SCHEDULE_DROP, "drop"),
    )
    text = f"Schedule {escape(shown.title, 150)} for {escape(first.line, 200)}?"
    return rendered(text, [*_proposed(shown), buttons])


def proposal_modal(shown: Proposal, *, draft: str) -> View:
    """Build the same question as a modal, after a form."""
    return View(
        type="modal",
        callback_id=SCHEDULE_CONFIRM_FORM,
        private_metadata=draft,
        title=plain("Set this schedule?", limits.VIEW_TITLE),
        submit=plain("Confirm", limits.VIEW_TITLE),
        close=plain("Cancel", limits.VIEW_TITLE),
        blocks=_proposed(shown),
    )


def _proposed(shown: Proposal) -> list[Block]:
    is_once = len(shown.moments) == 1 and shown.rhythm == "Once"
    lines = [f"{bold(shown.title, _TITLE)} · {code(shown.workflow)}"]
    lines.append("It would start once:" if is_once else f"{escape(shown.rhythm, 200)}, next:")
    lines += [_moment(one) for one in shown.moments]
    blocks: list[Block] = [section("\n".join(lines))]
    if shown.values:
        values = [f"{code(name, 60)} {escape(value, 150)}" for name, value in shown.values[:10]]
        more = len(shown.values) - len(values)
        blocks.append(section("\n".join([*values, *([f"… and {more} more"] if more > 0 else [])])))
    blocks.append(context(*_notes(shown)))
    return blocks


def _moment(one: Told) -> str:
    note = f"\n      ⚠️ {escape(one.note, 200)}" if one.note else ""
    utc = "" if one.local == one.utc else f" · {escape(one.utc, 60)}"
    return f"• *{escape(one.local, 100)}*{utc}{note}"


def _notes(shown: Proposal) -> list[str]:
    notes = ["Nothing is set yet. You will count as the requester of its runs."]
    if shown.asks in _ASKING:
        notes.append(_ASKING[shown.asks])
    late = "is made up for as soon as it can be" if shown.makes_up else "is skipped and told"
    notes.append(f"A time at which the bot is down {late}.")
    return notes


def set_words(shown: Proposal, *, schedule: str, command: str) -> str:
    """Return what is said once it is set, as mrkdwn."""
    first = escape(shown.moments[0].line, 200)
    there = f"{code(schedule)} · see {code(f'{command} schedule')}."
    return f"🗓️ {bold(shown.title, 150)} is scheduled, first for {first}.\n{there}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleLine:
    """A schedule in a list. Without `who` it stands in the workflow's file."""

    id: str
    title: str
    workflow: str
    rhythm: str
    next_at: datetime | None
    is_paused: bool
    who: Who | None
    may_change: bool
    may_delete: bool
    is_retired: bool = False  # Its workflow is no longer there, so it starts nothing.
    is_unreadable: bool = False  # Its workflow is there, and cannot be read; it starts nothing.


def schedule_list(lines: Sequence[ScheduleLine], *, page: int = 1, name: str = "/ops") -> Rendered:
    """Build the list of all schedules, the next to fire first."""
    ordered = in_order(lines)
    listing = Listing(
        title="Schedules",
        command="schedule",
        items=[schedule_item(one, page) for one in ordered],
        empty=f"There are none. Set one with {code(f'{name} schedule WORKFLOW tomorrow 9am')}.",
    )
    return page_of(listing, page)


def in_order(lines: Sequence[ScheduleLine]) -> list[ScheduleLine]:
    """Return schedules with the next to fire first, and the paused last."""
    return sorted(lines, key=_order)


def _order(line: ScheduleLine) -> tuple[bool, float, str]:
    at = line.next_at.timestamp() if line.next_at is not None else float("inf")
    return line.is_paused, at, line.id


def schedule_item(line: ScheduleLine, page: int = 1) -> list[Block]:
    """Return a schedule with what this reader may do to it."""
    buttons = list(_buttons(line, page))
    return [section(_line(line)), *([actions(*buttons)] if buttons else [])]


def _line(line: ScheduleLine) -> str:
    stands = "⏸️ paused" if line.is_paused else f"next {when(line.next_at)}" if line.next_at else ""
    if line.is_retired or line.is_unreadable:
        why = "was retired" if line.is_retired else "cannot be read here"
        stands = f"⚠️ its workflow {why}, so it starts nothing"
    who = f"set by {mention(line.who)}" if line.who is not None else "from the workflow's file"
    return (
        f"🗓️ {bold(line.title, _TITLE)} · {code(line.workflow)} · {stands or 'no more to come'}\n"
        f"{escape(line.rhythm, 200)} · {who} · {code(line.id)}"
    )


def _buttons(line: ScheduleLine, page: int) -> list[ButtonElement]:
    if not line.may_change:
        return []
    value = f"{page} {line.id}"
    label, action = ("Resume", SCHEDULE_RESUME) if line.is_paused else ("Pause", SCHEDULE_PAUSE)
    found = [button(label, action, value, spoken=f"{label} {line.title}")]
    if line.may_delete:
        sure = confirm("Delete this schedule?", "It will not fire again.", yes="Delete")
        found.append(
            button("Delete", SCHEDULE_DELETE, value, confirm=sure, spoken=f"Delete {line.title}")
        )
    return found


def told_modal(text: str) -> View:
    """Build what takes the question's place once it is set; `text` is mrkdwn."""
    return View(
        type="modal",
        title=plain("Scheduled", limits.VIEW_TITLE),
        close=plain("Close", limits.VIEW_TITLE),
        blocks=[section(text)],
    )
