"""What the engine needs of whoever has the secrets: one by its name, with its version."""

import re
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A secret as its source has it; `version` is 0 where the source counts none."""

    value: str = field(repr=False)
    version: int = 0


class SecretBook(Protocol):
    """Gives secrets. Safe to share between threads."""

    def find(self, name: str) -> Found:
        """Return the secret of that name; no text that is written from now on holds it.

        Raises:
            SecretUnreadableError: where it is kept could not be asked just now.
            SecretError: there is none, or it cannot be used.
        """


def plain(name: str) -> str:
    """Return `name` as lists and entries write it; `shop-token` is the secret `shop_token`."""
    return re.sub(r"[^A-Za-z0-9]", "_", name).lower()
