"""Reads YAML 1.2 into plain values and remembers where each of them stands.

Duplicate keys, aliases, anchors, tags and characters that cannot be seen are refused: a reviewer
must be able to read a file from top to bottom and know all it says. What the values mean is for
`definition` and `policy`.
"""

import math
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
from ruamel.yaml.reader import ReaderError

from workflows.definition_file import MOST_BYTES, MOST_DEPTH, MOST_INTEGER, Document
from workflows.entry import Json
from workflows.fault import Fault, Mark, Place, written

LONGEST_NUMBER = 40  # Longer ones are none, and Python takes its time to read them.
LONGEST_SHOWN = 60
MERGE = "<<"  # Other readers of YAML take it for what stands elsewhere.
_START = Mark(line=1, column=1)

_HIDDEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|[\ud800-\udfff]")
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")  # They show a line in another order.
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FRACTION = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Json] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class _TooDeepError(Exception):
    """Ends the reading of a file that goes on below any sensible depth."""


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
            shown = str(anchor)[:LONGEST_SHOWN]
            self._fault(event, path, f"anchors are not allowed: &{shown}", "remove it")
        # An explicit tag clears the implicit flag; the parser gives "!" to quoted scalars itself.
        if tag is not None and not _is_implicit(event):
            shown = str(tag)[:LONGEST_SHOWN]
            self._fault(event, path, f"tags are not allowed: {shown}", "remove it")

    def _seen(self, event: ScalarEvent, path: Place) -> str:
        """Return the text of a value or a key, with a mark for what is refused in it."""
        text = str(event.value)
        found = _HIDDEN.search(text) or _TURNING.search(text)
        if found is None:
            return text
        # Only its number is shown: a terminal would act on the character itself.
        name = "a NUL character" if found.group() == "\0" else f"U+{ord(found.group()):04X}"
        self._fault(event, path, f"holds {name}, which cannot be seen", "remove it")
        return _HIDDEN.sub("?", text)

    def _mapping(self, path: Place) -> Json:
        self._refuse_depth(path)
        found: dict[str, Json] = {}
        while not isinstance(event := next(self.events), MappingEndEvent):
            name = self._key(event, path)
            here = (*path, name)
            if name in found:
                first = self.keys[here].line
                self._fault(event, here, f"stands twice, first in line {first}", "keep one of them")
            self.keys.setdefault(here, _mark_of(event))
            value = self.build(next(self.events), here)
            found.setdefault(name, value)
        return found

    def _key(self, event: Event, path: Place) -> str:
        if isinstance(event, ScalarEvent):
            name = self._seen(event, path)
            self._refuse_tricks(event, (*path, name))
            if name == MERGE and event.style is None:
                self._fault(event, path, "merge keys are not allowed", "write the values here")
            return name
        self._fault(event, path, "has a key that is no plain word", "write a name before the colon")
        self.build(event, (*path, "?"))
        return "?"

    def _sequence(self, path: Place) -> Json:
        self._refuse_depth(path)
        found: list[Json] = []
        while not isinstance(event := next(self.events), SequenceEndEvent):
            found.append(self.build(event, (*path, len(found))))
        return found

    def _refuse_depth(self, path: Place) -> None:
        if len(path) < MOST_DEPTH:
            return
        what, right = "is nested too deeply", f"use at most {MOST_DEPTH} levels"
        self.faults.append(_at(self.file, self.values[path], what, right, path=path))
        raise _TooDeepError

    def _scalar(self, event: ScalarEvent, path: Place) -> Json:
        text = self._seen(event, path)
        return self._plain(event, text, path) if event.style is None else text

    def _plain(self, event: ScalarEvent, text: str, path: Place) -> Json:
        if text in _WORDS:
            return _WORDS[text]
        if not _FRACTION.fullmatch(text):
            return text
        number = _number(text)
        if abs(number) > MOST_INTEGER:
            self._fault(event, path, "is too large for a number", "quote it if it is a name")
            return 0
        return number

    def _fault(self, event: Event, path: Place, what: str, right: str) -> None:
        self.faults.append(_at(self.file, _mark_of(event), what, right, path=path))


def _number(text: str) -> float:
    if len(text) > LONGEST_NUMBER:
        return math.inf
    return int(text) if _INTEGER.fullmatch(text) else float(text)


def _at(file: str, mark: Mark, what: str, right: str, *, path: Place = ()) -> Fault:
    where = written(path)
    return Fault(file=file, line=mark.line, column=mark.column, path=where, what=what, right=right)


def _is_implicit(event: Event) -> bool:
    implicit = getattr(event, "implicit", None)
    return any(implicit) if isinstance(implicit, tuple) else bool(implicit)


def _mark_of(event: Event) -> Mark:
    return Mark(line=event.start_mark.line + 1, column=event.start_mark.column + 1)


def read_yaml(text: str, file: str) -> Document:
    """Return what `text` says and everything that is wrong with its YAML."""
    builder = _Builder(file=file, events=iter(()))
    refused = _refusal(text, file)
    if refused is not None:
        return Document(file=file, value=None, keys={}, values={}, faults=(refused,))
    value: Json = None
    try:
        value = _read(builder, text)
    except _TooDeepError:
        pass  # Its fault has been noted.
    except YAMLError as error:
        builder.faults.append(_syntax_fault(error, text, file))
    except (ValueError, OverflowError) as error:  # An escape that names no character.
        what = f"is not YAML: {error}"
        builder.faults.append(_at(file, _START, what, "check what stands after each backslash"))
    faults = tuple(builder.faults)
    return Document(file=file, value=value, keys=builder.keys, values=builder.values, faults=faults)


def _refusal(text: str, file: str) -> Fault | None:
    """Return why a text is not even parsed, if it is not."""
    size = len(text.encode(errors="surrogatepass"))
    if size > MOST_BYTES:
        what = f"has {size} bytes, the most is {MOST_BYTES}"
        return _at(file, _START, what, "split it in two")
    turning = _TURNING.search(text)
    if turning is None:
        return None
    what = f"holds U+{ord(turning.group()):04X}, which shows the line in another order than it has"
    return _at(file, _place_in(text, turning.start()), what, "remove it")


def _place_in(text: str, position: int) -> Mark:
    before = text[:position]
    return Mark(line=before.count("\n") + 1, column=len(before.rpartition("\n")[2]) + 1)


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
    what, right = "holds more than one document", "keep one file for each"
    builder.faults.append(_at(builder.file, _mark_of(event), what, right))
    return value


def _syntax_fault(error: YAMLError, text: str, file: str) -> Fault:
    right = "check indentation, colons and quotes here"
    if isinstance(error, ReaderError):
        what = f"is not YAML: holds U+{error.character:04X}, which cannot be seen"
        return _at(file, _place_in(text, error.position), what, "remove it")
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    what = str(error).splitlines()[0]
    if isinstance(error, MarkedYAMLError):
        what = " ".join(part for part in (error.context, error.problem) if part)
    line, column = (mark.line + 1, mark.column + 1) if isinstance(mark, StreamMark) else (1, 1)
    return _at(file, Mark(line=line, column=column), f"is not YAML: {what}", right)
