"""Read the newest summary of a run back: its sentences, each with the entries it rests on."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from storage.history import find_entry
from storage.message_models import SummaryRecord
from workflows.entry import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One sentence; `entries` are their numbers in the log, of those that have one by now."""

    text: str
    entries: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What was written of a run; `model` names the language model that wrote it, if one did."""

    told: tuple[Told, ...] = ()
    model: str = ""


def read_summary(connection: Connection, run: str, *, of: Sequence[Entry]) -> Summary:
    """Return what was written of a run whose entries are `of`; nothing while it goes on."""
    query = select(SummaryRecord.entry_id).where(SummaryRecord.run_id == run)
    written = connection.execute(query).scalar_one_or_none()
    entry = find_entry(connection, written) if written is not None else None
    part = entry.parts.get("summary") if entry is not None else None
    if part is None or part.value is None:  # Swept or erased: the entry still says there was one.
        return Summary()
    places = {one.rseq: one.index for one in of}
    found = json.loads(part.value)
    told = tuple(
        Told(
            text=str(one["text"]),
            entries=tuple(
                place for rseq in one["basis"] if (place := places.get(rseq)) is not None
            ),
        )
        for one in found["sentences"]
    )
    return Summary(told=told, model=str(found.get("model", "")))
