"""The names of messages, and of their buttons, that are about a step of a run.

A run's and an entry's id hold no slash, but the name of a step's instance may (`charge/3/undo`),
so these are read from both ends.
"""

from typing import NamedTuple

from workflows.entry import RunId

ABOUT = "#"  # Stands in no id.


class CardName(NamedTuple):
    """What a card is about: the entry of that run and step which made somebody ask."""

    run: RunId
    step: str
    entry: str


class StepName(NamedTuple):
    """A step of a run."""

    run: RunId
    step: str


def card_key(run: str, step: str, entry: str) -> str:
    """Return the key of a card."""
    return f"{run}/{step}/{entry}"


def read_card_key(key: str) -> CardName:
    """Return what `card_key` wrote."""
    run, _, rest = key.partition("/")
    step, _, entry = rest.rpartition("/")
    return CardName(RunId(run), step, entry)


def answer_value(run: str, step: str, entry: str) -> str:
    """Return what the buttons of a card carry: what it is about, and which entry made it ask."""
    return f"{run}/{step}{ABOUT}{entry}"


def read_answer_value(value: str) -> CardName:
    """Return what `answer_value` wrote; a card of an earlier release names no entry."""
    named, _, entry = value.partition(ABOUT)
    return CardName(*read_step_key(named), entry)


def read_step_key(key: str) -> StepName:
    """Return the run and the step that a key begins with; what is no such key has no step."""
    run, _, step = key.partition("/")
    return StepName(RunId(run), step)
