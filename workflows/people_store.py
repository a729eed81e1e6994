"""What the engine needs remembered of people, as a protocol. `storage/` fills it.

Whom a pseudonym stands for, who is away and who stands in for them. A person who was erased is
nobody any more, so nothing of this may be kept longer than the call that looked.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from workflows.delegation import Delegation
from workflows.entry import Ref, RequestId
from workflows.gate import ApprovalRequest
from workflows.people import PersonId


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedNow:
    """A request and whom it is about, all of one moment.

    `acting` are those who act for somebody that the request leaves out. `words` are those by
    which one person stands in for others. `people` are whoever is behind `acting`, behind those
    who gave these words, and behind the pseudonyms that were looked for; those who were erased
    are missing.
    """

    request: ApprovalRequest
    acting: frozenset[Ref]
    people: Mapping[Ref, PersonId]
    words: Sequence[Delegation] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapingNow:
    """Who published versions last, and who acts for them and for others, all of one moment.

    A version that no person published is missing, and so is in `people` whoever was erased.
    """

    publishers: Mapping[str, Ref]
    acting: frozenset[Ref]
    people: Mapping[Ref, PersonId]


class PeopleStore(Protocol):
    """Answers what is asked about people, without a lock."""

    def person(self, ref: Ref) -> PersonId | None:
        """Return whose pseudonym this is, None once it was erased."""

    def asked_now(
        self,
        request: RequestId,
        *,
        at: datetime,
        people: Collection[Ref] = (),
        stand_in: PersonId | None = None,
    ) -> AskedNow:
        """Return a request with whoever acts at that moment for those it leaves out.

        `people` are pseudonyms to look for too; by whose words `stand_in` stands in comes along.

        Raises:
            UnknownRunError: there is no such request.
        """

    def shaping_now(
        self, versions: Collection[str], *, at: datetime, people: Collection[Ref]
    ) -> ShapingNow:
        """Return who published these versions, and who acts for them or `people` at that moment.

        Everybody who is named by a pseudonym there, or in `people`, is looked for.
        """

    def acting_for(self, people: frozenset[Ref], *, at: datetime) -> frozenset[Ref]:
        """Return who stands in for one of these people at that moment."""

    def delegation_by(self, giver: PersonId, *, at: datetime) -> Delegation | None:
        """Return what this person said of being away, None if they are not at that moment."""

    def stood_in(self, giver: Ref, stand_in: Ref, *, at: datetime) -> bool:
        """Say whether `stand_in` decided for `giver` at that moment."""
