"""Somebody outside who keeps heads of the log or vouches for them, whoever that is."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.anchors.calling import AnchorError
from bot.wording import utc
from storage.anchors import Evidence
from storage.heads import Head

MOST_APART = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """What somebody outside gave for a head; `lines` belong under its note."""

    evidence: Evidence
    lines: str = ""


class Outsider(Protocol):
    """One of them. It is asked over the network, so never inside a transaction."""

    @property
    def name(self) -> str:
        """Under which name its turns are kept, and operators are told of it."""

    def vouch(self, head: Head) -> Vouched:
        """Keep the head or vouch for it.

        Raises:
            AnchorError: not now, or not for this one.
        """


def refuse_other_time(at: datetime, *, now: datetime, whose: str) -> None:
    """Refuse what vouches for another time than it is: it would bound nothing in time.

    Its age would be told wrongly as well, and an alarm that waits for old heads would stay silent.

    Raises:
        AnchorError: the two clocks are more than an hour apart.
    """
    if abs(at - now) > MOST_APART:
        raise AnchorError(
            f"By the clock of {whose} it is {utc(at)}, by mine {utc(now)}: one of them is wrong."
        )
