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
    found, named = first_of((definition.owner, definition.deputy, *governors), people)
    return Answering(people=found, named=named, is_orphan=named != definition.owner)


def first_of(names: Sequence[str], people: People) -> tuple[frozenset[PersonId], str]:
    """Return the people behind the first of `names` that is somebody, and that name.

    Raises:
        PeopleUnreadableError: Slack did not answer.
    """
    for name in names:
        try:
            found = people.members(name, max_age=CLICK_AGE)
        except NobodyKnownError:
            continue
        if found:
            return found, name
    return frozenset(), ""
