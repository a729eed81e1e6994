"""Which workflows somebody may start or see runs of, for lists, help and menus.

Starting goes by role and by `run_by`, and whoever starts one is judged again by the engine.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bot.desk import Desk
from bot.library import Library
from storage.published import known_workflows
from workflows.catalog import no_workflow
from workflows.definition import Definition
from workflows.errors import PeopleUnreadableError, UnknownWorkflowError
from workflows.people import CLICK_AGE, PersonId
from workflows.roles import RolesNow, Sight


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
    return _may_start(desk.roles, person, definition)


def _may_start(roles: RolesNow, person: PersonId, definition: Definition) -> bool:
    if not roles.may_run(person, definition.workflow):
        return False
    members = roles.people.members
    return any(person in members(name, max_age=CLICK_AGE) for name in definition.may_run)


def names_for(roles: RolesNow, library: Library, person: PersonId) -> frozenset[str]:
    """Return the names of what `person` may start or see runs of; none where nobody can tell."""
    every = library.definitions()
    try:
        sight = roles.sight(person)
        return frozenset(
            one.workflow for one in every if one.workflow in sight or _may_start(roles, person, one)
        )
    except PeopleUnreadableError:
        return frozenset()


@contextmanager
def naming(roles: RolesNow, library: Library, person: PersonId) -> Iterator[None]:
    """Have the refusal of a name that no workflow has lead only to names that are for `person`."""
    try:
        yield
    except UnknownWorkflowError as unknown:
        if not unknown.name:
            raise
        raise no_workflow(unknown.name, names_for(roles, library, person)) from unknown


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
