"""Build an entry from a fact: its values are checked, written down, signed and hashed.

It needs no database and no place in the log, so all of it happens before anybody waits.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from storage.entry_bytes import MalformedEntryError, leaf_hash, read_stamp, seal, stamp
from storage.keys import WriterKey
from workflows.binding import commitment
from workflows.entry import Draft, Entry, Json, Part, StoredPart
from workflows.kinds import faults_of

NewId = Callable[[], str]
Now = Callable[[], datetime]


class Tail(NamedTuple):
    """The newest entry of a run, as its row carries it: the place and the leaf."""

    rseq: int
    leaf: bytes


# The tail of a run that has no entry yet.
NO_TAIL = Tail(-1, b"")


@dataclass(frozen=True, slots=True)
class Built:
    """An entry as a value, as the line that is stored of it, and as the leaf of the tree."""

    entry: Entry
    line: bytes
    leaf: bytes

    @property
    def tail(self) -> Tail:
        """The run's tail, once this entry is its newest."""
        return Tail(self.entry.rseq, self.leaf)


class EntryBuilder:
    """Builds entries of the log `origin`."""

    def __init__(self, *, origin: str, now: Now, new_id: NewId) -> None:
        self.origin = origin
        self._now = now
        self._new_id = new_id

    def build(self, writer: WriterKey, draft: Draft, *, tail: Tail = NO_TAIL) -> Built:
        """Return the entry of `draft` that follows `tail` in its run, signed by `writer`.

        Raises:
            MalformedEntryError: an unknown kind, a missing field, the wrong place, too long.
        """
        rseq = 0 if draft.run is None else tail.rseq + 1
        prev = "" if draft.run is None else base64.b64encode(tail.leaf).decode()
        faults = faults_of(draft.kind, run=draft.run, rseq=rseq, data=draft.data, parts=draft.parts)
        if faults:
            raise MalformedEntryError(" ".join(faults))
        ts = stamp(self._now())
        stored = {name: _stored(name, part) for name, part in draft.parts.items()}
        entry = Entry(
            id=self._new_id(),
            index=None,
            run=draft.run,
            rseq=rseq,
            at=read_stamp(ts),
            kind=draft.kind,
            actor=draft.actor,
            data=draft.data,
            parts=stored,
        )
        members: dict[str, Json] = {
            "actor": {"ref": draft.actor.ref, "t": draft.actor.kind.value},
            "data": dict(draft.data),
            "id": entry.id,
            "key": writer.id,
            "kind": draft.kind,
            "log": self.origin,
            "parts": _committed(draft.parts, stored),
            "prev": prev,
            "rseq": rseq,
            "run": draft.run,
            "ts": ts,
            "v": 1,
        }
        line = seal(members, writer.sign)
        return Built(entry, line, leaf_hash(line))


def _stored(name: str, part: Part) -> StoredPart:
    return StoredPart(
        cls=part.cls,
        commitment=commitment(part.salt, name, part.value),
        value=part.value,
        salt=part.salt,
    )


def _committed(parts: Mapping[str, Part], stored: Mapping[str, StoredPart]) -> Json:
    return {
        name: {"c": stored[name].commitment, "cls": part.cls.value, "len": len(part.value)}
        for name, part in parts.items()
    }
