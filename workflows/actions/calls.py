"""What every action asks of its call: the effect it may have, and the secrets it needs."""

from workflows.actions.base import Action, Call, Effect, In, Out
from workflows.errors import ActionFailedError, SecretError


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


def reveal(call: Call, name: str) -> str:
    """Return the secret `name`.

    Raises:
        ActionFailedError: there is none; nothing was done.
    """
    try:
        return call.secrets.reveal(name)
    except SecretError as refusal:
        raise ActionFailedError(
            refusal.message, error_class="secret_missing", hint=refusal.hint
        ) from refusal
