"""Which groups and people the policy binds to each role. Who is asked, and when, is for `roles`.

Owners stand in definitions and approvers in rules, so neither is bound here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, Discriminator, Field, Tag

from workflows.definition_parts import Closed, Somebody, slug

EVERYWHERE = "*"  # The scope of a role that holds for all workflows.


def covers(scope: str, workflow: str) -> bool:
    """Say whether what holds for `scope` holds for a workflow, or for all where that is `*`."""
    if scope.endswith("*"):
        return workflow.startswith(scope[:-1])
    return scope == workflow


def _some(scope: str) -> str:
    begin = scope.removesuffix("*")
    slug(begin.removesuffix("-") if begin != scope else scope)
    return scope


# The name of a workflow, or the beginning of several, such as `payments-*`.
Some: TypeAlias = Annotated[str, AfterValidator(_some)]


class ForSome(Closed):
    """Who has a role for some workflows only."""

    to: Somebody
    workflows: Annotated[tuple[Some, ...], Field(min_length=1, max_length=100)]


def _form(value: object) -> str:
    return "<some>" if isinstance(value, ForSome | dict) else "<all>"


AnyBound: TypeAlias = Annotated[
    Annotated[Somebody, Tag("<all>")] | Annotated[ForSome, Tag("<some>")], Discriminator(_form)
]
Bound: TypeAlias = Annotated[tuple[AnyBound, ...], Field(min_length=1, max_length=20)]


def _whole(bound: Bound) -> Bound:
    if any(isinstance(one, ForSome) for one in bound):
        raise ValueError("governors answer for every workflow; name groups and people alone")
    return bound


class Role(StrEnum):
    """What somebody is here by the policy."""

    VIEWER = "viewer"
    RUNNER = "runner"
    AUTHOR = "author"
    GOVERNOR = "governor"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Binding:
    """One role of one group or person, for all workflows or for those of `scope`."""

    role: Role
    to: str
    scope: str = EVERYWHERE


class Roles(Closed):
    """Who governs, and who may look, start, publish and audit; what is not bound is not asked.

    None where a policy leaves a role out, so that its digest stays the one it had.
    """

    governors: Annotated[Bound, AfterValidator(_whole)]
    viewers: Bound | None = None
    runners: Bound | None = None
    authors: Bound | None = None
    auditors: Bound | None = None

    def of(self, role: Role) -> Iterator[Binding]:
        """Yield each binding of `role`, none where the policy does not bind it."""
        bound: dict[Role, Bound | None] = {
            Role.VIEWER: self.viewers,
            Role.RUNNER: self.runners,
            Role.AUTHOR: self.authors,
            Role.GOVERNOR: self.governors,
            Role.AUDITOR: self.auditors,
        }
        for one in bound[role] or ():
            if isinstance(one, ForSome):
                yield from (Binding(role=role, to=one.to, scope=some) for some in one.workflows)
            else:
                yield Binding(role=role, to=one)

    def bound(self, role: Role, workflow: str | None = None) -> tuple[str, ...]:
        """Return who has `role`, for that workflow or, without one, for any at all."""
        found = (one for one in self.of(role) if workflow is None or covers(one.scope, workflow))
        return tuple(dict.fromkeys(one.to for one in found))

    @property
    def bindings(self) -> frozenset[Binding]:
        """Return every role with whom it is bound to."""
        return frozenset(one for role in Role for one in self.of(role))
