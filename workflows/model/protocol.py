"""What goes between the bot and the worker that speaks to a model: one JSON line each way.

The worker is a program of its own (`worker_program`) and shares no code with the bot, so both
lines are read as strictly as anything else that comes from outside.
"""

import json
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from workflows.entry import Json
from workflows.errors import TransientReadError
from workflows.model.port import Question, Reply

LIMIT = 1024 * 1024  # Bytes of an answer; whatever is longer is no answer of a model's.

Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:/@-]{1,128}$")]
Tokens = Annotated[int, Field(ge=0, le=100_000_000)]


class Answered(BaseModel):
    """The line of a worker that got an answer."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    text: str
    model: Word
    tokens_in: Tokens
    tokens_out: Tokens
    finish: Word


class Failed(BaseModel):
    """The line of one that got none: the name of what was raised, never its words."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    error: Word
    status: Annotated[int, Field(ge=0, le=999)]


def line_of(question: Question, *, model: str, base_url: str, params: dict[str, Json]) -> bytes:
    """Return the question as the worker reads it."""
    told: Json = {
        "model": model,
        "base_url": base_url,
        "messages": [
            {"role": "system", "content": question.system},
            {"role": "user", "content": question.prompt},
        ],
        "max_tokens": question.max_tokens,
        "timeout": question.timeout,
        "params": params,
    }
    return json.dumps(told).encode() + b"\n"


def read_line(written: bytes) -> Answered | Failed:
    """Return what the worker says.

    Raises:
        TransientReadError: it is not one line of the protocol; what it was is not repeated.
    """
    kind = Failed if written.startswith(b'{"error"') else Answered
    try:
        return kind.model_validate_json(written)
    except ValidationError:
        raise TransientReadError(
            "The model's worker answered with something that is no answer.",
            error_class="model_garbage",
        ) from None


def reply_of(answered: Answered) -> Reply:
    """Return the answer as the port gives it."""
    return Reply(
        text=answered.text,
        model=answered.model,
        tokens_in=answered.tokens_in,
        tokens_out=answered.tokens_out,
        finish=answered.finish,
    )
