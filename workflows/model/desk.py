"""The one place from which a model is asked: redacted, within the budget, on record.

The question is recorded before it leaves, and every question gets an end, also one that was
never answered; so what was spent today can be read from the trail.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from workflows.actions.base import Journal
from workflows.entry import Json, PartClass
from workflows.errors import ActionError, ActionFailedError
from workflows.model.port import LanguageModel, NoModel, Question, Reply

FREE = frozenset({"no_worker", "model_refused", "model_away"})  # Nobody worked on an answer.


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What may be spent in a day (UTC), in micro-units; `spent` reads it from the trail."""

    per_day: int
    spent: Callable[[datetime], int]
    now: Callable[[], datetime]

    def left(self) -> int:
        """Return what is left of today's."""
        midnight = self.now().replace(hour=0, minute=0, second=0, microsecond=0)
        return self.per_day - self.spent(midnight)


class ModelDesk:
    """Asks a model for those who may; safe to share between threads."""

    def __init__(
        self,
        model: LanguageModel,
        *,
        budget: Budget | None,
        redact: Callable[[str], str],
        new_id: Callable[[], str],
    ) -> None:
        self._model = model
        self._budget = budget
        self._redact = redact
        self._new_id = new_id
        self._under_way = 0
        self._guard = threading.Lock()

    @property
    def has_model(self) -> bool:
        """Whether there is one to ask."""
        return bool(self._model.model)

    @property
    def name(self) -> str:
        """Return which model it is, for people."""
        return self._model.model

    @property
    def has_plenty(self) -> bool:
        """Whether half of today's budget is left, for what nobody waits for."""
        budget = self._budget
        return budget is None or budget.left() * 2 >= budget.per_day

    def ask(
        self, question: Question, journal: Journal, *, purpose: str, template: str, about: str
    ) -> Reply:
        """Return the model's answer, without any value that the bot holds.

        `template` is the digest of the prompt's template, `about` what the call is for.

        Raises:
            ActionError: there is no answer, or not enough of the budget for one.
            StorageError: it could not be recorded, so it was not asked or does not count.
        """
        asked = self._redacted(question)
        if not self.has_model:
            return self._model.ask(asked)
        call = f"{about}/{self._new_id()[:8]}"
        with self._reserved(asked):
            journal.tell(
                "model.asked",
                self._asked(call, asked, purpose, template),
                part="prompt",
                words=f"{asked.system}\n\n{asked.prompt}",
                cls=PartClass.CONTENT,
            )
            return self._answered(asked, journal, call)

    def _redacted(self, question: Question) -> Question:
        return Question(
            system=self._redact(question.system),
            prompt=self._redact(question.prompt),
            max_tokens=question.max_tokens,
            timeout=question.timeout,
        )

    def _most(self, question: Question) -> int:
        # No tokenizer makes more tokens than there are bytes.
        written = len((question.system + question.prompt).encode())
        return self._model.price.of(written, question.max_tokens)

    @contextmanager
    def _reserved(self, question: Question) -> Iterator[None]:
        """Keep room in the budget for the most that the question can cost."""
        most = self._most(question)
        with self._guard:
            if self._budget is not None and most + self._under_way > self._budget.left():
                raise ActionFailedError(
                    "What may be spent on the model today does not suffice for this question.",
                    error_class="model_budget",
                    hint="Wait for tomorrow (UTC), or raise INTERLOCK_MODEL_BUDGET.",
                )
            self._under_way += most
        try:
            yield
        finally:
            with self._guard:
                self._under_way -= most

    def _asked(
        self, call: str, question: Question, purpose: str, template: str
    ) -> Mapping[str, Json]:
        return {
            "call": call,
            "purpose": purpose,
            "provider": self._model.provider,
            "model": self._model.model,
            "template": template,
            "params": dict(self._model.params),
            "max_tokens": question.max_tokens,
        }

    def _answered(self, question: Question, journal: Journal, call: str) -> Reply:
        started = time.monotonic()
        try:
            reply = self._model.ask(question)
        except ActionError as error:
            # Whoever was asked may have worked on it for nothing, and may still want its money.
            cost = 0 if error.error_class in FREE else self._most(question)
            reply = Reply(text="", model=self._model.model, tokens_in=0, tokens_out=0, finish="")
            self._tell_end(journal, call, reply, error.error_class, cost=cost, started=started)
            raise
        kept = Reply(
            text=self._redact(reply.text),
            model=self._redact(reply.model),
            tokens_in=reply.tokens_in,
            tokens_out=reply.tokens_out,
            finish=reply.finish,
        )
        counted = self._model.price.of(reply.tokens_in, reply.tokens_out)
        cost = counted if reply.is_counted else self._most(question)
        self._tell_end(journal, call, kept, kept.finish, cost=cost, started=started)
        return kept

    def _tell_end(
        self, journal: Journal, call: str, reply: Reply, finish: str, *, cost: int, started: float
    ) -> None:
        data: dict[str, Json] = {
            "call": call,
            "model": reply.model,
            "tokens_in": reply.tokens_in,
            "tokens_out": reply.tokens_out,
            "cost_micro": cost,
            "finish": finish,
            "ms": round((time.monotonic() - started) * 1000),
        }
        journal.tell(
            "model.answered", data, part="model_output", words=reply.text, cls=PartClass.DERIVED
        )


def no_desk() -> ModelDesk:
    """Return the desk of a house without a model."""
    return ModelDesk(NoModel(), budget=None, redact=str, new_id=str)
