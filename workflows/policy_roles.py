"""Which groups and people the policy binds to each role. Who is asked, and when, is for `roles`.

Owners stand in definitions and approvers in rules, so neither is bound here.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from workflows.definition_parts import Closed, Somebody

EVERYWHERE = "*"  # The scope of a role that holds for all workflows.

Bound = Annotated[tuple[Somebody, ...], Field(min_length=1, max_length=20)]


class Role(StrEnum):
    """What somebody is here by the policy."""

    VIEWER = "viewer"
    RUNNER = "runner"
    AUTHOR = "author"
    GOVERNOR = "governor"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Binding:
    """One role of one group or person."""

    role: Role
    to: str
    scope: str = EVERYWHERE


class Roles(Closed):
    """Who governs, and who may look, start, publish and audit; what is not bound is not asked.

    None where a policy leaves a role out, so that its digest stays the one it had.
    """

    governors: Bound
    viewers: Bound | None = None
    runners: Bound | None = None
    authors: Bound | None = None
    auditors: Bound | None = None

    def bound(self, role: Role) -> tuple[str, ...]:
        """Return who has `role`, nobody where the policy does not bind it."""
        return {
            Role.VIEWER: self.viewers,
            Role.RUNNER: self.runners,
            Role.AUTHOR: self.authors,
            Role.GOVERNOR: self.governors,
            Role.AUDITOR: self.auditors,
        }[role] or ()

    @property
    def bindings(self) -> frozenset[Binding]:
        """Return every role with whom it is bound to."""
        return frozenset(Binding(role=role, to=to) for role in Role for to in self.bound(role))
