"""What the entries about one-time codes state, as changes of the tables. Pure, as `projections`.

The secrets themselves stand in no entry; they lie sealed beside the rows.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from storage.change import Change, Insert, Update
from workflows.entry import Entry

NO_LONGER = "These codes were settled meanwhile; nothing was recorded."


def step_up_enrolled(entry: Entry) -> Iterable[Change]:
    """A person showed that their app gives the right codes; older ones that wait are over."""
    person = entry.data["person"]
    waiting = {"person": person, "confirmed_at": None, "ended_at": None}
    yield Update("step_up", waiting, _ended(entry, "replaced"))
    yield Insert(
        "step_up",
        {
            "id": entry.data["enrolment"],
            "person": person,
            "asked": json.dumps(entry.data["asked"], separators=(",", ":")),
            "enrolled_at": entry.at,
            "confirmed_at": None,
            "confirmed_by": None,
            "ended_at": None,
            "ended_by": None,
            "ended_how": None,
        },
    )


def step_up_confirmed(entry: Entry) -> Iterable[Change]:
    """A governor has them count, in the place of those that did."""
    before = entry.data["replaces"]
    if before is not None:
        live = {"id": before, "ended_at": None}
        yield Update("step_up", live, _ended(entry, "replaced"), NO_LONGER)
    yield Update(
        "step_up",
        {"id": entry.data["enrolment"], "confirmed_at": None, "ended_at": None},
        {"confirmed_at": entry.at, "confirmed_by": entry.actor.ref},
        NO_LONGER,
    )


def step_up_reset(entry: Entry) -> Iterable[Change]:
    """A governor declined them, or took them away."""
    live = {"id": entry.data["enrolment"], "ended_at": None}
    yield Update("step_up", live, _ended(entry, str(entry.data["reason"])), NO_LONGER)


def _ended(entry: Entry, how: str) -> Mapping[str, Any]:
    return {"ended_at": entry.at, "ended_by": entry.actor.ref, "ended_how": how}
