"""What every source of secrets promises, and what a value has to look like.

A source is asked for one secret at the moment of the effect that needs it. One that cannot
answer refuses: whoever asks never goes on without, and never takes another source's word.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

from workflows.errors import SecretError
from workflows.redaction import SHORTEST, Redactor
from workflows.secret_book import Found

LONGEST = 16_384  # In its longest form it still fits into `workflows.actions.base.MARGIN`.


class Source(Protocol):
    """One place where secrets are kept. Safe to share between threads."""

    name: str  # As people read it: "environment", "built in".

    def find(self, name: str) -> Found | None:
        """Return the secret of that name, None where this source has none.

        Raises:
            SecretUnreadableError: it could not be asked just now.
            SecretError: what it has cannot be used.
        """

    def names(self) -> Iterable[str] | None:
        """Return the plain names of all it has; None if only asking for each would tell."""


def checked(value: str, where: str) -> str:
    """Return `value` if it can be kept out of texts.

    Raises:
        SecretError: it is too short, or too long to be a secret. It is never printed.
    """
    if len(value) < SHORTEST:
        raise SecretError(
            f"{where} has fewer than {SHORTEST} characters.",
            hint="A shorter value could not be kept out of texts. Use a longer one.",
        )
    if len(value) > LONGEST or "\0" in value:
        raise SecretError(
            f"{where} is no secret: it is longer than {LONGEST} characters, or holds zero bytes."
        )
    return value


def redactor_of(tokens: Mapping[str, str]) -> Redactor:
    """Return what takes these out of texts; each is named by the variable that gave it.

    Raises:
        SecretError: one cannot be kept out of texts; it says which, never its value.
    """
    return Redactor([checked(value, variable) for variable, value in tokens.items()])
