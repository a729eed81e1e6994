"""Somebody's word that they are away, and who decides in their place meanwhile.

One hop, for a time, and the newest word counts: whoever stands in for Ana does not thereby
stand in for those who asked Ana to. What follows of it for a vote is `standing_in`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from workflows.entry import Ref

LONGEST_ABSENCE: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """`giver` is away until `until`, and `stand_in` decides meanwhile; nobody does if None.

    `ended_at` is when the giver took it back, or put another in its place.
    """

    entry: str
    giver: Ref
    stand_in: Ref | None
    given_at: datetime
    until: datetime
    ended_at: datetime | None = None

    @property
    def ends_at(self) -> datetime:
        """Return when it ends, or ended."""
        return self.until if self.ended_at is None else min(self.until, self.ended_at)

    def stands_at(self, moment: datetime) -> bool:
        """Say whether it has not ended by `moment`."""
        return moment < self.ends_at


def deserted_until(people: Collection[Ref], away: Mapping[Ref, Delegation]) -> datetime | None:
    """Return when the first of `people` is back, if all are away and nobody stands in for any.

    None while somebody is there who could decide. `away` says who is away now.
    """
    gone = [away[one] for one in people if one in away]
    if not gone or len(gone) < len(people) or any(one.stand_in is not None for one in gone):
        return None
    return min(one.ends_at for one in gone)
