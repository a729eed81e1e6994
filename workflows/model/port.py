"""The port to a language model, and its adapter for a house without one.

A model writes words. What they may be used for is decided where a definition is checked
(`workflows/check_model`), never here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from workflows.entry import Json
from workflows.errors import ActionFailedError

MILLION = 1_000_000
CUT = frozenset({"length", "content_filter"})  # As litellm calls it, whoever the provider is.


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a model costs, in micro-units of money for a million tokens."""

    tokens_in: int
    tokens_out: int

    def of(self, tokens_in: int, tokens_out: int) -> int:
        """Return what so many tokens cost, rounded up to a whole micro-unit."""
        exact = tokens_in * self.tokens_in + tokens_out * self.tokens_out
        return -(-exact // MILLION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a model is asked: `system` are our own words, `prompt` those of others."""

    system: str
    prompt: str
    max_tokens: int
    timeout: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a model answered; `finish` says why it stopped: stop, length or another word."""

    text: str
    model: str
    tokens_in: int
    tokens_out: int
    finish: str

    @property
    def is_cut(self) -> bool:
        """Whether there is only a part of it: it was too long, or a filter held the rest back."""
        return self.finish in CUT

    @property
    def is_counted(self) -> bool:
        """Whether its provider says how many tokens it took: no question takes none."""
        return self.tokens_in > 0 and (self.tokens_out > 0 or not self.text)


class LanguageModel(Protocol):
    """A model that can be asked. `params` go with each question and into its entry."""

    @property
    def provider(self) -> str:
        """Who runs it."""

    @property
    def model(self) -> str:
        """Which one it is."""

    @property
    def price(self) -> Price:
        """What it costs."""

    @property
    def params(self) -> Mapping[str, Json]:
        """With what it is asked."""

    def ask(self, question: Question) -> Reply:
        """Return its answer, at the latest when the question's time is over.

        Raises:
            ActionFailedError: it cannot be asked, or refuses.
            TransientReadError: it gave no usable answer; the next time it may.
        """


@dataclass(frozen=True, slots=True)
class NoModel:
    """The adapter for a house in which no model is configured."""

    provider: str = ""
    model: str = ""
    price: Price = Price(tokens_in=0, tokens_out=0)
    params: Mapping[str, Json] = field(default_factory=dict)

    def ask(self, question: Question) -> Reply:
        del question
        raise ActionFailedError(
            "No language model is configured here.",
            error_class="no_model",
            hint="Set INTERLOCK_MODEL; docs/models.md says how.",
        )
