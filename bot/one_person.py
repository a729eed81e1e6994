"""Finds the one person who answers for something that starts runs by itself."""

import re

from workflows.errors import NotAllowedError
from workflows.people import CLICK_AGE, People, Person

_USER_ID = re.compile(r"[UW][A-Z0-9]{2,}")


def one_person(people: People, name: str) -> Person:
    """Return the person behind `name`, "@rita" or "U…".

    Raises:
        NotAllowedError: it names several people, or nobody who counts.
        PeopleUnreadableError: Slack could not say.
    """
    asked = f"<@{name}>" if _USER_ID.fullmatch(name) else name
    found = people.members(asked, max_age=CLICK_AGE)
    if len(found) > 1:
        raise NotAllowedError(
            f"{name} is a group of {len(found)} people, and one person has to answer for this.",
            hint="Name that person.",
        )
    if not found:
        raise NotAllowedError(
            f"{name} is nobody who may ask for anything: guests, bots and deactivated accounts "
            "never do.",
            hint="Name somebody else.",
        )
    return people.person(next(iter(found)))
