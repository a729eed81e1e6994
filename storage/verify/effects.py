"""The effects of one run as its entries tell them: announced, under way, known not to have been.

Whether that breaks a rule is for `semantics`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Attempt: TypeAlias = tuple[str, str]

CLOSING = frozenset({"action.executed", "action.failed", "action.resolved"})
TELLING = CLOSING | {"action.in_doubt"}


@dataclass(slots=True)
class Effects:
    """What a run that has not ended tells of its attempts."""

    under_way: dict[Attempt, int] = field(default_factory=dict)  # By which entry each began.
    _announced: set[Attempt] = field(default_factory=set)
    _undone: set[Attempt] = field(default_factory=set)  # Those that certainly did nothing.

    def announce(self, attempt: Attempt, index: int) -> None:
        """Take in that an effect begins."""
        self.under_way[attempt] = index
        self._announced.add(attempt)
        self._undone.discard(attempt)

    def tell(self, kind: str, data: Mapping[str, Any]) -> bool:
        """Take in what became of an effect; False if nobody had announced it."""
        attempt = attempt_of(data)
        if kind in CLOSING:
            self.under_way.pop(attempt, None)
        if data.get("performed") == "no" or data.get("happened") == "no":
            self._undone.add(attempt)
        return attempt in self._announced

    def may_follow(self, attempt: Attempt | None) -> bool:
        """Say whether what was agreed to for an attempt is there for another one."""
        return attempt is None or attempt in self._undone


def attempt_of(data: Mapping[str, Any]) -> Attempt:
    """Return what an attempt is known by: its key and its number, whatever stands there."""
    return str(data["idem"]), str(data["attempt"])
