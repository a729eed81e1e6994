"""Having who may do what signed by the governors: the order that starts a review."""

from collections.abc import Mapping
from typing import Literal

from bot.core import Core
from bot.order_form import OrderForm
from workflows.entry import Json
from workflows.errors import NotAllowedError
from workflows.operators import proposing
from workflows.orders import Start
from workflows.people import PersonId


class AccessOrder(OrderForm):
    """Start a run in which the governors sign who may do what."""

    do: Literal["review_access"] = "review_access"


def review_by_order(core: Core, _order: AccessOrder, person: PersonId) -> Mapping[str, Json]:
    """Publish the workflow of the policy's governors, and start it in the name of `person`.

    Raises:
        InterlockError: nothing was started.
    """
    from workflows.access_review import access_review  # noqa: PLC0415 - it reads YAML.

    requester = proposing(person, core.policy, core.people)
    definition = access_review(core.policy)
    if not core.settings.channel:
        raise NotAllowedError("A review needs a channel.", hint="Set INTERLOCK_CHANNEL.")
    core.library.publish_own(definition)
    started = core.engine.start(
        Start(
            workflow=definition.workflow,
            inputs={},
            trigger="cli",
            person=requester,
            channel=core.settings.channel,
        )
    )
    return {"ok": True, "run": started.run, "workflow": definition.workflow}
