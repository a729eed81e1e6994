"""Entries as CloudEvents 1.0 in the JSON format, with the extension `sequence`."""

from storage.entry_bytes import read_stamp
from storage.evidence.derived.sealed import Sealed
from workflows.binding import canonical
from workflows.entry import Json

SPEC = "1.0"
TYPE = "interlock."  # And the kind of the entry.
DIGITS = 16  # So that the text sorts as the number does.


def cloud_event(entry: Sealed, origin: str) -> bytes:
    """Return one event; its data is the whole signed entry, member for member."""
    event: dict[str, Json] = {
        "specversion": SPEC,
        "id": entry.id,
        "source": f"//{origin}",
        "type": f"{TYPE}{entry.kind}",
        "sequence": f"{entry.idx:0{DIGITS}}",
        "datacontenttype": "application/json" if entry.members else "text/plain",
        "data": dict(entry.members) if entry.members else entry.line,
    }
    if _is_moment(entry.ts):
        event["time"] = entry.ts
    run = entry.members.get("run")
    if isinstance(run, str) and run:
        event["subject"] = run
    return canonical(event)


def _is_moment(ts: str) -> bool:
    """Say whether a time can be handed on; that of a broken entry may be any text."""
    try:
        return read_stamp(ts).tzinfo is not None
    except ValueError:
        return False
