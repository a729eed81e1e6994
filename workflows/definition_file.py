"""Reads YAML 1.2 into plain values and remembers where each of them stands.

Duplicate keys, aliases, anchors and tags are refused: a reviewer must be able to read a file
from top to bottom and know all it says. What the values mean is for `definition` and `policy`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StreamMark, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from workflows.entry import Json
from workflows.fault import Fault, Mark, Place, written

MOST_BYTES = 64 * 1024
MOST_DEPTH = 24
MOST_INTEGER = 2**53 - 1  # The integers that every reader of JSON agrees on.

_INTEGER = re.compile(r"[-+]?[0-9]+")
_FRACTION = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Json] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file's value, the places of its parts, and what is wrong with its YAML."""

    file: str
    value: Json
    keys: dict[Place, Mark]
    values: dict[Place, Mark]
    faults: tuple[Fault, ...]

    def fault(
        self,
        path: Place,
        what: str,
        right: str = "",
        *,
        at_key: bool = False,
        warning: bool = False,
    ) -> Fault:
        """Return a fault at `path`, or at the nearest part around it that the file has."""
        mark = self._mark(path, at_key=at_key)
        return Fault(
            file=self.file,
            line=mark.line,
            column=mark.column,
            path=written(path),
            what=what,
            right=right,
            is_warning=warning,
        )

    def _mark(self, path: Place, *, at_key: bool) -> Mark:
        places = (self.keys, self.values) if at_key else (self.values, self.keys)
        for place in places:
            if path in place:
                return place[path]
        around = path[:-1]
        # What is missing is shown where the thing that lacks it is named.
        return self._mark(around, at_key=True) if path else Mark(line=1, column=1)


@dataclass(slots=True)
class _Builder:
    """Turns parser events into values, collecting faults instead of stopping at the first."""

    file: str
    events: Iterator[Event]
    keys: dict[Place, Mark] = field(default_factory=dict)
    values: dict[Place, Mark] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def build(self, event: Event, path: Place) -> Json:
        self.values.setdefault(path, _mark_of(event))
        self._refuse_tricks(event, path)
        if isinstance(event, MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(path)
        return self._scalar(event, path) if isinstance(event, ScalarEvent) else None

    def _refuse_tricks(self, event: Event, path: Place) -> None:
        if isinstance(event, AliasEvent):
            self._fault(event, path, "aliases are not allowed", "write the value again")
            return
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if anchor is not None:
            self._fault(event, path, f"anchors are not allowed: &{anchor}", "remove it")
        # An explicit tag clears the implicit flag; the parser gives "!" to quoted scalars itself.
        if tag is not None and not _is_implicit(event):
            self._fault(event, path, f"tags are not allowed: {tag}", "remove it")

    def _mapping(self, path: Place) -> Json:
        found: dict[str, Json] = {}
        too_deep = len(path) == MOST_DEPTH
        while not isinstance(event := next(self.events), MappingEndEvent):
            name = self._key(event, path)
            here = (*path, name)
            if too_deep:
                self._fault(event, here, "is nested too deeply", f"use at most {MOST_DEPTH} levels")
            if name in found:
                first = self.keys[here].line
                self._fault(event, here, f"stands twice, first in line {first}", "keep one of them")
            self.keys.setdefault(here, _mark_of(event))
            value = self.build(next(self.events), here)
            found.setdefault(name, value)
        return found

    def _key(self, event: Event, path: Place) -> str:
        if isinstance(event, ScalarEvent):
            self._refuse_tricks(event, (*path, event.value))
            return str(event.value)
        self._fault(event, path, "has a key that is no plain word", "write a name before the colon")
        self.build(event, (*path, "?"))
        return "?"

    def _sequence(self, path: Place) -> Json:
        found: list[Json] = []
        if len(path) == MOST_DEPTH:
            self.faults.append(self._here(path, "is nested too deeply"))
        while not isinstance(event := next(self.events), SequenceEndEvent):
            found.append(self.build(event, (*path, len(found))))
        return found

    def _scalar(self, event: ScalarEvent, path: Place) -> Json:
        text = str(event.value)
        if "\0" in text:
            self._fault(event, path, "holds a NUL character", "remove it")
        return self._plain(event, text, path) if event.style is None else text

    def _plain(self, event: ScalarEvent, text: str, path: Place) -> Json:
        if text in _WORDS:
            return _WORDS[text]
        if not _FRACTION.fullmatch(text):
            return text
        number = int(text) if _INTEGER.fullmatch(text) else float(text)
        if abs(number) > MOST_INTEGER:
            self._fault(event, path, "is too large for a number", "quote it if it is a name")
            return 0
        return number

    def _fault(self, event: Event, path: Place, what: str, right: str) -> None:
        mark = _mark_of(event)
        self.faults.append(
            Fault(
                file=self.file,
                line=mark.line,
                column=mark.column,
                path=written(path),
                what=what,
                right=right,
            )
        )

    def _here(self, path: Place, what: str) -> Fault:
        mark = self.values[path]
        return Fault(
            file=self.file, line=mark.line, column=mark.column, path=written(path), what=what
        )


def _is_implicit(event: Event) -> bool:
    implicit = getattr(event, "implicit", None)
    return any(implicit) if isinstance(implicit, tuple) else bool(implicit)


def _mark_of(event: Event) -> Mark:
    return Mark(line=event.start_mark.line + 1, column=event.start_mark.column + 1)


def read_document(text: str, file: str) -> Document:
    """Return what `text` says and everything that is wrong with its YAML."""
    builder = _Builder(file=file, events=iter(()))
    size = len(text.encode(errors="surrogatepass"))
    if size > MOST_BYTES:
        what = f"has {size} bytes, the most is {MOST_BYTES}"
        fault = Fault(file=file, line=1, column=1, path="", what=what, right="split it in two")
        return Document(file=file, value=None, keys={}, values={}, faults=(fault,))
    value: Json = None
    try:
        value = _read(builder, text)
    except YAMLError as error:
        builder.faults.append(_syntax_fault(error, file))
    except (ValueError, RecursionError) as error:
        builder.faults.append(Fault(file=file, line=1, column=1, path="", what=str(error)))
    faults = tuple(builder.faults)
    return Document(file=file, value=value, keys=builder.keys, values=builder.values, faults=faults)


def _read(builder: _Builder, text: str) -> Json:
    builder.events = iter(YAML(typ="safe", pure=True).parse(text))
    starts = 0
    value: Json = None
    for event in builder.events:
        if isinstance(event, DocumentStartEvent):
            starts += 1
            value = _first_or_fault(builder, starts, event, value)
    return value


def _first_or_fault(builder: _Builder, starts: int, event: Event, value: Json) -> Json:
    found = builder.build(next(builder.events), () if starts == 1 else ("document", starts))
    if starts == 1:
        return found
    mark = _mark_of(event)
    what = "holds more than one document"
    right = "keep one file for each"
    builder.faults.append(
        Fault(
            file=builder.file, line=mark.line, column=mark.column, path="", what=what, right=right
        )
    )
    return value


def _syntax_fault(error: YAMLError, file: str) -> Fault:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    what = str(error).splitlines()[0]
    if isinstance(error, MarkedYAMLError):
        what = " ".join(part for part in (error.context, error.problem) if part)
    line, column = (mark.line + 1, mark.column + 1) if isinstance(mark, StreamMark) else (1, 1)
    return Fault(
        file=file,
        line=line,
        column=column,
        path="",
        what=f"is not YAML: {what}",
        right="check indentation, colons and quotes here",
    )
