"""What markers tell of payloads that are gone: was somebody asked, and did nothing hold them?

A run that has not ended holds its own payloads, since the engine resumes from them. Who is erased
is erased by a run that asked people; the nightly sweep comes back to what such a run left.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from storage.verify.members import CLASSES, is_count

ERASES = "interlock.erase"
OF_A_PERSON = "request"
ITEM = 2
Finding: TypeAlias = tuple[str, str]


@dataclass(slots=True)
class Payloads:
    """Where the payloads of a run that has not ended stand."""

    places: list[int] = field(default_factory=list)
    first: dict[str, int] = field(default_factory=dict)  # Of each class.


class Removals:
    """Follows who asked for what is gone, and what open runs hold."""

    def __init__(self) -> None:
        self._open: dict[str, Payloads] = {}
        self._held: dict[int, str] = {}  # By which run, of each entry of one that has payloads.
        self._erasing: set[str] = set()  # Runs that began to erase somebody, on a request.
        self._was_asked = False

    def hold(self, index: int, run: str, parts: Mapping[str, Any]) -> None:
        """Take in payloads of a run that goes on."""
        held = self._open.get(run)
        if held is None:
            held = self._open[run] = Payloads()
        held.places.append(index)
        self._held[index] = run
        for part in parts.values():
            held.first.setdefault(part["cls"], index)

    def ask(self, data: Mapping[str, Any]) -> None:
        """Take in that people are asked; early releases did not say for which action."""
        self._was_asked |= data.get("action", ERASES) == ERASES

    def begin(self, run: str, data: Mapping[str, Any]) -> None:
        """Take in that an effect begins."""
        if data["action"] == ERASES and data["request"] is not None:
            self._erasing.add(run)

    def let_go(self, run: str) -> None:
        """Take in that a run has ended."""
        held = self._open.pop(run, None)
        for place in () if held is None else held.places:
            del self._held[place]

    def faults(
        self, index: int, members: Mapping[str, Any], *, begins_late: bool, ends_early: bool
    ) -> Iterator[Finding]:
        """Yield what is wrong with a marker; of what went before it, something may not be here."""
        kind, data = members["kind"], members["data"]
        if not (_is_erasure if kind == "erasure" else _is_sweep)(data, index):
            yield "kind-malformed", f"Entry {index} does not say which payloads are gone."
            return
        if ends_early:
            return  # Since then runs have asked, and ended.
        if self._is_held(kind, data):
            yield "erasure-held", f"Entry {index} removes what a run that goes on needs."
        if kind == "erasure" and not begins_late and not self._is_asked(data):
            yield "erasure-unasked", f"Entry {index} erases somebody, and nobody was asked."

    def _is_held(self, kind: str, data: Mapping[str, Any]) -> bool:
        if kind == "erasure":
            return any(place in self._held for place, _name in data["items"])
        cls, before = data["cls"], data["before"]
        return any(one.first.get(cls, before) < before for one in self._open.values())

    def _is_asked(self, data: Mapping[str, Any]) -> bool:
        if data["reason"] != OF_A_PERSON:
            return True
        by = data["by_run"]
        return self._was_asked if by is None else by in self._erasing


def _is_erasure(data: Mapping[str, Any], index: int) -> bool:
    items = data["items"]
    return isinstance(items, list) and all(_is_item(one, index) for one in items)


def _is_item(item: object, index: int) -> bool:
    if not isinstance(item, Sequence) or len(item) != ITEM:
        return False
    place, name = item
    return is_count(place) and place < index and isinstance(name, str)


def _is_sweep(data: Mapping[str, Any], index: int) -> bool:
    cls, before, count = data["cls"], data["before"], data["n"]
    is_class = isinstance(cls, str) and cls in CLASSES
    return is_class and is_count(before) and before <= index and is_count(count)
