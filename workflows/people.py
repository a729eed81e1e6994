"""Who is who, as far as the rules need to know. The bot reads it from Slack.

A person is named by an external id, `slack:<team>:<user>` or `os:<user>`; entries carry
only pseudonyms, which the store makes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NewType, Protocol, runtime_checkable

PersonId = NewType("PersonId", str)

CLICK_AGE = timedelta(seconds=60)
EFFECT_AGE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who may ask, decide or be told.

    People may show any `name`; `handle` is unique in their workspace, so rules go by that.
    """

    id: PersonId
    name: str
    handle: str = ""  # Where the directory knows none, the name is all there is.
    is_bot: bool = False
    is_guest: bool = False
    is_deactivated: bool = False
    is_foreign: bool = False
    is_admitted: bool = False  # Of another workspace, and the policy lets those of it count.
    timezone: str = "UTC"

    @property
    def in_rules(self) -> str:
        """What rules call this person."""
        return f"@{self.handle or self.name}"

    @property
    def counts(self) -> bool:
        """Whether this person's decision may ever count."""
        return not (self.is_bot or self.is_guest or self.is_deactivated or self.is_foreign)

    @property
    def may_stand_in(self) -> bool:
        """Whether others may let this person decide for them.

        Of another workspace those alone decide whom the policy asks.
        """
        return self.counts and not self.is_admitted

    @property
    def why_not(self) -> str:
        """Say in a few words why this person never counts, or nothing."""
        reasons = (
            (self.is_bot, "bots do not decide"),
            (self.is_guest, "guests do not decide"),
            (self.is_deactivated, "this account is deactivated"),
            (self.is_foreign, "people of another workspace do not decide"),
        )
        return next((why for stands, why in reasons if stands), "")


class People(Protocol):
    """Reads people and groups. Called outside transactions, never inside one."""

    def person(self, who: PersonId) -> Person:
        """Return what is known of `who`.

        Raises:
            PeopleUnreadableError: the directory did not answer.
        """

    def members(self, name: str, *, max_age: timedelta) -> frozenset[PersonId]:
        """Return everybody behind `name`, a group ("@finance-leads") or one person ("@ana").

        The answer is at most `max_age` old. People who can never count are left out.

        Raises:
            PeopleUnreadableError: the directory did not answer, or knows no such name.
        """


@runtime_checkable
class Roster(People, Protocol):
    """People of whom those are known too who never count."""

    def everybody(self, name: str) -> Sequence[Person]:
        """Return everybody behind `name`, those too who can never count.

        Raises:
            PeopleUnreadableError: as `members`.
        """
