"""How deeply JSON may be nested that comes from outside: what reads and keeps it goes in as far."""

from pydantic import JsonValue

DEEPEST = 100


def refuse_depth(value: JsonValue, *, left: int = DEEPEST) -> None:
    """Raise ValueError where lists and objects stand in one another deeper than anybody means."""
    if not isinstance(value, dict | list):
        return
    if left == 0:
        raise ValueError(f"is nested deeper than {DEEPEST} levels")
    for one in value.values() if isinstance(value, dict) else value:
        refuse_depth(one, left=left - 1)
