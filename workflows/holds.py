"""What a legal hold selects, as the trail writes it: `run:…`, `workflow:…`, `person:…`, `period:…`.

A person stands in it by pseudonym, since entries name nobody.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum

from workflows.errors import HoldError

NAME = re.compile(r"[A-Za-z0-9_.:/@-]{1,100}")
HINT = "Write run:ID, workflow:NAME, person:@NAME or period:2026-01-01/2026-04-01."


class Kind(StrEnum):
    """By what payloads are selected."""

    RUN = "run"
    WORKFLOW = "workflow"
    PERSON = "person"
    PERIOD = "period"


@dataclass(frozen=True, slots=True)
class Selector:
    """Which payloads a hold keeps. The end of a period, a day, does not belong to it."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.name}"

    @property
    def period(self) -> tuple[datetime, datetime]:
        """Return the first moment of the period, and the first one after it (UTC)."""
        begin, _, end = self.name.partition("/")
        return _start_of(begin), _start_of(end)


def read_selector(text: str) -> Selector:
    """Return what `text` selects.

    Raises:
        HoldError: it selects nothing that can be told.
    """
    kind, _, name = text.partition(":")
    if kind not in {one.value for one in Kind} or not NAME.fullmatch(name):
        raise HoldError(f"{text!r} selects nothing.", hint=HINT)
    found = Selector(Kind(kind), name)
    if found.kind is Kind.PERIOD and not _is_period(found):
        raise HoldError(f"{name!r} is no period.", hint=HINT)
    return found


def _is_period(selector: Selector) -> bool:
    try:
        begin, end = selector.period
    except ValueError:
        return False
    return begin < end


def _start_of(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(), tzinfo=UTC)
