"""Refuses what people write when a held secret stands in it, at every door of Slack.

Taking it out would hide that it was seen. So nothing of it is kept, and whoever wrote it is told
to have it changed: everybody who can read the place has read it.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from workflows.errors import SecretError

NEXT = "Never write secrets here. Have it changed, since others may have seen it."
IN_A_FIELD = f"A secret stands in this; nothing was kept. {NEXT}"
IN_A_THREAD = (
    "🔑 A secret stands in what you wrote. It is left out of all that I keep and tell, but"
    " everybody here could read it: have it changed, then delete the message."
)

Holds = Callable[[str], bool]


def refuse_secret(holds: Holds, words: str) -> None:
    """Return if no held secret stands in `words`.

    Raises:
        SecretError: one does.
    """
    if holds(words):
        raise SecretError("A secret stands in this; nothing was done and nothing kept.", hint=NEXT)


def secret_faults(holds: Holds, state: Mapping[str, Any]) -> dict[str, str]:
    """Return what to say to each field of a form in which a held secret stands."""
    blocks = state.get("values") or {}
    return {
        str(name): IN_A_FIELD
        for name, fields in blocks.items()
        if any(holds(words) for words in _words(fields))
    }


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
