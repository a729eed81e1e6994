"""Which workflows somebody may start, for lists, help and menus, by role and by `run_by`.

Only shown: whoever starts one is judged again by the engine.
"""

from dataclasses import dataclass

from bot.desk import Desk
from workflows.definition import Definition
from workflows.errors import PeopleUnreadableError
from workflows.people import CLICK_AGE, PersonId
from workflows.policy_roles import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Permitted:
    """The workflows somebody may start, by name; not `is_certain` where Slack did not answer."""

    definitions: tuple[Definition, ...]
    is_certain: bool = True

    @property
    def names(self) -> frozenset[str]:
        """Return their names."""
        return frozenset(one.workflow for one in self.definitions)


def permitted(desk: Desk, person: PersonId) -> Permitted:
    """Return what `person` may start; the first group that cannot be read ends the look."""
    found: list[Definition] = []
    every = desk.library.definitions()
    try:
        if desk.roles.may_run(person):
            found.extend(one for one in every if _is_for(desk, person, one))
    except PeopleUnreadableError:
        return Permitted(definitions=tuple(found), is_certain=False)
    return Permitted(definitions=tuple(found))


def may_start(desk: Desk, person: PersonId, definition: Definition) -> bool:
    """Say whether `person` may start a workflow.

    Raises:
        PeopleUnreadableError: Slack did not say who belongs to whom.
    """
    return desk.roles.may_run(person) and _is_for(desk, person, definition)


def _is_for(desk: Desk, person: PersonId, definition: Definition) -> bool:
    members = desk.directory.members
    return any(person in members(name, max_age=CLICK_AGE) for name in definition.may_run)


def is_auditor(desk: Desk, person: PersonId) -> bool:
    """Say whether somebody may read everything; whoever cannot be known to audit may not."""
    try:
        return desk.roles.holds(person, Role.AUDITOR)
    except PeopleUnreadableError:
        return False
