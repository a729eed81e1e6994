"""Workflows that people would take for one another, by their names or by what they do."""

import json
import re
from collections.abc import Iterable, Iterator

from workflows.actions.base import Effect
from workflows.definition import Definition
from workflows.portrait import Actions, effect_of

ALIKE = 0.85
SHORTEST_WORD = 5
_STEP = re.compile(r"\bsteps\.[a-z][a-z0-9_]*")
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


def slip_of(name: str, known: Iterable[str]) -> str | None:
    """Return the other name of which one word is `name`'s but for one slip, if there is one.

    A slip is a letter too many, missing, another one, or two that changed places. Short words
    and those with digits differ by one sign on purpose, as `pay-eu` and `pay-us` do.
    """
    words = name.split("-")
    for other in sorted(known):
        pairs = list(zip(words, other.split("-"), strict=False))
        differing = [(one, two) for one, two in pairs if one != two]
        if len(words) == other.count("-") + 1 and len(differing) == 1 and _is_slip(*differing[0]):
            return other
    return None


def _is_slip(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    if len(short) < SHORTEST_WORD or len(long) - len(short) > 1 or not (one + other).isalpha():
        return False
    start = next((at for at, sign in enumerate(short) if sign != long[at]), len(short))
    rest, more = short[start:], long[start:]
    if len(short) < len(long):
        return rest == more[1:]
    is_swapped = rest[:2] == more[1::-1] and rest[2:] == more[2:]
    return rest[1:] == more[1:] or is_swapped


def close_to(name: str, known: Iterable[str]) -> str | None:
    """Return the other name that differs from `name` in little, if there is one."""
    import difflib  # noqa: PLC0415 - only what is checked is compared so.

    others = sorted(one for one in known if one != name)
    found = difflib.get_close_matches(name, others, n=1, cutoff=ALIKE)
    return found[0] if found else None


def same_work(
    definitions: Iterable[Definition], actions: Actions
) -> Iterator[tuple[Definition, Definition]]:
    """Yield each definition that asks for and does what an earlier one does, with that one.

    What they only read, what steps are called and who may run them makes no difference.
    """
    first: dict[str, Definition] = {}
    for one in definitions:
        work = _work(one, actions)
        if work and first.setdefault(work, one) is not one:
            yield one, first[work]


def _work(definition: Definition, actions: Actions) -> str:
    """Return what a definition asks for and changes, as one text; nothing if it only reads."""
    effects = [
        [step.uses, effect.value, _STEP.sub("steps.", json.dumps(step.arguments, sort_keys=True))]
        for step in definition.works
        if (effect := effect_of(step, actions)) not in (None, Effect.READ)
    ]
    inputs = sorted((name, one.type) for name, one in definition.inputs.items())
    return json.dumps([inputs, effects]) if effects else ""
