"""Which workflows somebody may start or see runs of, for lists, help and menus.

Starting goes by role and by `run_by`, and whoever starts one is judged again by the engine.
"""

from dataclasses import dataclass

from bot.desk import Desk
from storage.published import known_workflows
from workflows.definition import Definition
from workflows.errors import PeopleUnreadableError
from workflows.people import CLICK_AGE, PersonId
from workflows.roles import Sight


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
        found.extend(one for one in every if may_start(desk, person, one))
    except PeopleUnreadableError:
        return Permitted(definitions=tuple(found), is_certain=False)
    return Permitted(definitions=tuple(found))


def may_start(desk: Desk, person: PersonId, definition: Definition) -> bool:
    """Say whether `person` may start a workflow.

    Raises:
        PeopleUnreadableError: Slack did not say who belongs to whom.
    """
    if not desk.roles.may_run(person, definition.workflow):
        return False
    members = desk.directory.members
    return any(person in members(name, max_age=CLICK_AGE) for name in definition.may_run)


def seen_by(desk: Desk, person: PersonId) -> frozenset[str] | None:
    """Return the workflows of which `person` may see runs, None for all of them.

    Raises:
        PeopleUnreadableError: as `may_start`.
    """
    sight = desk.roles.sight(person)
    if sight.is_everything:
        return None
    return frozenset(one for one in known_workflows(desk.store.database) if one in sight)


def audited_by(desk: Desk, person: PersonId) -> Sight:
    """Return what `person` may read whatever else they may; nothing where nobody can tell."""
    try:
        return desk.roles.audits(person)
    except PeopleUnreadableError:
        return Sight()
