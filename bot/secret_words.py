"""Refuses what people write when a secret stands in it, at every door of Slack.

A secret is a value that the bot holds, or a credential that its form gives away.

Taking it out would hide that it was seen. So nothing of it is kept, and whoever wrote it is told
to have it changed: everybody who can read the place has read it.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from workflows.credentials import credential_in, refuse_credential
from workflows.errors import SecretError

NEXT = "Never write secrets here. Have it changed, since others may have seen it."
IN_A_FIELD = f"A secret stands in this; nothing was kept. {NEXT}"
IN_A_FIELD_BY_FORM = (
    "This looks like {kind}; nothing was kept. Never write secrets here. Revoke it, since others"
    " may have seen it."
)
IN_A_THREAD = (
    "🔑 A secret stands in what you wrote. It is left out of all that I keep and tell, but"
    " everybody here could read it: have it changed, then delete the message."
)

Holds = Callable[[str], bool]


def refuse_secret(holds: Holds, words: str) -> None:
    """Return if no secret stands in `words`.

    Raises:
        SecretError: one does.
    """
    if holds(words):
        raise SecretError("A secret stands in this; nothing was done and nothing kept.", hint=NEXT)
    refuse_credential(words)


def secret_faults(holds: Holds, state: Mapping[str, Any]) -> dict[str, str]:
    """Return what to say to each field of a form in which a secret stands."""
    blocks = state.get("values") or {}
    told = {str(name): _fault(holds, list(_words(fields))) for name, fields in blocks.items()}
    return {name: fault for name, fault in told.items() if fault is not None}


def shows_secret(holds: Holds, words: str) -> bool:
    """Say whether a secret stands in `words`."""
    return holds(words) or credential_in(words) is not None


def _fault(holds: Holds, every: list[str]) -> str | None:
    if any(holds(words) for words in every):
        return IN_A_FIELD
    kind = next(filter(None, map(credential_in, every)), None)
    return None if kind is None else IN_A_FIELD_BY_FORM.format(kind=kind)


def _words(value: object) -> Iterator[str]:
    """Yield every text in what Slack says of a field."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _words(one)
    elif isinstance(value, list):
        for one in value:
            yield from _words(one)
