"""What the entries about legal holds state, as changes of the tables. Pure, as `projections`."""

from collections.abc import Callable, Iterable, Mapping

from storage.change import Change, Insert, Update
from workflows.entry import Entry

IS_NOT_SET = "This hold is lifted already, or was never set; nothing was recorded."


def hold_set(entry: Entry) -> Iterable[Change]:
    """A person had payloads held back. Their words of why stay in the entry's part."""
    yield Insert(
        "audit_hold",
        {
            "hold": entry.data["hold"],
            "selector": entry.data["selector"],
            "reason": entry.data["reason"],
            "set_at": entry.at,
        },
    )


def hold_lifted(entry: Entry) -> Iterable[Change]:
    """A person let them go."""
    yield Update(
        "audit_hold",
        {"hold": entry.data["hold"], "lifted_at": None},
        {"lifted_at": entry.at},
        IS_NOT_SET,
    )


HOLDS_STATED: Mapping[str, Callable[[Entry], Iterable[Change]]] = {
    "hold.set": hold_set,
    "hold.lifted": hold_lifted,
}
