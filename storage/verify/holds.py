"""Which payloads a legal hold keeps, as the entries tell: did a marker remove one all the same?

Which selectors a log ever has is known before the first entry is met, so nothing is kept of a log
without holds, and of others what some hold may come to be about.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from workflows.errors import HoldError
from workflows.holds import Kind, Selector, read_selector
from workflows.moments import stamp

SET, LIFTED = "hold.set", "hold.lifted"


@dataclass(frozen=True, slots=True)
class _Kept:
    """An entry with payloads, as far as a hold may select it."""

    place: int
    run: str | None  # The one that it is about.
    workflow: str | None
    actor: str
    ts: str
    own: str | None  # The hold that it sets.
    classes: Mapping[str, str]


Removed: TypeAlias = tuple[_Kept, str]  # An entry, and the name of its payload.


class Holds:
    """Follows holds, and what there is that they select."""

    def __init__(self, selectors: Iterable[object] = ()) -> None:
        """Take the selectors of all holds that the log ever sets."""
        self._all = {one for one in map(_selector, selectors) if one is not None}
        self._kinds = {one.kind for one in self._all}
        self._in_force: dict[str, Selector] = {}
        self._kept: list[_Kept] = []
        self._workflows: dict[str, str] = {}  # Of each run, where one is held by its workflow.
        self._took_part: dict[str, set[str]] = {}  # In which runs people did something.
        self._swept: dict[str, int] = {}
        self._gone: set[tuple[int, str]] = set()

    def take(self, index: int, members: Mapping[str, Any]) -> None:
        """Take in an entry, whatever it is."""
        if not self._kinds:
            return
        data, run, kind = members["data"], members["run"], members["kind"]
        about = run or _text(data.get("by_run"))
        workflow = _text(data.get("workflow"))
        if kind == "run.started" and Kind.WORKFLOW in self._kinds and workflow is not None:
            self._workflows[run] = workflow
        if run is not None and Kind.PERSON in self._kinds:
            for one in {members["actor"]["ref"], _text(data.get("for"))} - {None}:
                self._took_part.setdefault(one, set()).add(run)
        if members["parts"]:
            classes = {name: part["cls"] for name, part in members["parts"].items()}
            own = _text(data.get("hold")) if kind == SET else None
            actor, ts = members["actor"]["ref"], members["ts"]
            self._keep(_Kept(index, about, workflow, actor, ts, own, classes))
        self._note(kind, data)

    def kept_from(self, kind: str, data: Mapping[str, Any]) -> bool:
        """Say whether a marker removes what a hold keeps; what it removes is gone from then on."""
        if not self._kinds:
            return False
        removed = list((self._listed if kind == "erasure" else self._passed)(data))
        is_held = bool(self._in_force) and any(self._is_held(one) for one, _ in removed)
        if kind == "erasure":  # What a sweep has passed is not looked at again.
            self._gone.update((one.place, name) for one, name in removed)
        return is_held

    def _keep(self, one: _Kept) -> None:
        """Keep an entry that a hold may select; in which runs a person acts is known later."""
        is_open = Kind.PERSON in self._kinds or one.own is not None
        if is_open or any(self._selects(selector, one) for selector in self._all):
            self._kept.append(one)

    def _listed(self, data: Mapping[str, Any]) -> Iterator[Removed]:
        for place, name in data["items"]:
            for one in self._between(place, place + 1):
                if name in one.classes:
                    yield one, name

    def _passed(self, data: Mapping[str, Any]) -> Iterator[Removed]:
        cls, before = data["cls"], data["before"]
        start = self._swept.get(cls, 0)
        self._swept[cls] = max(start, before)
        for one in self._between(start, before):
            for name, its in one.classes.items():
                if its == cls and (one.place, name) not in self._gone:
                    yield one, name

    def _note(self, kind: str, data: Mapping[str, Any]) -> None:
        name = _text(data.get("hold")) or ""
        if kind == SET:
            selector = _selector(data.get("selector"))
            if selector is not None:
                self._in_force[name] = selector
        elif kind == LIFTED:
            self._in_force.pop(name, None)

    def _between(self, start: int, end: int) -> Iterator[_Kept]:
        at = bisect_left(self._kept, start, key=lambda one: one.place)
        while at < len(self._kept) and self._kept[at].place < end:
            yield self._kept[at]
            at += 1

    def _is_held(self, one: _Kept) -> bool:
        if one.own is not None and one.own in self._in_force:
            return True
        return any(self._selects(selector, one) for selector in self._in_force.values())

    def _selects(self, selector: Selector, one: _Kept) -> bool:
        name, run = selector.name, one.run or ""
        match selector.kind:
            case Kind.RUN:
                return run == name
            case Kind.WORKFLOW:
                return name in {one.workflow, self._workflows.get(run)}
            case Kind.PERSON:
                return one.actor == name or run in self._took_part.get(name, ())
            case Kind.PERIOD:
                begin, end = selector.period
                return stamp(begin) <= one.ts < stamp(end)


def _selector(text: object) -> Selector | None:
    try:
        return read_selector(text) if isinstance(text, str) else None
    except HoldError:
        return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
