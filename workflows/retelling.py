"""Has a language model tell the story of an ended run anew, from the sentences that restate it.

The summary that restates entries is written first and stands until a better one is there. The
model is asked outside of every unit, by a thread of its own, so that no expiry waits for it; a
due-row says that it is still to be asked, so a process that dies is followed by another.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from workflows.entry import RunId
from workflows.house import House
from workflows.store import Due, DueKind
from workflows.summarising import definition_of, keep_summary, story_of
from workflows.summary import Sentence, summarise

LEASE = timedelta(minutes=10)  # Longer than a model may take, and those before it in the queue.


@dataclass(frozen=True, slots=True, kw_only=True)
class Retold:
    """What a model made of sentences: each of its own with what it rests on."""

    sentences: tuple[Sentence, ...]
    model: str


Teller: TypeAlias = Callable[[RunId, Sequence[Sentence]], "Retold | None"]


def hand_on(house: House, due: Due) -> None:
    """Give a run to whoever asks the model, for this process alone for a while."""
    retells = house.retells
    with house.store.begin() as unit:
        if not unit.take_due(due) or retells is None:
            return  # Without a model the summary stands as it is.
        later = Due(kind=DueKind.RETELL, key=due.key, run=due.run, at=unit.now + LEASE)
        unit.set_due(later)
        unit.after_commit(lambda: retells(later))


def retell(house: House, due: Due, teller: Teller) -> bool:
    """Write the summary anew in a model's words; False if there are none, or it was done before.

    So it is where something of what it was told was erased, edited or deleted, or people wrote
    more: that has a summary of its own to come, or is to have none.

    Raises:
        StorageError: it could not be recorded; it stays due.
    """
    definition = definition_of(house, due.run)
    with house.store.begin() as unit:
        story = story_of(unit, due.run, definition)
    facts = summarise(story)
    told = teller(due.run, facts)
    with house.store.begin() as unit:
        unit.lock_run(due.run)
        if not unit.take_due(due) or told is None:
            return False
        story = story_of(unit, due.run, definition)
        if summarise(story) != facts:
            return False  # Erased, edited or deleted meanwhile: its words are not to come back.
        keep_summary(house, unit, due.run, story=story, sentences=told.sentences, model=told.model)
        return True
