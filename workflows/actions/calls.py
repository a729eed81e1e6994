"""What every action asks of its call: the effect it may have, and the secrets it needs."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from workflows.actions.base import Action, Call, Effect, In, Out
from workflows.entry import Json
from workflows.errors import (
    ActionFailedError,
    NotPerformedError,
    SecretError,
    SecretNotGivenError,
    SecretUnreadableError,
    TransientReadError,
)

Target = TypeVar("Target")


def settled_effect(action: Action[In, Out], arguments: In, call: Call) -> Effect:
    """Return the effect this call has: what the action says, or more if the definition does.

    Raises:
        ActionFailedError: the step was let through as something more harmless than it is.
    """
    own = action.effect_of(arguments.model_dump(mode="json"))
    if call.effect is None or call.effect is own:
        return own
    if call.effect.rank < own.rank:
        raise ActionFailedError(
            f"This step would {own}, but it was let through as {call.effect}.",
            error_class="effect_raised",
            hint="Say `effect:` in the definition, so that the right gate is asked.",
        )
    return call.effect


def needed_by(
    name: Json, targets: Mapping[str, Target], secrets: Callable[[Target], Iterable[str]]
) -> frozenset[str]:
    """Return the secrets of the target of that name; where none has it, those of every target.

    A name that is an expression may turn out to be any.
    """
    target = targets.get(name) if isinstance(name, str) else None
    chosen = targets.values() if target is None else [target]
    return frozenset(secret for one in chosen for secret in secrets(one))


def reveal(call: Call, name: str) -> str:
    """Return the secret `name`.

    Raises:
        TransientReadError, NotPerformedError: where it is kept could not be asked; nothing was
            done.
        ActionFailedError: there is none, or this step may not use it; nothing was done.
    """
    try:
        return call.secrets.reveal(name)
    except SecretUnreadableError as refusal:
        kind = TransientReadError if call.effect in (None, Effect.READ) else NotPerformedError
        raise kind(refusal.message, error_class="secret_unreadable", hint=refusal.hint) from refusal
    except SecretError as refusal:
        is_given = not isinstance(refusal, SecretNotGivenError)
        raise ActionFailedError(
            refusal.message,
            error_class="secret_missing" if is_given else "secret_refused",
            hint=refusal.hint,
        ) from refusal
