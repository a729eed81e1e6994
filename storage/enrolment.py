"""Which keys belong to the log, as its own signed entries say (AUDIT.md section 12).

Nobody enrols a key by writing to the database: each entry that adds or ends a key counts only
under the signature of a writer that was enrolled before it. Adding and ending them is
`key_changes`; what a verifier makes of them stands in `verify.keyring`.
"""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection, select

from storage.audit_models import IS_OUTSIDE_RUNS, AuditEntryRow
from storage.checkpoint import MalformedNoteError, is_signature, key_id, read_vkey
from storage.entry_bytes import (
    ENTRY_TYPE,
    MalformedEntryError,
    body_of,
    decode64,
    pae,
    read_line,
)
from storage.keys import possession_message
from workflows.errors import SigningKeyError, UnusableDatabaseError

Role: TypeAlias = Literal["log", "entry"]

KEY_KINDS = ("key.add", "key.retire", "key.revoke")
KEY_BYTES = 32
SIGNATURE_BYTES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """A key of the log: since when it counts, and since when no longer.

    `ended_at` is the place of the entry that ended it first, `revoked_from` the place from
    which its entries are doubtful. `vkey` is the spelling of a log key for verifiers.
    """

    id: str
    role: Role
    public: bytes
    holder: str
    added_at: int
    vkey: str = ""
    ended_at: int | None = None
    revoked_from: int | None = None

    @property
    def state(self) -> str:
        """`in force`, `retired` or `revoked`."""
        if self.ended_at is None:
            return "in force"
        return "retired" if self.revoked_from is None else "revoked"

    def signs_at(self, index: int) -> bool:
        """Say whether it may sign the entry at that place."""
        return self.added_at <= index and (self.ended_at is None or index <= self.ended_at)


@dataclass(slots=True)
class LogKeys:
    """The keys of the log `origin`, by their ids, in the order in which they came."""

    origin: str = ""
    known: dict[str, KnownKey] = field(default_factory=dict)

    def in_force(self, role: Role) -> list[KnownKey]:
        """Return the keys of that role that still count."""
        return [one for one in self.known.values() if one.role == role and one.ended_at is None]

    def named(self, wanted: str) -> KnownKey:
        """Return the key of that id.

        Raises:
            SigningKeyError: the log knows none.
        """
        known = self.known.get(wanted)
        if known is None:
            raise SigningKeyError(
                f"The log knows no key {wanted}.", hint="`interlock keys list` shows them all."
            )
        return known

    def take_up(self, index: int, line: bytes) -> None:
        """Take in one entry about keys.

        Raises:
            UnusableDatabaseError: no enrolled key signed it, or it names a key that is none.
        """
        members = read_line(line)
        if index == 0:
            self._begin(members)
        try:
            self._check_author(index, members, line)
            if members["kind"] == "key.add":
                self._add(index, members["data"])
            elif index:
                self._end(index, members["data"])
        except (MalformedEntryError, MalformedNoteError, KeyError, TypeError) as error:
            raise _forged(index) from error

    def _begin(self, members: Mapping[str, Any]) -> None:
        self.origin = members["log"]
        for encoded in members["data"]["entry_keys"]:
            self._put_writer(0, decode64(encoded, KEY_BYTES), holder="")
        for vkey in members["data"]["log_vkeys"]:
            self._put_log_key(0, vkey)

    def _check_author(self, index: int, members: Mapping[str, Any], line: bytes) -> None:
        author = self.known.get(members["key"])
        if author is None or author.role != "entry" or not author.signs_at(index):
            raise _forged(index)
        signature = decode64(members["sig"], SIGNATURE_BYTES)
        if not is_signature(author.public, signature, pae(ENTRY_TYPE, body_of(line))):
            raise _forged(index)

    def _add(self, index: int, data: Mapping[str, Any]) -> None:
        if data["role"] == "log":
            self._put_log_key(index, data["vkey"])
            return
        public = decode64(data["pk"], KEY_BYTES)
        if not shows_possession(public, data["pop"], origin=self.origin):
            raise _forged(index)
        self._put_writer(index, public, holder=str(data["holder"]))

    def _end(self, index: int, data: Mapping[str, Any]) -> None:
        known = self.known.get(data["id"])
        if known is None:
            return
        self.known[known.id] = replace(
            known,
            ended_at=index if known.ended_at is None else known.ended_at,
            revoked_from=known.revoked_from if known.revoked_from is not None else data.get("from"),
        )

    def _put_writer(self, index: int, public: bytes, *, holder: str) -> None:
        made = KnownKey(
            id=key_id(public), role="entry", public=public, holder=holder, added_at=index
        )
        self.known.setdefault(made.id, made)

    def _put_log_key(self, index: int, vkey: str) -> None:
        key = read_vkey(vkey)
        made = KnownKey(
            id=key.id, role="log", public=key.public, holder="", added_at=index, vkey=vkey
        )
        self.known.setdefault(made.id, made)


def read_keys(connection: Connection) -> LogKeys:
    """Return the keys of the log, every entry about them checked.

    Raises:
        UnusableDatabaseError: no log there, or somebody changed keys without being allowed to.
    """
    keys = LogKeys()
    for index, line in _key_lines(connection):
        keys.take_up(index, line)
    return keys


def keys_before(connection: Connection, index: int) -> LogKeys:
    """Return the keys as the entries below that place tell them: none before the first one.

    Raises:
        UnusableDatabaseError: somebody changed keys without being allowed to.
    """
    keys = LogKeys()
    for place, line in _key_lines(connection) if index else ():
        if place < index:
            keys.take_up(place, line)
    return keys


def verifier_keys(connection: Connection) -> list[str]:
    """Return every verifier key that the log names, the first one first, ended ones too."""
    named: list[str] = []
    for _, line in _key_lines(connection):
        data = read_line(line)["data"]
        named += data.get("log_vkeys", [])
        if data.get("role") == "log":
            named.append(data["vkey"])
    return named


def shows_possession(public: bytes, proof: str, *, origin: str) -> bool:
    """Say whether `proof` shows that somebody holds the private half of `public`."""
    message = possession_message(origin, key_id(public))
    try:
        return is_signature(public, decode64(proof, SIGNATURE_BYTES), message)
    except MalformedEntryError:
        return False


def spelled(public: bytes) -> str:
    """Return a public key as entries write it."""
    return base64.b64encode(public).decode()


def _key_lines(connection: Connection) -> Iterator[tuple[int, bytes]]:
    """Yield place and line of the first entry and of each that changes keys.

    Raises:
        UnusableDatabaseError: no log has begun there.
    """
    entry = AuditEntryRow
    found = connection.execute(
        select(entry.idx, entry.kind, entry.line)
        .where(
            IS_OUTSIDE_RUNS,
            entry.kind.in_(("log.init", *KEY_KINDS)),
            entry.idx.is_not(None),
        )
        .order_by(entry.idx)
    ).all()
    if not found or (found[0].idx, found[0].kind) != (0, "log.init"):
        raise UnusableDatabaseError(
            "The database holds no log yet.", hint="Begin one with `interlock init`."
        )
    for row in found:
        yield int(row.idx or 0), row.line.encode()


def _forged(index: int) -> UnusableDatabaseError:
    return UnusableDatabaseError(
        f"Entry {index} changes the keys of this log, and no enrolled key signed it.",
        hint="Somebody wrote to the database. Nothing goes on here; run `interlock audit verify`.",
    )
