"""Names of workflows that people would take for one another."""

import difflib
from collections.abc import Iterable

ALIKE = 0.85
# What looks alike in many fonts, or is left out when one reads fast.
_LOOKS = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("-", ""), ("0", "o"), ("1", "l"), ("i", "l"))


def look_of(name: str) -> str:
    """Return what is left of a name for somebody who reads fast: the same for names alike."""
    for written, seen in _LOOKS:
        name = name.replace(written, seen)
    return name.rstrip("s")


def mistaken_for(name: str, known: Iterable[str]) -> str | None:
    """Return the other name that `name` looks the same as, if there is one."""
    look = look_of(name)
    return next((one for one in sorted(known) if one != name and look_of(one) == look), None)


def close_to(name: str, known: Iterable[str]) -> str | None:
    """Return the other name that differs from `name` in little, if there is one."""
    others = sorted(one for one in known if one != name)
    found = difflib.get_close_matches(name, others, n=1, cutoff=ALIKE)
    return found[0] if found else None
