"""Who answers for a workflow at this moment: its owner, or whoever comes next.

A workflow whose owner is nobody is an orphan. Its deputy is told, and where there is none
either, those who govern.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.directory import NobodyKnownError
from workflows.definition import Definition
from workflows.people import CLICK_AGE, People, PersonId


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """The people who answer for a workflow, and under which of its names they do."""

    people: frozenset[PersonId]
    named: str
    is_orphan: bool  # They are not its owner.


def answering(definition: Definition, governors: Sequence[str], people: People) -> Answering:
    """Return who answers for a workflow.

    Raises:
        PeopleUnreadableError: Slack did not answer.
    """
    for name in (definition.owner, definition.deputy, *governors):
        found = _members(people, name)
        if found:
            return Answering(people=found, named=name, is_orphan=name != definition.owner)
    return Answering(people=frozenset(), named="nobody", is_orphan=True)


def _members(people: People, name: str) -> frozenset[PersonId]:
    try:
        return people.members(name, max_age=CLICK_AGE)
    except NobodyKnownError:
        return frozenset()
