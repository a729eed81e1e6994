"""Secrets from the environment, or from files that it names.

`INTERLOCK_SECRET_SHOP_TOKEN` is the secret `shop_token` (or `shop-token`, `SHOP.TOKEN`);
`INTERLOCK_SECRET_SHOP_TOKEN_FILE` names a file that holds it, read anew for each use.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from bot.secret_sources.port import checked
from workflows.errors import SecretError
from workflows.secret_book import Found, plain

PREFIX = "INTERLOCK_SECRET_"
SUFFIX = "_FILE"


class EnvironmentSource:
    """The environment that this process was started with."""

    name = "environment"

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Take up the variables. What one holds is looked at when it is asked for."""
        self._variables = {
            _name_in(variable): (variable, content)
            for variable, content in environment.items()
            if variable.startswith(PREFIX)
        }

    def find(self, name: str) -> Found | None:
        held = self._variables.get(plain(name))
        if held is None:
            return None
        variable, content = held
        value = _content(variable, Path(content)) if variable.endswith(SUFFIX) else content
        return Found(value=checked(value, variable))

    def names(self) -> Iterable[str]:
        return self._variables


def _name_in(variable: str) -> str:
    return plain(variable.removeprefix(PREFIX).removesuffix(SUFFIX))


def _content(variable: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SecretError(
            f"{variable} names a file that cannot be read.", hint="Correct its path."
        ) from error
