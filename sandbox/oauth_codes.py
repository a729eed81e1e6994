"""Codes that an installation hands to the app, each good once and for ten minutes."""

from dataclasses import dataclass

LIFETIME = 600.0


@dataclass(slots=True, kw_only=True)
class Code:
    """What somebody agreed to: their workspace, and what the app may do there."""

    value: str
    team: str
    user: str
    scopes: tuple[str, ...]
    redirect_uri: str  # As the app named it, "" where it left that to its settings.
    expires: float
    used: bool = False


class Codes:
    """The codes of all workspaces."""

    def __init__(self) -> None:
        self._codes: dict[str, Code] = {}

    def keep(self, code: Code) -> Code:
        """Remember a code."""
        self._codes[code.value] = code
        return code

    def find(self, value: str) -> Code | None:
        """Return the code of that value, a used one too."""
        return self._codes.get(value)
