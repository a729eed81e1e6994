"""Add keys to the log and end them (AUDIT.md section 12).

Every change is one entry, signed by the key of this process, and has its place in the log when
its transaction is over. Which keys there are is `enrolment`; their files are `keys`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from storage.audit_models import AuditEntryRow
from storage.checkpoint import Signer, read_note, read_vkey, signature_line
from storage.enrolment import KnownKey, LogKeys, read_keys, spelled
from storage.heads import add_lines, first_kept
from storage.journal import Journal
from storage.key_request import KeyRequest, request_for
from storage.keys import (
    LOG_KEY,
    NEXT_LOG_KEY,
    NEXT_WRITER_KEY,
    WRITER_KEY,
    LogKey,
    WriterKey,
    load_or_create_key,
    private_halves,
    replace_key,
)
from storage.trail_sql import TrailSql
from storage.transaction import Database, Transaction
from workflows.entry import Actor, ActorKind, Draft, Json
from workflows.errors import SigningKeyError
from workflows.people import PersonId


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """A key after a change; `is_new` is False when it was so before."""

    key: KnownKey
    is_new: bool


class KeyOffice:
    """Changes the keys of one log, in the name of a person of this machine."""

    def __init__(self, database: Database, journal: Journal, *, person: PersonId) -> None:
        self._database = database
        self._journal = journal
        self._person = person

    def enrol(self, request: KeyRequest) -> KeyChange:
        """Enrol a writer key. It may be used at once: its entry has its place.

        Raises:
            SigningKeyError: the proof is for another log or key, or the key was ended.
        """
        request.require_possession(self._journal.origin)
        with self._database.begin() as tx:
            known = self._keys(tx).known.get(request.id)
            if known is not None:
                return _as_it_is(_require_in_force(known))
            data: dict[str, Json] = {
                "role": "entry",
                "pk": spelled(request.public),
                "pop": request.proof,
                "holder": request.holder,
            }
            self._append(tx, "key.add", data)
        return self._changed(request.id)

    def retire(self, wanted: str) -> KeyChange:
        """End a key that is not used any more; what it signed stays as good as it was.

        On Postgres this waits for transactions with entries of the key, and whatever its owner
        tries afterwards is refused there.

        Raises:
            SigningKeyError: unknown, this machine's own, or the last one of its role.
        """
        return self._end(wanted, "key.retire", {})

    def revoke(self, wanted: str, *, since: int) -> KeyChange:
        """End a key that somebody else may have; entries from `since` on become doubtful.

        A key that was retired may still be revoked.

        Raises:
            SigningKeyError: as for `retire`, or `since` lies beyond the log, or before the entry
                from which it was revoked already.
        """
        return self._end(wanted, "key.revoke", {"from": since})

    def rotate(self, home: Path, *, holder: str, pause: Callable[[], None]) -> KeyChange:
        """Give this home another writer key, and end the one it had.

        Cut short at any instant, it may be called again and goes on. `pause` lets other
        processes of this home come to use the new key before the old one ends; one that comes
        later is refused, not recorded wrongly.

        Raises:
            SigningKeyError: a key file cannot be read.
        """
        old = self._left_over(home)
        if old is None:
            old = self._journal.writer.id
            fresh = WriterKey.of(load_or_create_key(home, NEXT_WRITER_KEY))
            self.enrol(request_for(fresh, origin=self._journal.origin, holder=holder))
            replace_key(home, WRITER_KEY)
            pause()
        self.retire(old)
        return KeyChange(key=self._known(self._journal.writer.id), is_new=True)

    def rotate_log(self, home: Path) -> KeyChange:
        """Sign heads with another key from now on; the old one counts until it is retired.

        Cut short, it may be called again and goes on. Before the old key is retired, every
        machine that gives places needs the new one.

        Raises:
            SigningKeyError: a key file cannot be read.
        """
        fresh = LogKey.of(load_or_create_key(home, NEXT_LOG_KEY), self._journal.origin)
        sequencer = self._journal.sequencer
        before = sequencer.signers
        try:
            # The head over the new key's entry carries both lines: so trust passes on.
            sequencer.sign_with([*before, fresh])
            self._add_log_key(fresh.vkey)
            replace_key(home, LOG_KEY)
        except BaseException:
            sequencer.sign_with(before)
            raise
        sequencer.sign_with([fresh])
        return self._changed(fresh.key.id)

    def add_second(self, second: Signer) -> KeyChange:
        """Let a key that is in no file here count for heads, beside the one that signs them all.

        It is asked outside of transactions, and signs the first head over its own entry. Cut
        short, it may be called again and goes on.

        Raises:
            SigningKeyError: the key was ended, or is the one that signs here.
        """
        key = read_vkey(second.vkey)
        is_new = self._add_log_key(second.vkey)
        known = self._known(key.id)
        with self._database.read() as connection:
            size, note = first_kept(connection, after=known.added_at)
        line = signature_line(key, second.sign(read_note(note).checkpoint.text.encode()))
        with self._database.begin() as tx:
            add_lines(tx, size, line)
        return KeyChange(key=known, is_new=is_new)

    def _add_log_key(self, vkey: str) -> bool:
        """Record a log key; False if it was there before.

        Raises:
            SigningKeyError: it was ended.
        """
        with self._database.begin() as tx:
            known = self._keys(tx).known.get(read_vkey(vkey).id)
            if known is not None:
                _require_in_force(known)
                return False
            self._append(tx, "key.add", {"role": "log", "vkey": vkey})
            self._journal.keep_head(tx, "rotation")
        return True

    def _left_over(self, home: Path) -> str | None:
        """Return the id of an old key that a rotation did not come to end."""
        with self._database.read() as connection:
            keys = read_keys(connection)
        here = {one: name for one, name in private_halves(home).items() if name != NEXT_WRITER_KEY}
        return next(
            (
                one.id
                for one in keys.in_force("entry")
                if one.id in here and one.id != self._journal.writer.id
            ),
            None,
        )

    def _end(self, wanted: str, kind: str, data: dict[str, Json]) -> KeyChange:
        with self._database.begin() as tx:
            known = read_keys(tx.connection).named(wanted)
            self._require_other(known)
            # After its owner's transactions nothing of this key can come.
            TrailSql(tx).hold_writer(known.id)
            keys = self._keys(tx)
            known = keys.named(known.id)
            if known.state == "revoked" or (known.ended_at is not None and not data):
                _require_as_far(known, since=data.get("from"))
                return _as_it_is(known)
            _require_end(keys, known, size=_size(tx.connection), since=data.get("from"))
            self._append(tx, kind, {"id": known.id, **data})
        return self._changed(known.id)

    def _require_other(self, known: KnownKey) -> None:
        if known.id == self._journal.writer.id:
            raise SigningKeyError(
                f"{known.id} is the key with which this machine signs entries.",
                hint="Run `interlock keys rotate` here: it brings a new key and ends this one.",
            )
        if known.id in {read_vkey(one.vkey).id for one in self._journal.sequencer.signers}:
            raise SigningKeyError(
                f"{known.id} is the key with which this machine signs heads.",
                hint="Bring the new keys/log.pem here first, and start the bot again.",
            )

    def _keys(self, tx: Transaction) -> LogKeys:
        """Return the keys once nobody else can change them before this transaction ends."""
        TrailSql(tx).share_writer(self._journal.writer.id)
        self._journal.sequencer.take_lock(tx)
        return read_keys(tx.connection)

    def _append(self, tx: Transaction, kind: str, data: dict[str, Json]) -> None:
        actor = Actor(kind=ActorKind.USER, ref=self._journal.ref(tx, self._person))
        self._journal.append(tx, Draft(kind=kind, actor=actor, data=data))

    def _changed(self, wanted: str) -> KeyChange:
        return KeyChange(key=self._known(wanted), is_new=True)

    def _known(self, wanted: str) -> KnownKey:
        with self._database.read() as connection:
            return read_keys(connection).known[wanted]


def _require_in_force(known: KnownKey) -> KnownKey:
    if known.ended_at is not None:
        raise SigningKeyError(
            f"The key {known.id} was {known.state} by entry {known.ended_at}, for ever.",
            hint="Make another one; for a machine's own, `interlock keys new` there does.",
        )
    return known


def _as_it_is(known: KnownKey) -> KeyChange:
    return KeyChange(key=known, is_new=False)


def _require_end(keys: LogKeys, known: KnownKey, *, size: int, since: Json) -> None:
    if known.ended_at is None and len(keys.in_force(known.role)) == 1:
        raise SigningKeyError(
            f"{known.id} is the last {_words(known)} of this log.",
            hint="Bring in another one first, or nothing could be signed any more.",
        )
    if isinstance(since, int) and not 0 <= since <= size:
        raise SigningKeyError(
            f"The log has {size} entries, so nothing can be doubtful from {since} on.",
            hint="Give the number of the first entry that you do not trust.",
        )


def _require_as_far(known: KnownKey, *, since: Json) -> None:
    stands = known.revoked_from
    if isinstance(since, int) and stands is not None and since < stands:
        raise SigningKeyError(
            f"{known.id} was revoked from {stands} on, and a key is revoked once.",
            hint=f"Tell the auditor that what it signed from {since} on is doubtful too.",
        )


def _words(known: KnownKey) -> str:
    return "log key" if known.role == "log" else "writer key"


def _size(connection: Connection) -> int:
    newest = connection.execute(
        select(AuditEntryRow.idx)
        .where(AuditEntryRow.idx.is_not(None))
        .order_by(AuditEntryRow.idx.desc())
        .limit(1)
    ).scalar()
    return 0 if newest is None else newest + 1
