"""Begin a log, and open the one there is: which keys, which origin, and whether they belong.

Entries that enrol or end a key are obeyed here; no subcommand writes them yet.
"""

import base64
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from storage.audit_models import AuditEntryRow
from storage.checkpoint import ORIGIN, key_id, read_vkey
from storage.entry_bytes import read_line
from storage.journal import Journal, utc_now
from storage.keys import LOG_KEY, WRITER_KEY, LogKey, WriterKey, load_key, load_or_create_key
from storage.migrate import is_current, upgrade
from storage.sequencing import Now
from storage.transaction import Database
from workflows.entry import SYSTEM, Draft, Json
from workflows.errors import SigningKeyError, UnusableDatabaseError

KEY_KINDS = ("key.add", "key.retire", "key.revoke")


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
        "entry_keys": [base64.b64encode(writer.public).decode()],
        "log_vkeys": [log_key.vkey],
    }
    if predecessor is not None:
        data["predecessor"] = predecessor
    with database.begin() as tx:
        journal.sequencer.take_lock(tx)
        if tx.connection.execute(select(func.count()).select_from(AuditEntryRow)).scalar():
            raise UnusableDatabaseError(
                "This database holds a log already.", hint="Open it, or begin in an empty one."
            )
        journal.append(tx, Draft(kind="log.init", actor=SYSTEM, data=data))
    return journal


def open_journal(
    database: Database, home: Path, *, origin: str | None = None, now: Now = utc_now
) -> Journal:
    """Return the journal of the log in `database`, with the keys in `home`.

    Raises:
        UnusableDatabaseError: no log there, another schema, or another log than `origin`.
        SigningKeyError: a key is missing, foreign to this log, retired or revoked.
    """
    if not is_current(database.engine):
        raise UnusableDatabaseError(
            "The database has another schema than this release.", hint="Run `interlock migrate`."
        )
    with database.read() as connection:
        first, changes = _key_entries(connection)
    if origin is not None and first["log"] != origin:
        raise UnusableDatabaseError(
            f"The database holds the log {first['log']}, not {origin}.",
            hint="Check INTERLOCK_ORIGIN and INTERLOCK_DATABASE_URL.",
        )
    return _journal(home, first, changes, now=now)


def verifier_keys(connection: Connection) -> list[str]:
    """Return every verifier key that the log names, the first one first, ended ones too."""
    first, changes = _key_entries(connection)
    added = [one["data"]["vkey"] for one in changes if one["data"].get("role") == "log"]
    return [*first["data"]["log_vkeys"], *added]


def _journal(
    home: Path, first: dict[str, Any], changes: list[dict[str, Any]], *, now: Now
) -> Journal:
    origin = first["log"]
    writer = WriterKey.of(load_key(home, WRITER_KEY))
    log_key = LogKey.of(load_key(home, LOG_KEY), origin)
    writers, vkeys = _enrolled(first, changes)
    if base64.b64encode(writer.public).decode() not in writers:
        raise SigningKeyError(
            f"The writer key {writer.id} is not enrolled in this log, or was ended.",
            hint="Bring back keys/writer.pem as it was when this log began; docs/operations says"
            " what to do if there is no copy.",
        )
    if log_key.vkey not in vkeys:
        raise SigningKeyError(
            f"The log key {log_key.key.id} does not belong to this log, or was ended.",
            hint="Bring back keys/log.pem as it was when this log began; docs/operations says what"
            " to do if there is no copy.",
        )
    return Journal(origin=origin, writer=writer, signers=[log_key], now=now)


def _key_entries(connection: Connection) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    lines = connection.execute(
        select(AuditEntryRow.line)
        .where(AuditEntryRow.run_id.is_(None), AuditEntryRow.kind.in_(("log.init", *KEY_KINDS)))
        .order_by(AuditEntryRow.idx)
    ).scalars()
    entries = [read_line(line.encode()) for line in lines]
    if not entries or entries[0]["kind"] != "log.init":
        raise UnusableDatabaseError(
            "The database holds no log yet.", hint="Begin one with `interlock init`."
        )
    return entries[0], entries[1:]


def _enrolled(first: dict[str, Any], changes: list[dict[str, Any]]) -> tuple[set[str], set[str]]:
    """Return the writer keys and the verifier keys in force."""
    writers, vkeys = set(first["data"]["entry_keys"]), set(first["data"]["log_vkeys"])
    ended = set()
    for change in changes:
        data = change["data"]
        if change["kind"] != "key.add":
            ended.add(data["id"])
        elif data["role"] == "log":
            vkeys.add(data["vkey"])
        else:
            writers.add(data["pk"])
    return (
        {one for one in writers if key_id(base64.b64decode(one)) not in ended},
        {one for one in vkeys if read_vkey(one).id not in ended},
    )
