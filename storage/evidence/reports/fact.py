"""An entry as the reports read it. One that cannot be read says nothing; verifying names it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

PERSON = "s:"  # How the pseudonym of a person begins.

Cells = Mapping[str, object]
Finding = tuple[str, "Fact", Cells]  # A report, the entry its row rests on, and the row.
Findings = Iterator[Finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """An entry: its place, its readable columns, and what it tells."""

    idx: int
    id: str
    ts: str
    kind: str
    run: str
    actor: str
    data: Mapping[str, Any]

    def said(self, name: str) -> Any:  # noqa: ANN401  any JSON value
        """Return a field that is a text or a number, None where there is none."""
        found = self.data.get(name)
        return found if isinstance(found, str | int) else None

    def listed(self, name: str) -> list[str]:
        """Return the texts in a field that is a list."""
        return texts(self.data.get(name))

    @property
    def is_by_person(self) -> bool:
        """Whether a person did it."""
        return self.actor.startswith(PERSON)


def data_of(line: str) -> Mapping[str, Any]:
    """Return what a line tells, nothing if it cannot be read."""
    try:
        data = json.loads(line)["data"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def texts(value: object) -> list[str]:
    """Return the texts in a list, none if it is no list."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def seconds_between(earlier: str, later: str) -> int | None:
    """Return the whole seconds from one `ts` to another, None where one is no moment."""
    try:
        took = datetime.fromisoformat(later) - datetime.fromisoformat(earlier)
    except (ValueError, TypeError):
        return None
    return int(took.total_seconds())
