"""The names of steps as they stand in a run: `charge`, item 3's `charge/3`, its `charge/3/undo`.

A step outside a `foreach` has one instance, named like the step. Inside, each item has its own,
so that one name (`run/charge/3`) is the idempotency key of one effect, however often it is tried.
"""

from collections.abc import Sequence

UNDO = "undo"


def instance(step: str, items: Sequence[int] = ()) -> str:
    """Return the name of `step` for the items of the loops around it, the outermost first."""
    return "/".join((step, *map(str, items))) if items else step


def step_of(name: str) -> str:
    """Return the id of the step that an instance is of."""
    return name.partition("/")[0]


def items_of(name: str) -> tuple[int, ...]:
    """Return which items of the loops around it an instance belongs to."""
    return tuple(int(one) for one in name.split("/")[1:] if one != UNDO)


def undo_of(name: str) -> str:
    """Return the instance that takes back what the instance `name` did."""
    return f"{name}/{UNDO}"


def is_undo(name: str) -> bool:
    """Say whether an instance takes something back."""
    return name.endswith(f"/{UNDO}")


def undone_by(name: str) -> str:
    """Return the instance that the undo instance `name` takes back."""
    return name.removesuffix(f"/{UNDO}")
