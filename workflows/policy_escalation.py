"""Whom to ask as well when a request has waited for too long."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from workflows.definition_parts import Closed, Somebody
from workflows.duration import Duration


class Escalate(Closed):
    """Who may decide too, once the request has been open for `after`."""

    after: Duration
    to: Annotated[tuple[Somebody, ...], Field(min_length=1, max_length=20)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """One rule's escalation, and the stages of the demand that it may widen."""

    after: timedelta
    to: tuple[str, ...]
    stages: tuple[int, ...]

    def is_within(self, other: "Escalate | Escalation") -> bool:
        """Say whether `other` lets the same people decide by then too."""
        return other.after <= self.after and set(self.to) <= set(other.to)
