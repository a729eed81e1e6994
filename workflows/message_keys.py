"""The names of messages, and of their buttons, that are about a step of a run.

A run's and an entry's id hold no slash, but the name of a step's instance may (`charge/3/undo`),
so these are read from both ends.
"""

from typing import NamedTuple

from workflows.entry import RunId


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


def step_key(run: str, step: str) -> str:
    """Return the key of a step's message, and the value of the buttons on its cards."""
    return f"{run}/{step}"


def read_step_key(key: str) -> StepName:
    """Return what `step_key` wrote; what is no such key has no step."""
    run, _, step = key.partition("/")
    return StepName(RunId(run), step)
