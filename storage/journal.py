"""Append entries to the trail.

An entry is built by `entry_builder` and stored here in the caller's transaction; its place in
the log is given at the end of that transaction, by `sequencing`.
"""

import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from storage.admission import note_built
from storage.checkpoint import Signer
from storage.database_errors import refusal_for
from storage.entry_builder import NO_TAIL, Built, EntryBuilder, Tail
from storage.keys import Writer, WriterKey
from storage.sequencing import KEEP_HEAD, Now, Sequencer
from storage.trail_sql import PartRow, TrailSql
from storage.transaction import Transaction
from workflows.entry import Draft, Part, Ref
from workflows.errors import SigningKeyError
from workflows.kinds import PLACE_COUNTS

NewId = Callable[[], str]
PSEUDONYM_HEX = 32
WRITER = "the key that signs"


def new_entry_id() -> str:
    """Return 16 random bytes as hex."""
    return secrets.token_hex(16)


def utc_now() -> datetime:
    """Return this moment."""
    return datetime.now(UTC)


class Journal:
    """Appends to the log `origin` with this process's writer key."""

    def __init__(
        self,
        *,
        origin: str,
        writer: Writer,
        signers: Sequence[Signer],
        now: Now = utc_now,
        new_id: NewId = new_entry_id,
    ) -> None:
        self.origin = origin
        self._builder = EntryBuilder(origin=origin, now=now, new_id=new_id)
        self.sequencer = Sequencer(origin=origin, signers=signers, now=now)
        self._writer = writer
        self._refused: str | None = None

    @property
    def writer(self) -> WriterKey:
        """Return the key that signs entries now."""
        return self._writer.current()

    def problem(self) -> str | None:
        """Return why this process can record nothing any more, if so."""
        return self._refused or self.sequencer.problem()

    def append(self, tx: Transaction, draft: Draft, *, tail: Tail | None = None) -> Built:
        """Record `draft`; it stands when `tx` does.

        `tail` is the newest entry of the run as its locked row says, `NO_TAIL` for a new run;
        without it, the newest entry is looked up.

        Raises:
            MalformedEntryError: an unknown kind, a missing field, the wrong place, too long.
            SigningKeyError: somebody ended the key of this process.
        """
        sql = TrailSql(tx)
        writer = self._writer_of(tx)
        if draft.kind in PLACE_COUNTS:
            # Writer before sequencing, here as everywhere, so that no two wait for each other.
            sql.share_writer(writer.id)
            self.sequencer.take_lock(tx)
        if tail is None:
            tail = _newest(sql, draft)
        built = self._builder.build(writer, draft, tail=tail)
        seq = self._store(tx, sql, built, [_row(*one) for one in draft.parts.items()])
        if draft.kind not in PLACE_COUNTS:  # Whoever changes keys is looked at, this process too.
            note_built(tx, built.leaf, seq)
        self.sequencer.expect(tx)
        return built

    def place_pending(self, tx: Transaction) -> None:
        """Give every committed entry its place, so that `tx` may name any of them by it.

        Nobody else places entries until `tx` ends.
        """
        TrailSql(tx).share_writer(self.writer.id)  # Before sequencing, as in `append`.
        self.sequencer.take_lock(tx)
        self.sequencer.at_end(tx)

    def keep_head(self, tx: Transaction, reason: str) -> None:
        """Keep for ever the head that `tx` will sign: `rotation`, `closing`."""
        tx.notes[KEEP_HEAD] = reason

    def ref(self, tx: Transaction, external_id: str, display: str | None = None) -> Ref:
        """Return the pseudonym of a person; one that nobody has met gets a new one.

        `display` is kept as their newest name.
        """
        return self.refs(tx, {external_id: display})[external_id]

    def refs(
        self,
        tx: Transaction,
        people: Mapping[str, str | None],
        *,
        known: Mapping[str, tuple[str, str | None]] | None = None,
    ) -> dict[str, Ref]:
        """Return the pseudonym of each of `people`, looked up in one statement; as `ref`.

        `known` is what a look in this transaction found already of all of them.
        """
        if not people:
            return {}
        sql, found = TrailSql(tx), dict[str, Ref]()
        if known is None:
            known = sql.subjects(list(people))
        for external_id, display in people.items():
            if external_id not in known:
                found[external_id] = self._meet(tx, external_id, display)
                continue
            ref, before = known[external_id]
            if display is not None and display != before:
                sql.rename(ref, display)
            found[external_id] = Ref(ref)
        return found

    def _meet(self, tx: Transaction, external_id: str, display: str | None) -> Ref:
        k = secrets.token_bytes(32)
        found = TrailSql(tx).add_subject(
            pseudonym(k, external_id), k=k, external_id=external_id, display=display
        )
        return Ref(found)

    def _writer_of(self, tx: Transaction) -> WriterKey:
        """Return the key that signs in `tx`: it is looked for once, so one key signs all of it."""
        found: WriterKey | None = tx.notes.get(WRITER)
        if found is None:
            found = tx.notes[WRITER] = self.writer
        return found

    def _store(
        self, tx: Transaction, sql: TrailSql, built: Built, parts: Sequence[PartRow]
    ) -> int | None:
        if not tx.is_sqlite:
            tx.on_failure(self._note_refusal)  # What a server refuses may be told later.
        try:
            return sql.add_entry(built.line.decode(), built.leaf, parts)
        except Exception as error:
            self._note_refusal(error)
            refusal = refusal_for(error)
            if refusal is None:
                raise
            raise refusal from error

    def _note_refusal(self, error: Exception) -> None:
        """Remember that nothing can be recorded any more; on Postgres this comes late."""
        refusal = error if isinstance(error, SigningKeyError) else refusal_for(error)
        if isinstance(refusal, SigningKeyError):
            self._refused = str(refusal)


def pseudonym(k: bytes, external_id: str) -> str:
    """Return the pseudonym that `k` gives to a person."""
    mac = hmac.new(k, external_id.encode(), "sha256").hexdigest()
    return f"s:{mac[:PSEUDONYM_HEX]}"


def _row(name: str, part: Part) -> PartRow:
    return PartRow(name, part.cls.value, part.subject, part.salt, part.value)


def _newest(sql: TrailSql, draft: Draft) -> Tail:
    found = sql.tail(draft.run) if draft.run is not None else None
    return NO_TAIL if found is None else Tail(*found)
