"""A step made ready: its condition asked, its arguments resolved and checked, its effect known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from workflows.actions.base import Action, Effect
from workflows.definition_steps import Step, Work, raised
from workflows.entry import Json
from workflows.errors import ActionFailedError, SecretError
from workflows.expression import Environment
from workflows.redaction import MARK
from workflows.segment import Segment
from workflows.template import resolve


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A step with everything an action needs; `args` are the resolved arguments as JSON."""

    step: Step
    action: Action[Any, Any]
    args: dict[str, Json]
    arguments: BaseModel
    effect: Effect

    @property
    def target(self) -> str:
        """Return the configured name of what is acted on, nothing personal."""
        names = ("service", "database", "program")
        return next((str(self.args[name]) for name in names if name in self.args), "")


def make_ready(segment: Segment, step: Step) -> Ready:
    """Return `step` with its arguments resolved in the segment's present state.

    Raises:
        ExpressionError: an expression has no value.
        ActionFailedError: the arguments do not fit the action.
        SecretError: a secret stands among them, or in an effect what is left of one.
    """
    action = segment.action(step)
    args = resolved(segment, step, segment.scopes.before(step.id), at=step.id)
    arguments = fitting(action, args)
    effect = raised(action.effect_of(args), step.effect)
    if effect is not Effect.READ and MARK in str(args):
        raise SecretError(
            f"An argument of {action.name} rests on an answer from which a secret was taken out.",
            hint="Use another part of that answer: what was taken out is nowhere to be had.",
        )
    return Ready(step=step, action=action, args=args, arguments=arguments, effect=effect)


def resolved(segment: Segment, work: Work, environment: Environment, *, at: str) -> dict[str, Json]:
    """Return the arguments of `work` with every expression replaced by its value at an instance.

    The keys of objects stand in order: what a file says in another order is the same version, so
    it has to be the same plan and the same request, whichever process reads it from where.

    Raises:
        ExpressionError: an expression has no value.
        SecretError: a secret that the bot holds stands in the result.
    """
    scope = segment.scope(at)
    args = {name: resolve(one, scope, environment) for name, one in work.arguments.items()}
    if segment.house.holds_secret(str(args)):
        raise SecretError(
            f"A secret stands in the clear among the arguments of {work.uses}.",
            hint="Name the secret in the service instead of writing its value.",
        )
    return {name: _in_order(one) for name, one in sorted(args.items())}


def _in_order(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _in_order(one) for name, one in sorted(value.items())}
    return [_in_order(one) for one in value] if isinstance(value, list) else value


def fitting(action: Action[Any, Any], args: Mapping[str, Json]) -> BaseModel:
    """Return `args` as the action's own model.

    Raises:
        ActionFailedError: they do not fit; it says which.
    """
    try:
        model: BaseModel = action.takes.model_validate(dict(args))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ActionFailedError(
            f"{action.name} cannot take these arguments: {where}: {first['msg']}.",
            error_class="arguments",
        ) from error
    return model
