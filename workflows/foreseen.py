"""How sure it is that people will be asked; how that is found stands in `foreseeing`."""

from enum import IntEnum


class Foreseen(IntEnum):
    """How sure it is that people will be asked."""

    NOT = 0
    PERHAPS = 1
    SURELY = 2
