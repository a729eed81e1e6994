"""Who may decide a request alone, and what is wrong with a use of the glass."""

from collections.abc import Mapping
from typing import Any

from storage.verify.asked import Asked

GLASS = {
    "glass-unasked": "breaks the glass over a request nobody made",
    "binding": "breaks the glass over something else than was asked",
    "decision-late": "breaks the glass over what was closed",
    "glass-ineligible": "is of somebody who was not to break the glass",
    "glass-without-reason": "breaks the glass without a reason",
    "glass-without-code": "breaks the glass without the code that was wanted",
}


def glass_faults(members: Mapping[str, Any], asked: Asked) -> list[str]:
    """Return the codes of what is wrong with a use of the glass."""
    is_person = members["actor"]["t"] == "user"
    # What was approved in time may wait for the end of a freeze, and that is broken later.
    is_over = asked.has_expired_at(members["ts"]) and not asked.is_granted
    checks = {
        "binding": members["data"]["binding"] == asked.binding,
        "decision-late": asked.closed is None and not asked.denied and not is_over,
        "glass-ineligible": is_person and members["actor"]["ref"] in asked.breakers,
        "glass-without-reason": "reason" in members["parts"],
        "glass-without-code": not asked.wants_code or members["data"].get("step_up") is True,
    }
    return [code for code, is_right in checks.items() if not is_right]


def breakers(glass: object) -> set[str]:
    """Return the people whom a request lets decide alone."""
    people = glass.get("people") if isinstance(glass, dict) else None
    return {one for one in people if isinstance(one, str)} if isinstance(people, list) else set()
