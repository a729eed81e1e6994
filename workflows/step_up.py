"""Codes that approvers type: what is kept of a person, and whether a code counts.

A secret lies sealed beside its enrolment and stands in no entry. A code counts once, and after
five wrong ones none does for a quarter of an hour; both are kept in the database, under a lock
of the person, so that several processes count together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from workflows.entry import Ref
from workflows.totp import matching_step

MOST_MISSES: Final = 5
WINDOW: Final = timedelta(minutes=15)
PAUSE: Final = timedelta(minutes=15)
OFFER_LIFE: Final = timedelta(minutes=15)


class Vault(Protocol):
    """Seals what must not lie in the database in the clear."""

    def ready(self) -> "Vault":
        """Return one that has its keys at hand, so that a unit may use it."""

    def seal(self, value: bytes, *, name: str) -> bytes:
        """Return `value` so that only `open_sealed` of the same name reads it."""

    def open_sealed(self, sealed: bytes, *, name: str) -> bytes:
        """Return what was sealed under `name`.

        Raises:
            SecretError: it was changed, or sealed under another name or key.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """A secret that a person has shown to hold; it counts once a governor has confirmed it."""

    id: str
    person: Ref
    sealed: bytes = field(repr=False)
    asked: tuple[Ref, ...]  # The governors who may confirm it.
    is_confirmed: bool

    @property
    def name(self) -> str:
        """Return the name under which its secret is sealed."""
        return sealed_name(self.person, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A secret that was shown to a person who has typed no code of it yet."""

    id: str
    sealed: bytes = field(repr=False)
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What is kept of a person's attempts: the newest step used, and the wrong codes."""

    person: Ref
    last_step: int = -1
    misses: tuple[datetime, ...] = ()
    locked_until: datetime | None = None
    offer: Offer | None = None

    def is_locked(self, now: datetime) -> bool:
        """Say whether no code of this person counts at `now`.

        A lock that has longer to go than any is of a clock that ran ahead, and refused right codes.
        """
        return self.locked_until is not None and now < self.locked_until <= now + PAUSE + WINDOW


class CodeShelf(Protocol):
    """What a unit keeps of people's codes."""

    def hold(self, person: Ref) -> Guard:
        """Return what is kept of a person's attempts; no other unit reads it until ours ends."""

    def keep(self, guard: Guard) -> None:
        """Keep what became of a person's attempts."""

    def live(self, person: Ref) -> Sequence[Enrolment]:
        """Return the person's enrolments that have not ended: one of each sort at most."""

    def enrolment(self, ident: str) -> Enrolment | None:
        """Return an enrolment that has not ended."""

    def put_secret(self, ident: str, sealed: bytes) -> None:
        """Keep the sealed secret of an enrolment whose entry this unit appended."""

    def drop_secrets(self, person: Ref) -> None:
        """Forget the sealed secrets of the person's enrolments that have ended."""


class Miss(StrEnum):
    """Why a code does not count."""

    WRONG = "wrong"
    USED = "used"


def sealed_name(person: Ref, ident: str) -> str:
    """Return the name under which the secret of an enrolment is sealed."""
    return f"step-up/{person}/{ident}"


def judged(guard: Guard, secret: bytes, code: str, *, now: datetime) -> tuple[Guard, Miss | None]:
    """Return what is to be kept of this attempt, and why the code does not count, if so."""
    step = matching_step(secret, code, at=now)
    if step is not None and step > guard.last_step:
        return replace(guard, last_step=step, locked_until=None), None
    if step is not None:
        return guard, Miss.USED
    recent = (*(one for one in guard.misses if abs(now - one) < WINDOW), now)
    if len(recent) < MOST_MISSES:
        return replace(guard, misses=recent, locked_until=None), Miss.WRONG
    return replace(guard, misses=(), locked_until=now + PAUSE), Miss.WRONG
