"""The small language in which block rules are written.

A *kind* looks at one value and reports what is wrong with it; a `Shape` names the fields
of an object and their kinds. The words of a fault are close to Slack's own, and each ends
with the JSON pointer of the culprit.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sandbox import limits
from sandbox.loose import Unchecked

Pointer = str


@dataclass(slots=True)
class Faults:
    """The faults found so far, in order."""

    messages: list[str] = field(default_factory=list)

    def add(self, what: str, at: Pointer) -> None:
        """Keep one fault and where it is."""
        self.messages.append(f"[ERROR] {what} [json-pointer:{at}]")


Kind = Callable[[Unchecked, Pointer, Faults], None]


def units(text: str) -> int:
    """Return how long a client in a browser finds `text`: most emoji count twice there."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def string(most: int, *, least: int = 1) -> Kind:
    """Accept text of `least` to `most` characters."""

    def look(value: Unchecked, at: Pointer, faults: Faults) -> None:
        if not isinstance(value, str):
            faults.add("must provide a string", at)
        elif len(value) < least:
            faults.add(f"must be more than {least - 1} characters", at)
        elif units(value) > most:
            faults.add(f"must be less than {most + 1} characters", at)

    return look


def one_of(*allowed: Unchecked) -> Kind:
    """Accept exactly the values named."""

    def look(value: Unchecked, at: Pointer, faults: Faults) -> None:
        if value not in allowed:
            faults.add(f"value must be one of {json.dumps(allowed)}", at)

    return look


def boolean(value: Unchecked, at: Pointer, faults: Faults) -> None:
    """Accept true and false."""
    if not isinstance(value, bool):
        faults.add("must be a boolean", at)


def integer(least: int, most: int) -> Kind:
    """Accept a whole number between two others."""

    def look(value: Unchecked, at: Pointer, faults: Faults) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            faults.add("must be an integer", at)
        elif not least <= value <= most:
            faults.add(f"must be between {least} and {most}", at)

    return look


def number(value: Unchecked, at: Pointer, faults: Faults) -> None:
    """Accept a finite number."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        faults.add("must be a number", at)


def url(value: Unchecked, at: Pointer, faults: Faults) -> None:
    """Accept a web address."""
    before = len(faults.messages)
    string(limits.URL)(value, at, faults)
    if len(faults.messages) == before and not value.startswith(("http://", "https://", "mailto:")):
        faults.add("invalid url", at)


def list_of(kind: Kind, *, least: int = 1, most: int) -> Kind:
    """Accept a list of `least` to `most` items, each of `kind`."""

    def look(value: Unchecked, at: Pointer, faults: Faults) -> None:
        if not isinstance(value, list):
            faults.add("must provide an array", at)
            return
        if len(value) > most:
            faults.add(f"no more than {most} items allowed", at)
        if len(value) < least:
            faults.add(f"no less than {least} items allowed", at)
        for place, item in enumerate(value):
            kind(item, f"{at}/{place}", faults)

    return look


def nullable(kind: Kind) -> Kind:
    """Accept null as well."""

    def look(value: Unchecked, at: Pointer, faults: Faults) -> None:
        if value is not None:
            kind(value, at, faults)

    return look


def anything(_value: Unchecked, _at: Pointer, _faults: Faults) -> None:
    """Accept any value; another rule looks at it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """An object: its fields, which of them must be there, and a rule over the whole."""

    fields: Mapping[str, Kind]
    required: frozenset[str] = frozenset()
    rule: Kind = anything

    def __call__(self, value: Unchecked, at: Pointer, faults: Faults) -> None:
        if not isinstance(value, dict):
            faults.add("must provide an object", at)
            return
        for name in sorted(self.required - value.keys()):
            faults.add(f"missing required field: {name}", at)
        for name, item in value.items():
            kind = self.fields.get(name)
            if kind is None:
                faults.add(f"invalid additional property: {name}", at)
            else:
                kind(item, f"{at}/{name}", faults)
        self.rule(value, at, faults)


def shape(required: Mapping[str, Kind], rule: Kind = anything, **optional: Kind) -> Shape:
    """Build a shape from its required and its optional fields."""
    return Shape({**required, **optional}, frozenset(required), rule)


def by_type(kinds: Mapping[str, Kind]) -> Kind:
    """Choose the kind by the object's `type`; a type that is not named is refused."""

    def look(value: Unchecked, at: Pointer, faults: Faults) -> None:
        if not isinstance(value, dict):
            faults.add("must provide an object", at)
            return
        chosen = kinds.get(value.get("type", "")) if isinstance(value.get("type"), str) else None
        if chosen is None:
            faults.add(f"unsupported type: {value.get('type')}", f"{at}/type")
        else:
            chosen(value, at, faults)

    return look
