"""Machines that share a log, for tests of their keys."""

import threading
from pathlib import Path

import psycopg

from storage.database import Database, open_database
from storage.journal import Journal
from storage.key_changes import KeyOffice
from storage.key_request import KeyRequest, request_for
from storage.keys import LOG_KEY, WRITER_KEY, WriterKey, load_key, save_key
from storage.log_setup import init_log, keys_of, open_journal
from storage.new_writer import writer_to_enrol
from storage.verify import Report, verify_database
from tests.storage.trail import ORIGIN, outside
from workflows.entry import Draft
from workflows.people import PersonId

RITA = PersonId("os:rita")
FACT = outside("access.read", {"what": "runs", "n": 1})


def asked(home: Path, holder: str = "worker-2") -> KeyRequest:
    return request_for(WriterKey.of(load_key(home, WRITER_KEY)), origin=ORIGIN, holder=holder)


def tell(database: Database, journal: Journal, draft: Draft = FACT) -> None:
    with database.begin() as tx:
        journal.append(tx, draft)


def verified(url: str, journal: Journal) -> Report:
    return verify_database(url, [journal.sequencer.signers[0].vkey], processes=1)


def two_machines(url: str, tmp_path: Path) -> tuple[Database, Database, tuple[KeyOffice, Journal]]:
    """Begin a log on one machine and bring in another; return both and the second's journal."""
    database, other = open_database(url), open_database(url)
    first, second = tmp_path / "first", tmp_path / "second"
    journal = init_log(database, first, origin=ORIGIN)
    save_key(second, LOG_KEY, load_key(first, LOG_KEY))
    writer_to_enrol(second, keys_of(database))
    office = KeyOffice(database, journal, person=RITA)
    office.enrol(asked(second))
    return database, other, (office, open_journal(other, second))


def wait_until_somebody_waits(url: str) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    pause = threading.Event()
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute(waiting).fetchone() == (0,):
            pause.wait(0.05)
