"""What entries state about budgets and the glass, as changes of tables. Pure, as `projections`."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from storage.change import Change, Insert, Update
from workflows.entry import Entry, Json

ALREADY_REVIEWED = "This use of the glass is reviewed already; nothing was recorded."


def budgets_taken(entry: Entry) -> Iterator[Change]:
    """An announced effect takes its shares."""
    for share in _dicts(entry.data.get("budgets")):
        yield Insert(
            "budget_use",
            {
                "entry_id": entry.id,
                "budget": share["name"],
                "key": share["key"],
                "amount": share["amount"],
                "run_id": entry.run,
                "step": entry.data["step"],
                "attempt": entry.data["attempt"],
                "taken_at": entry.at,
                "given_back_at": None,
            },
        )


def budgets_given_back(entry: Entry) -> Change:
    """The effect certainly did not happen."""
    return _held(entry, entry.at)


def budgets_kept(entry: Entry) -> Change:
    """The effect did happen, whatever was said before."""
    return _held(entry, None)


def _held(entry: Entry, given_back_at: datetime | None) -> Change:
    where = {
        "run_id": entry.run or entry.data.get("by_run"),  # A late answer comes after the end.
        "step": entry.data["step"],
        "attempt": entry.data["attempt"],
    }
    return Update("budget_use", where, {"given_back_at": given_back_at})


def glass_used(entry: Entry) -> Iterable[Change]:
    """Somebody decided alone."""
    yield Insert(
        "glass_use",
        {
            "id": entry.id,
            "request_id": entry.data["request"],
            "run_id": entry.run,
            "step": entry.data["step"],
            "used_by": entry.actor.ref,
            "used_at": entry.at,
            "review_by": datetime.fromisoformat(str(entry.data["review_by"])).astimezone(UTC),
            "people": _text(entry.data.get("people")),
            "asked": _text(entry.data.get("by")),
            "reviewers": _text(entry.data.get("reviewers")),
            "verdict": None,
            "reviewed_by": None,
            "reviewed_at": None,
            "review_entry": None,
        },
    )


def glass_reviewed(entry: Entry) -> Iterable[Change]:
    """Somebody else looked at it."""
    yield Update(
        "glass_use",
        {"id": entry.data["used"], "verdict": None},
        {
            "verdict": entry.data["verdict"],
            "reviewed_by": entry.actor.ref,
            "reviewed_at": entry.at,
            "review_entry": entry.id,
        },
        ALREADY_REVIEWED,
    )


def _dicts(value: Json) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(value: Json) -> str:
    return json.dumps(value or [], separators=(",", ":"), ensure_ascii=False)
