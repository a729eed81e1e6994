"""Whose Home in Slack an entry changes. Pure; who has one is for the store, its look for the bot.

Requesters are left out: their Home follows where their runs stand, which the runs' rows say.
"""

from dataclasses import dataclass

from workflows.entry import Entry, Ref
from workflows.telling import BROKEN, is_exception, settles_request

ANSWERS = frozenset({"retry", "skip", "abort", "undo", "cancel"})
ASKS = frozenset({"approval.requested", "question.asked"})
DOUBTS = frozenset({"action.in_doubt", "action.resolved"})
SCHEDULES = frozenset({"schedule.set", "schedule.paused", "schedule.resumed", "schedule.deleted"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Concerned:
    """Whom an entry concerns: by what is asked of them, what they answer for, or by name."""

    request: str = ""  # Whoever it waits for before the entry, or after.
    is_new: bool = False  # It waited for nobody before.
    is_over: bool = False  # It waits for nobody after.
    owners: bool = False  # Owner and deputy of its workflow.
    schedule: str = ""
    review: str = ""  # Whoever was asked to review that use of the glass.
    people: tuple[Ref, ...] = ()


def concerned(entry: Entry) -> Concerned:
    """Return whose Home `entry` changes."""
    data = entry.data
    is_about_request = entry.kind.startswith(("approval.", "question.")) or entry.kind == BROKEN
    is_schedule = entry.kind in SCHEDULES
    return Concerned(
        request=str(data.get("request") or "") if is_about_request else "",
        is_new=entry.kind in ASKS,
        is_over=entry.kind == "question.answered" or settles_request(entry),
        owners=is_schedule or _makes_or_settles_trouble(entry),
        schedule=str(data["schedule"]) if is_schedule else "",
        review=_review(entry),
        people=_named(entry),
    )


def _makes_or_settles_trouble(entry: Entry) -> bool:
    if entry.kind == "decision.made" and entry.data["decision"] in ANSWERS:
        return True
    return entry.kind in DOUBTS or is_exception(entry)


def _review(entry: Entry) -> str:
    """Return the use of the glass whose review an entry asks for, or is."""
    if entry.kind == BROKEN:
        return entry.id
    return str(entry.data["used"]) if entry.kind == "break_glass.reviewed" else ""


def _named(entry: Entry) -> tuple[Ref, ...]:
    """Return whoever lets somebody decide in their place, and that person."""
    if entry.kind != "approval.delegated":
        return ()
    named = (entry.data.get("from"), entry.data.get("to"))
    return tuple(Ref(one) for one in named if isinstance(one, str))
