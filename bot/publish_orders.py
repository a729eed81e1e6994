"""What may be asked of the catalog: to publish a file, to go back to a version, to retire.

Each puts one change to people, in a run of its own; nothing changes here.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from bot.core import Core
from bot.order_form import OrderForm, Reason
from workflows.entry import Json
from workflows.people import PersonId

if TYPE_CHECKING:
    from bot.proposing import Proposing, Put  # Only a proposal needs it, and it brings the checks.

Words = Annotated[str, Field(max_length=3000)]
Name = Annotated[str, Field(min_length=1, max_length=64)]


class PublishOrder(OrderForm):
    """Put what the text of a file says to people. `author` wrote it, if somebody else did."""

    do: Literal["publish"] = "publish"
    file: str = Field(max_length=500)
    text: str = Field(max_length=200_000)
    author: str | None = Field(default=None, max_length=81)
    reason: Words = ""
    commit: str | None = Field(default=None, max_length=64)
    is_committed: bool = False
    is_policy: bool = False  # It is a policy file.


class ActivateOrder(OrderForm):
    """Put an earlier version of a workflow to people; the start of its digest is enough."""

    do: Literal["activate"] = "activate"
    workflow: Name
    version: str = Field(min_length=8, max_length=64)
    reason: Words = ""


class RetireOrder(OrderForm):
    """Put to people that nobody shall start a workflow any more."""

    do: Literal["retire"] = "retire"
    workflow: Name
    reason: Reason


def publish_by_order(core: Core, order: PublishOrder, person: PersonId) -> Mapping[str, Json]:
    """Propose what a file says."""
    from bot.proposing import Source  # noqa: PLC0415 - as above.

    source = Source(
        text=order.text,
        file=order.file,
        commit=order.commit,
        is_committed=order.is_committed,
    )
    with _noting(core, person, _about(order)):
        proposing = _proposing(core, person)
        propose = proposing.policy if order.is_policy else proposing.publish
        return _told(propose(source, author=order.author, reason=order.reason))


def activate_by_order(core: Core, order: ActivateOrder, person: PersonId) -> Mapping[str, Json]:
    """Propose an earlier version."""
    about: dict[str, Json] = {"wanted": "activate", "workflow": order.workflow}
    with _noting(core, person, about):
        proposing = _proposing(core, person)
        return _told(proposing.activate(order.workflow, order.version, reason=order.reason))


def retire_by_order(core: Core, order: RetireOrder, person: PersonId) -> Mapping[str, Json]:
    """Propose to retire a workflow."""
    with _noting(core, person, {"wanted": "retire", "workflow": order.workflow}):
        return _told(_proposing(core, person).retire(order.workflow, reason=order.reason))


def _about(order: PublishOrder) -> dict[str, Json]:
    """Return what an entry says of a proposed file, its digest too where it can be read."""
    from workflows.loading import read_definition, read_policy  # noqa: PLC0415 - as above.

    if order.is_policy:
        policy = read_policy(order.text, order.file).model
        about: dict[str, Json] = {"wanted": "policy", "workflow": ""}
        return about if policy is None else {**about, "policy": policy.digest}
    found = read_definition(order.text, order.file).model
    if found is None:
        return {"wanted": "publish", "workflow": ""}
    return {"wanted": "publish", "workflow": found.workflow, "version": found.version}


def _noting(
    core: Core, person: PersonId, about: Mapping[str, Json]
) -> AbstractContextManager[None]:
    from bot.refused_proposals import noting_refusals  # noqa: PLC0415 - as above.

    return noting_refusals(core, person, about)


def _proposing(core: Core, person: PersonId) -> "Proposing":
    from bot.proposing import Proposing  # noqa: PLC0415 - as above.

    return Proposing(core, person)


def _told(put: "Put") -> dict[str, Json]:
    return {
        "ok": True,
        "workflow": put.workflow,
        "version": put.version,
        "replaces": put.replaces,
        "run": put.run,
        "is_new": put.is_new,
        "by": put.by,
        "channel": put.channel,
        "not_taken": list(put.not_taken),
        "warnings": list(put.warnings),
    }
