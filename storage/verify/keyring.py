"""Which keys the log knows, from when until when (AUDIT.md section 12).

No key brings itself in: an entry changes keys only under the signature of a writer that an
entry before it had enrolled, and that none had ended.
"""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from storage.checkpoint import MalformedNoteError, VerifierKey, is_signature, key_id, read_vkey
from storage.claims import false_claims
from storage.entry_bytes import MalformedEntryError, decode64
from storage.keys import possession_message
from storage.verify.members import is_count
from storage.verify.report import Report

CHANGES = frozenset({"key.add", "key.retire", "key.revoke"})
KEY_BYTES = 32
SIGNATURE_BYTES = 64


@dataclass(slots=True)
class WriterState:
    """A writer key: its public bytes, its end, and which entries it signed."""

    public: bytes
    ended_at: int | None = None
    signed: "array[int]" = field(default_factory=lambda: array("Q"))


@dataclass(slots=True)
class LogKeyState:
    """A log key and the place of the entry that added it; `ended_at` is that of its end."""

    key: VerifierKey
    added_at: int
    ended_at: int | None = None
    revoked_from: int | None = None


class KeyRing:
    """Learns keys from the entries, in their order."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.writers: dict[str, WriterState] = {}
        self.log_keys: list[LogKeyState] = []
        self.genesis: list[VerifierKey] = []
        self.origin = ""

    def observe(self, index: int, members: Mapping[str, Any], line: bytes) -> bool:
        """Take in what the entry says about keys; most say nothing.

        Of one that changes keys it is judged at once who signed it, and nothing is taken in if
        that was no key that counted. Return whether it was judged.
        """
        kind = members["kind"]
        if (index == 0) != (kind == "log.init"):
            self.report.fail(
                "genesis", f"Entry {index} is {kind}; only entry 0 is log.init.", place=index
            )
        is_change = kind in CHANGES
        if kind == "log.init" or (is_change and self._is_allowed(index, members, line)):
            self._take_in(index, members)
        return is_change

    def writer_at(self, index: int, writer: str) -> bytes | None:
        """Return the public key that signs entry `index`; None (and a finding) if none may."""
        state = self.writers.get(writer)
        if state is None:
            self.report.fail(
                "entry-key", f"Entry {index} is signed by an unknown key {writer}.", place=index
            )
            return None
        if state.ended_at is not None and index > state.ended_at:
            self.report.fail(
                "entry-key-retired",
                f"Entry {index} is signed by {writer}, which ended at {state.ended_at}.",
                place=index,
            )
        state.signed.append(index)
        return state.public

    def _is_allowed(self, index: int, members: Mapping[str, Any], line: bytes) -> bool:
        """Say whether a key that counts there signed the entry; a finding if not."""
        writer = members["key"]
        public = self.writer_at(index, writer)
        if public is None:
            return False
        if false_claims([(index, public, members["sig"], line)]):
            self.report.fail(
                "entry-signature", f"The signature of entry {index} is false.", place=index
            )
            return False
        ended_at = self.writers[writer].ended_at
        return ended_at is None or index <= ended_at

    def _take_in(self, index: int, members: Mapping[str, Any]) -> None:
        kind, data = members["kind"], members["data"]
        try:
            if kind == "log.init":
                self._begin(index, members)
            elif kind == "key.add":
                self._add(index, data)
            elif kind == "key.retire":
                self._end(index, data["id"], since=None)
            else:
                self._end(index, data["id"], since=data.get("from"))
        except (MalformedNoteError, MalformedEntryError, KeyError, TypeError) as error:
            self.report.fail(
                "entry-key", f"Entry {index} names a key that is none: {error}.", place=index
            )

    def _begin(self, index: int, members: Mapping[str, Any]) -> None:
        if index:
            return
        self.origin = members["log"]
        for encoded in members["data"]["entry_keys"]:
            public = decode64(encoded, KEY_BYTES)
            self.writers[key_id(public)] = WriterState(public)
        for vkey in members["data"]["log_vkeys"]:
            key = self._own(read_vkey(str(vkey)), index)
            self.genesis.append(key)
            self._know(key, index)

    def _add(self, index: int, data: Mapping[str, Any]) -> None:
        if data["role"] == "log":
            key = self._own(read_vkey(str(data["vkey"])), index)
            self._know(key, index)
            return
        public = decode64(data["pk"], KEY_BYTES)
        proof = decode64(data["pop"], SIGNATURE_BYTES)
        if not is_signature(public, proof, possession_message(self.origin, key_id(public))):
            self.report.fail(
                "key-pop", f"Entry {index} enrols a key that nobody showed to hold.", place=index
            )
        self.writers.setdefault(key_id(public), WriterState(public))

    def _know(self, key: VerifierKey, index: int) -> None:
        """Take in a log key; one that is known already is no other for being named again."""
        if all(state.key != key for state in self.log_keys):
            self.log_keys.append(LogKeyState(key, index))

    def _own(self, key: VerifierKey, index: int) -> VerifierKey:
        if key.name != self.origin:
            self.report.fail(
                "key-origin", f"Entry {index} names a key of the log {key.name}.", place=index
            )
        return key

    def _end(self, index: int, ended: object, *, since: object) -> None:
        if not isinstance(ended, str) or not (since is None or is_count(since)):
            raise TypeError("its id or its place is malformed")
        writer = self.writers.get(ended)
        if writer is not None and writer.ended_at is None:
            writer.ended_at = index
        for state in self.log_keys:
            if state.key.id == ended:
                state.ended_at = index if state.ended_at is None else state.ended_at
                state.revoked_from = since if state.revoked_from is None else state.revoked_from
        if writer is not None and since is not None:
            self._doubt_window(ended, writer, since)

    def _doubt_window(self, writer: str, state: WriterState, since: int) -> None:
        doubtful = sum(1 for one in state.signed if one >= since)
        if doubtful:
            self.report.doubt(
                "revoked-window",
                f"{doubtful} entries from {since} on are signed by the revoked key {writer}.",
            )
