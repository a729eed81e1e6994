"""Secrets that actions use, from the environment or from files.

`INTERLOCK_SECRET_SHOP_TOKEN` is the secret `shop_token` (or `shop-token`, `SHOP.TOKEN`);
`INTERLOCK_SECRET_SHOP_TOKEN_FILE` names a file that holds it. Values are read when the bot
starts, so that the redactor knows all of them before the first step runs.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from workflows.errors import SecretError
from workflows.redaction import SHORTEST

PREFIX = "INTERLOCK_SECRET_"
SUFFIX = "_FILE"


@dataclass(frozen=True, slots=True)
class HeldSecrets:
    """Every secret this process holds, by its normal name. It never prints them."""

    _values: Mapping[str, str] = field(repr=False)

    def reveal(self, name: str) -> str:
        try:
            return self._values[normal(name)]
        except KeyError:
            raise SecretError(
                f"There is no secret {name!r}.",
                hint=f"Set {PREFIX}{normal(name)}, or {PREFIX}{normal(name)}{SUFFIX} to a file.",
            ) from None

    @property
    def names(self) -> frozenset[str]:
        """Return the normal names of all secrets held."""
        return frozenset(self._values)

    @property
    def values(self) -> tuple[str, ...]:
        """Return all values, for the redactor."""
        return tuple(self._values.values())

    def missing(self, wanted: Iterable[str]) -> tuple[str, ...]:
        """Return the names of `wanted` that are not held."""
        return tuple(sorted(name for name in wanted if normal(name) not in self._values))


def normal(name: str) -> str:
    """Return `name` as the environment writes it."""
    return re.sub(r"[^A-Za-z0-9]", "_", name).upper()


def read_secrets(environment: Mapping[str, str]) -> HeldSecrets:
    """Return the secrets that `environment` gives.

    Raises:
        SecretError: a value is too short, or a file cannot be read.
    """
    held: dict[str, str] = {}
    for variable, content in environment.items():
        if not variable.startswith(PREFIX):
            continue
        name = variable.removeprefix(PREFIX)
        value = content
        if name.endswith(SUFFIX):
            name, value = name.removesuffix(SUFFIX), _content(variable, Path(content))
        _refuse_short(variable, value)
        held[normal(name)] = value
    return HeldSecrets(held)


def _content(variable: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SecretError(
            f"{variable} names a file that cannot be read.", hint="Correct its path."
        ) from error


def _refuse_short(variable: str, value: str) -> None:
    if len(value) < SHORTEST:
        raise SecretError(
            f"{variable} has fewer than {SHORTEST} characters.",
            hint="A shorter value could not be kept out of texts. Use a longer one.",
        )
