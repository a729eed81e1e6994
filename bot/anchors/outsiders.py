"""Somebody outside who keeps heads of the log or vouches for them, whoever that is."""

from dataclasses import dataclass
from typing import Protocol

from storage.anchors import Evidence
from storage.heads import Head


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
