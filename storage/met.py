"""The people whom a unit is about to speak of, looked up in the journey that locks its run.

They are asked for after the lock, so what is found is what whoever held the run before us left.
Everything is forgotten with the unit.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from storage.delegations import COLUMNS, STANDS, read_delegation
from storage.transaction import Question
from workflows.delegation import Delegation
from workflows.entry import Ref

Subject: TypeAlias = tuple[str, str | None]  # A pseudonym, and the name that is kept with it.


class Met:
    """Who was looked for, and what was found of them."""

    __slots__ = ("_looked_for", "_subjects", "_words")

    def __init__(self) -> None:
        self._looked_for: set[str] = set()
        self._subjects: dict[str, Subject] = {}
        self._words: dict[Ref, Delegation | None] = {}

    def question(self, people: Collection[str]) -> Question:
        """Return what to ask for these people after the lock; `take` reads the answer."""
        marks = ", ".join("?" * len(people))
        words = (
            f"SELECT s.external_id, s.ref, s.display, {COLUMNS} FROM audit_subject s"  # noqa: S608  fixed texts
            f" LEFT JOIN delegation d ON d.giver = s.ref AND {STANDS}"
            f" WHERE s.external_id IN ({marks})"
        )
        return words, list(people)

    def take(self, people: Collection[str], rows: Iterable[Sequence[Any]]) -> None:
        """Keep what was found of them."""
        self._looked_for.update(people)
        for external_id, ref, display, *word in rows:
            self._subjects[external_id] = (ref, display)
            self._words[ref] = None if word[0] is None else read_delegation(word)

    def subjects(self, people: Collection[str]) -> Mapping[str, Subject] | None:
        """Return the pseudonyms and names there were; None unless all were looked for."""
        return self._subjects if self._looked_for.issuperset(people) else None

    def away(self, people: Collection[Ref], *, now: datetime) -> dict[Ref, Delegation] | None:
        """Return what those said who are away at `now`; None unless all were found."""
        if not self._words.keys() >= set(people):
            return None
        words = (self._words[one] for one in sorted(people))
        return {one.giver: one for one in words if one is not None and one.until > now}

    def forget_words(self) -> None:
        """Forget who is away: somebody has just said something else."""
        self._words.clear()
