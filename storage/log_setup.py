"""Begin a log, and open the one there is: which keys, which origin, and whether they belong.

Which keys the log knows is read by `enrolment`; here those of this home are held against it.
"""

import logging
from pathlib import Path

from sqlalchemy import func, select

from storage.audit_models import AuditEntryRow
from storage.checkpoint import ORIGIN
from storage.enrolment import KnownKey, LogKeys, read_keys, spelled
from storage.journal import Journal, utc_now
from storage.keys import (
    LOG_KEY,
    WRITER_KEY,
    HomeWriter,
    LogKey,
    WriterKey,
    load_key,
    load_or_create_key,
)
from storage.migrate import is_current, is_empty, require_usable, upgrade
from storage.move_marks import refuse_moved
from storage.sequencing import Now
from storage.transaction import Database
from workflows.entry import SYSTEM, Draft, Json
from workflows.errors import SigningKeyError, UnusableDatabaseError

log = logging.getLogger(__name__)

HAS_BEGUN = "This database holds a log already, so there is nothing to begin."
# What a machine types that has no key of its own, or one that was ended.
JOIN = (
    "run `interlock keys new` here, and give the line it prints to `interlock keys enrol` on a"
    " machine whose key is enrolled"
)


def init_log(
    database: Database,
    home: Path,
    *,
    origin: str,
    now: Now = utc_now,
    predecessor: dict[str, Json] | None = None,
) -> Journal:
    """Create the tables and the first keys, write `log.init`, and return the open journal.

    Interrupted, it may be called again: keys that stand in `home` are used. What to pin outside
    is `journal.sequencer.signers[0].vkey`.

    Raises:
        UnusableDatabaseError: a log has begun there already, or a bad origin.
    """
    if ORIGIN.fullmatch(origin) is None:
        raise UnusableDatabaseError(
            f"{origin!r} cannot name a log.", hint="Use a name like example.org/audit/T0ABC."
        )
    upgrade(database.engine)
    writer = WriterKey.of(load_or_create_key(home, WRITER_KEY))
    log_key = LogKey.of(load_or_create_key(home, LOG_KEY), origin)
    journal = Journal(origin=origin, writer=writer, signers=[log_key], now=now)
    data: dict[str, Json] = {
        "entry_keys": [spelled(writer.public)],
        "log_vkeys": [log_key.vkey],
    }
    if predecessor is not None:
        data["predecessor"] = predecessor
    with database.begin() as tx:
        journal.sequencer.take_lock(tx)
        if tx.connection.execute(select(func.count()).select_from(AuditEntryRow)).scalar():
            raise UnusableDatabaseError(
                HAS_BEGUN,
                hint="Go on with it (`interlock doctor` looks at it, `interlock audit head` prints"
                " the key to keep outside), or name another home folder, and another database if"
                " INTERLOCK_DATABASE_URL is set.",
            )
        journal.append(tx, Draft(kind="log.init", actor=SYSTEM, data=data))
    return Journal(origin=origin, writer=_writer(database, home), signers=[log_key], now=now)


def has_log(database: Database) -> bool:
    """Say whether a log has begun in `database`."""
    if is_empty(database.engine):
        return False
    with database.read() as connection:
        return bool(connection.execute(select(func.count()).select_from(AuditEntryRow)).scalar())


def open_journal(
    database: Database, home: Path, *, origin: str | None = None, now: Now = utc_now
) -> Journal:
    """Return the journal of the log in `database`, with the keys in `home`.

    Raises:
        UnusableDatabaseError: no log there, another schema, or another log than `origin`.
        SigningKeyError: a key is missing, foreign to this log, retired or revoked.
    """
    keys = keys_of(database)
    if not is_current(database.engine):
        log.warning("a newer release has brought the database further; finish the upgrade")
    with database.read() as connection:
        refuse_moved(connection)
    if origin is not None and keys.origin != origin:
        raise UnusableDatabaseError(
            f"The database holds the log {keys.origin}, not {origin}.",
            hint="Check INTERLOCK_ORIGIN and INTERLOCK_DATABASE_URL.",
        )
    writer = _writer(database, home)
    require_writer(keys, writer.current())
    log_key = LogKey.of(load_key(home, LOG_KEY), keys.origin)
    require_log_key(keys, log_key)
    return Journal(origin=keys.origin, writer=writer, signers=[log_key], now=now)


def keys_of(database: Database) -> LogKeys:
    """Return the keys of the log in `database`.

    Raises:
        UnusableDatabaseError: no log there, another schema, or forged entries about keys.
    """
    require_usable(database.engine)
    with database.read() as connection:
        return read_keys(connection)


def require_writer(keys: LogKeys, writer: WriterKey) -> None:
    """Return if entries of `writer` count.

    Raises:
        SigningKeyError: it was never enrolled, or was ended.
    """
    known = keys.known.get(writer.id)
    if known is None or known.role != "entry":
        raise SigningKeyError(
            f"The writer key {writer.id} is not enrolled in this log, or was ended.",
            hint=f"Bring back keys/writer.pem as it was. For a machine that joins, {JOIN}.",
        )
    if known.ended_at is not None:
        raise SigningKeyError(
            f"The writer key {writer.id} was ended: {_end(known)}.",
            hint=f"For a new one, {JOIN}.",
        )


def _writer(database: Database, home: Path) -> HomeWriter:
    return HomeWriter(home, is_enrolled=lambda one: _is_enrolled(keys_of(database), one))


def _is_enrolled(keys: LogKeys, writer: WriterKey) -> bool:
    return any(one.id == writer.id for one in keys.in_force("entry"))


def require_log_key(keys: LogKeys, log_key: LogKey) -> None:
    """Return if heads under `log_key` count.

    Raises:
        SigningKeyError: it is of another log, or was ended.
    """
    known = keys.known.get(log_key.key.id)
    if known is None or known.role != "log":
        raise SigningKeyError(
            f"The log key {log_key.key.id} does not belong to this log, or was ended.",
            hint="Bring back keys/log.pem as it was when this log began, or copy it from a machine"
            " that serves this log; docs/operations says what to do if there is no copy.",
        )
    if known.ended_at is not None:
        raise SigningKeyError(
            f"The log key {known.id} was ended: {_end(known)}.",
            hint="Copy keys/log.pem from the machine on which it was replaced.",
        )


def _end(known: KnownKey) -> str:
    return f"{known.state} by entry {known.ended_at}"
