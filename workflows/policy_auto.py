"""When a rule asks nobody: a condition, and the explanation that goes on record with it."""

import re
from typing import Annotated

from pydantic import Field

from workflows.definition_parts import Closed, Condition

_QUOTED = r"""(?:"destructive"|'destructive')"""
_SAYS_DESTRUCTIVE = re.compile(rf"\beffect\s*==\s*{_QUOTED}|{_QUOTED}\s*==\s*effect\b")


class Auto(Closed):
    """Nobody is asked by this rule where `when` is true; `because` says why that is right."""

    when: Condition
    because: Annotated[str, Field(min_length=1, max_length=300)]


def is_about_destructive(condition: str) -> bool:
    """Say whether a rule's condition names destructive effects in so many words."""
    return _SAYS_DESTRUCTIVE.search(condition) is not None
