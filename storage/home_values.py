"""Homes in Slack as values: who reads one, what they chose there, and when it may be drawn."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from workflows.entry import Ref

# Whoever has not looked for so long is drawn a new Home when they do.
READS_FOR = timedelta(days=30)


class Told(StrEnum):
    """What somebody is told directly about how their runs go."""

    ALL = "all"
    TROUBLE = "trouble"  # Only what did not go well.
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeReader:
    """Somebody who has opened their Home. `pages` are those they turned to, by section."""

    ref: Ref
    pages: Mapping[str, int] = field(default_factory=dict)
    told: Told = Told.ALL
    hash: str | None = None  # Of what Slack shows, as far as is known.
    attempts: int = 0
