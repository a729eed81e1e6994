"""Which payloads an auditor is shown."""

from enum import StrEnum


class Disclosure(StrEnum):
    """Which payloads go into a pack: none, those of some names, or all that are held."""

    NONE = "none"
    SELECTED = "selected"
    ALL = "all"
