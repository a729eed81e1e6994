"""What a webhook's delivery gives the workflow it starts: which count, and with which inputs.

Expressions see the `body`, a JSON object that nobody declared, and the few `headers` that say
what is delivered. Who may deliver is for the policy and for `bot/hooks`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from workflows.entry import Json
from workflows.errors import ExpressionError, InputsError
from workflows.expression import Environment, Scope
from workflows.shapes import Kind, Shape
from workflows.template import resolve
from workflows.triggers import WebhookTrigger

HEADERS = ("webhook_id", "webhook_timestamp", "github_event", "github_delivery")
_TEXT_OR_NULL = Shape(kind=Kind.STRING, may_be_null=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered(Scope):
    """One delivery, as expressions name it. A header that did not come is null."""

    body: Mapping[str, Json]
    headers: Mapping[str, str]

    def tree(self) -> dict[str, Any]:
        return {"body": self.body, "headers": {one: self.headers.get(one) for one in HEADERS}}


@lru_cache(maxsize=1)
def delivery_environment() -> Environment:
    """Return what the expressions of a webhook's trigger may name, the same for all of them."""
    headers = dict.fromkeys(HEADERS, _TEXT_OR_NULL)
    return Environment(
        {"body": Shape(kind=Kind.OBJECT), "headers": Shape(kind=Kind.OBJECT, fields=headers)}
    )


def mapped(trigger: WebhookTrigger, delivered: Delivered) -> dict[str, Json] | None:
    """Return the inputs that the delivery gives, None where it does not count.

    Raises:
        ExpressionError: whether it counts cannot be said.
        InputsError: an input cannot be made of it; it says which, field by field.
    """
    environment = delivery_environment()
    if trigger.when is not None and not _wants(trigger.when, delivered, environment):
        return None
    found: dict[str, Json] = {}
    wrong: dict[str, str] = {}
    for name, value in trigger.inputs.items():
        try:
            found[name] = resolve(value, delivered, environment)
        except ExpressionError as error:
            wrong[name] = error.message
    if wrong:
        raise InputsError(wrong, hint="The trigger of the workflow expects another body.")
    return found


def _wants(when: str, delivered: Scope, environment: Environment) -> bool:
    try:
        return environment.holds(when, delivered)
    except ExpressionError as error:
        hint = error.hint or "Have its trigger ask with has(…) for what a delivery may leave out."
        raise ExpressionError(error.message, hint=hint) from None
