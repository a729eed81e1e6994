"""What may be asked of the bot beside Slack: start a run, cancel one.

An order is the same whether the command carries it out itself or hands it to the process
that serves; only then does it cross the Unix socket of `holder`, as one line of JSON.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, Protocol, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from workflows.entry import Json, RunId
from workflows.errors import InterlockError
from workflows.orders import Start, Started
from workflows.people import PersonId


class OrderError(InterlockError):
    """An order cannot be read, or its answer cannot."""


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RunOrder(_Order):
    """Start a run of `workflow`. The same `key` twice is one run."""

    do: Literal["run"] = "run"
    workflow: str = Field(max_length=200)
    inputs: dict[str, str]
    key: str | None = Field(default=None, max_length=200)
    channel: str = Field(default="", max_length=200)


class CancelOrder(_Order):
    """Cancel a run."""

    do: Literal["cancel"] = "cancel"
    run: str = Field(max_length=64)
    reason: str = Field(max_length=3000)


Order: TypeAlias = Annotated[RunOrder | CancelOrder, Field(discriminator="do")]
_ORDER: TypeAdapter[RunOrder | CancelOrder] = TypeAdapter(Order)


class Takes(Protocol):
    """The part of the engine that orders reach."""

    def start(self, order: Start) -> Started: ...

    def cancel(self, run: RunId, *, person: PersonId, reason: str) -> None: ...


def read_order(line: bytes) -> RunOrder | CancelOrder:
    """Return the order that `line` writes.

    Raises:
        OrderError: it writes none.
    """
    try:
        return _ORDER.validate_json(line)
    except ValidationError as error:
        raise OrderError(
            "The order could not be read.", hint="Use the same release for both processes."
        ) from error


def carry_out(
    engine: Takes, order: RunOrder | CancelOrder, *, person: PersonId, channel: str
) -> Mapping[str, Json]:
    """Do what `order` says in the name of `person` and return the answer.

    Raises:
        InterlockError: it is refused.
    """
    if isinstance(order, CancelOrder):
        engine.cancel(RunId(order.run), person=person, reason=order.reason)
        return {"ok": True, "run": order.run}
    started = engine.start(
        Start(
            workflow=order.workflow,
            inputs=order.inputs,
            person=person,
            trigger="cli",
            key=order.key,
            channel=order.channel or channel,
        )
    )
    return {"ok": True, "run": started.run, "is_new": started.is_new}
