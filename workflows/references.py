"""What Slack knows of the people, groups, channels and files that values name. The bot asks it.

Like `people`, this is asked outside transactions, never inside one.
"""

from dataclasses import dataclass
from typing import Protocol

from workflows.entry import Json
from workflows.errors import PeopleUnreadableError


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Somebody or something in Slack: its id, and the name that people know it by."""

    id: str
    name: str

    @property
    def value(self) -> dict[str, Json]:
        """Return it as the value of an input."""
        return {"id": self.id, "name": self.name}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReference(Reference):
    """A file in Slack; `type` is what its name ends with."""

    size: int
    type: str

    @property
    def value(self) -> dict[str, Json]:
        return {"id": self.id, "name": self.name, "size": self.size}


class References(Protocol):
    """Finds what values name, by its id, or by its name with its mark.

    Every method raises:
        ValueError: Slack knows nothing of that name, or it cannot be used; the text says why.
        PeopleUnreadableError: Slack did not answer.
    """

    def user(self, named: str) -> Reference:
        """Return a person of the workspace; their name is the one nobody else has."""

    def group(self, named: str) -> Reference:
        """Return a user group that is in use."""

    def channel(self, named: str) -> Reference:
        """Return a channel that is in use."""

    def file(self, named: str) -> FileReference:
        """Return a file."""


class NoReferences:
    """For a process that cannot ask Slack: nothing can be looked up, so nothing is believed."""

    def user(self, named: str) -> Reference:
        raise _unasked(named)

    def group(self, named: str) -> Reference:
        raise _unasked(named)

    def channel(self, named: str) -> Reference:
        raise _unasked(named)

    def file(self, named: str) -> FileReference:
        raise _unasked(named)


def _unasked(named: str) -> PeopleUnreadableError:
    return PeopleUnreadableError(
        f"{named} could not be looked up, since Slack is not asked here.",
        hint="Start `interlock serve`, or set SLACK_BOT_TOKEN.",
    )
