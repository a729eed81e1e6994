"""Keeps what a store of others answered for a while, so that nobody makes the bot hammer it.

A webhook's secret is asked for before the signature of a delivery is checked: whoever may reach
the door decides how often. A value counts for half a minute; that there is none, or that the
store could not be asked, for a few seconds.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bot.secret_sources.port import Source
from workflows.errors import SecretError
from workflows.secret_book import Found

KEPT_SECONDS = 30.0
MISSED_SECONDS = 5.0
MOST_KEPT = 1_000


@dataclass(slots=True)
class _Answer:
    """What was said last. Whoever asks meanwhile waits for that one answer."""

    until: float = float("-inf")
    said: Found | SecretError | None = None
    asking: threading.Lock = field(default_factory=threading.Lock)


class Remembered:
    """A source over a network, asked for one name by one thread at a time. Safe to share."""

    def __init__(self, source: Source, *, ticks: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._ticks = ticks
        self._answers: OrderedDict[str, _Answer] = OrderedDict()
        self._guard = threading.Lock()
        self.name = source.name

    def find(self, name: str) -> Found | None:
        with self._held(name) as answer:
            if self._ticks() >= answer.until:
                self._ask(name, answer)
            said = answer.said
        if isinstance(said, SecretError):
            raise again(said)
        return said

    def names(self) -> None:
        return None

    @contextmanager
    def _held(self, name: str) -> Iterator[_Answer]:
        with self._guard:
            answer = self._answers.setdefault(name, _Answer())
            self._answers.move_to_end(name)
            if len(self._answers) > MOST_KEPT:
                self._answers.popitem(last=False)
        with answer.asking:
            yield answer

    def _ask(self, name: str, answer: _Answer) -> None:
        try:
            answer.said = self._source.find(name)
        except SecretError as refusal:
            answer.said = refusal
        kept = KEPT_SECONDS if isinstance(answer.said, Found) else MISSED_SECONDS
        answer.until = self._ticks() + kept


def again(refusal: SecretError) -> SecretError:
    """Return the same refusal to be raised once more: one object would gather every trace."""
    return type(refusal)(refusal.message, hint=refusal.hint)
