"""Writer keys come in, are replaced and end; what they signed is judged by the verifier."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from storage.checkpoint import read_vkey
from storage.database import Database, open_database
from storage.enrolment import read_keys, spelled
from storage.journal import Journal
from storage.key_changes import KeyOffice
from storage.key_request import read_request, request_for
from storage.keys import (
    LOG_KEY,
    NEXT_WRITER_KEY,
    WRITER_KEY,
    WriterKey,
    load_key,
    save_key,
)
from storage.log_setup import keys_of, open_journal
from storage.new_writer import writer_to_enrol
from tests.storage.machines import (
    FACT,
    RITA,
    asked,
    tell,
    two_machines,
    verified,
    wait_until_somebody_waits,
)
from tests.storage.trail import ORIGIN, outside
from workflows.errors import SigningKeyError, UnusableDatabaseError


def nothing() -> None:
    """Pause for nobody."""


@pytest.fixture
def second_home(tmp_path: Path, database: Database, home: Path, journal: Journal) -> Path:
    """Give the home of a machine that has the log key and a writer key of its own."""
    second = tmp_path / "second"
    save_key(second, LOG_KEY, load_key(home, LOG_KEY))
    writer_to_enrol(second, keys_of(database))
    assert journal.origin
    return second


@pytest.fixture
def second_database(database_url: str, database: Database) -> Iterator[Database]:
    """Give the database as another process sees it; on SQLite only one process writes."""
    if database.dialect == "sqlite":
        yield database
        return
    opened = open_database(database_url)
    yield opened
    opened.close()


def test_entries_of_an_enrolled_machine_verify(
    database_url: str, database: Database, office: KeyOffice, second_home: Path
) -> None:
    change = office.enrol(read_request(str(asked(second_home))))
    second = open_journal(database, second_home)
    tell(database, second)

    assert change.is_new
    assert change.key.holder == "worker-2"
    assert second.writer.id == change.key.id
    assert verified(database_url, second).exit == 0


def test_enrolling_again_changes_nothing(office: KeyOffice, second_home: Path) -> None:
    first, again = office.enrol(asked(second_home)), office.enrol(asked(second_home))

    assert (first.is_new, again.is_new) == (True, False)
    assert first.key == again.key


def test_a_machine_that_was_not_enrolled_is_told_what_to_type_where(
    database: Database, second_home: Path
) -> None:
    with pytest.raises(SigningKeyError, match="not enrolled") as refused:
        open_journal(database, second_home)

    assert "run `interlock keys new` here" in refused.value.hint
    assert "`interlock keys enrol` on a machine whose key is enrolled" in refused.value.hint


def test_entries_of_a_key_that_nobody_enrolled_do_not_verify(
    database_url: str, database: Database, journal: Journal
) -> None:
    stranger = WriterKey.of(Ed25519PrivateKey.generate())
    signers = journal.sequencer.signers
    tell(database, Journal(origin=ORIGIN, writer=stranger, signers=signers))

    assert verified(database_url, journal).codes == {"entry-key"}


def test_a_proof_for_another_log_enrols_nothing(office: KeyOffice, second_home: Path) -> None:
    writer = WriterKey.of(load_key(second_home, WRITER_KEY))
    foreign = request_for(writer, origin="other.example/audit", holder="worker-2")

    with pytest.raises(SigningKeyError, match="does not prove"):
        office.enrol(foreign)


@pytest.mark.parametrize("line", ["", "writer-key:a:b", "writer-key:a b:c:d", "x:worker:AAAA:BBBB"])
def test_a_line_that_is_none_is_refused(line: str) -> None:
    with pytest.raises(SigningKeyError, match="no line of"):
        read_request(line)


def test_a_line_broken_by_a_chat_is_read_all_the_same(second_home: Path) -> None:
    line = str(asked(second_home))

    assert read_request(f" {line[:40]}\n {line[40:]}\n") == asked(second_home)


def test_a_key_written_into_the_database_alone_is_no_key(
    database: Database,
    office: KeyOffice,
    second_home: Path,
    journal: Journal,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert office is not None
    request = asked(second_home)
    data = {
        "role": "entry",
        "pk": spelled(request.public),
        "pop": request.proof,
        "holder": "mallory",
    }
    mallory = WriterKey.of(Ed25519PrivateKey.generate())
    forger = Journal(origin=ORIGIN, writer=mallory, signers=journal.sequencer.signers)
    with pytest.raises(UnusableDatabaseError, match="no enrolled key signed it"):
        tell(database, forger, outside("key.add", data))
    monkeypatch.setattr("storage.sequencing.admit", lambda *_: None)  # As releases before did.
    tell(database, forger, outside("key.add", data))

    with pytest.raises(UnusableDatabaseError, match="no enrolled key signed it"):
        open_journal(database, second_home)


def test_a_retired_key_is_refused_and_what_it_signed_stays_good(
    database_url: str, database: Database, office: KeyOffice, second_home: Path
) -> None:
    office.enrol(asked(second_home))
    second = open_journal(database, second_home)
    tell(database, second)
    change = office.retire(second.writer.id)

    assert change.key.state == "retired"
    assert verified(database_url, second).exit == 0
    with pytest.raises(SigningKeyError, match="was ended: retired") as refused:
        open_journal(database, second_home)
    assert "run `interlock keys new` here" in refused.value.hint


def test_a_revoked_key_leaves_its_entries_unproven(
    database_url: str, database: Database, office: KeyOffice, second_home: Path
) -> None:
    change = office.enrol(asked(second_home))
    second = open_journal(database, second_home)
    tell(database, second)
    revoked = office.revoke(second.writer.id, since=change.key.added_at)
    report = verified(database_url, second)

    assert revoked.key.state == "revoked"
    assert report.exit == 3
    assert {code for code, _ in report.unproven} == {"revoked-window"}


def test_a_retired_key_may_still_be_revoked(office: KeyOffice, second_home: Path) -> None:
    key = office.enrol(asked(second_home)).key
    office.retire(key.id)
    revoked = office.revoke(key.id, since=1)
    again = office.revoke(key.id, since=1)

    assert (revoked.is_new, revoked.key.state) == (True, "revoked")
    assert again.is_new is False
    assert office.revoke(key.id, since=2).key.revoked_from == 1
    with pytest.raises(SigningKeyError, match="was revoked from 1 on"):
        office.revoke(key.id, since=0)  # Nothing would be doubtful that was not.


def test_an_ended_key_is_never_enrolled_again(
    database: Database, office: KeyOffice, second_home: Path
) -> None:
    old = office.enrol(asked(second_home)).key
    office.retire(old.id)
    with pytest.raises(SigningKeyError, match="for ever"):
        office.enrol(asked(second_home))
    fresh = writer_to_enrol(second_home, keys_of(database))
    office.enrol(asked(second_home))

    assert fresh.id != old.id
    assert open_journal(database, second_home).writer.id == fresh.id
    assert (second_home / "keys" / f"writer-{old.id}.pem").exists()


def test_the_key_in_use_is_not_ended_from_here(office: KeyOffice, journal: Journal) -> None:
    with pytest.raises(SigningKeyError, match="this machine signs entries") as refused:
        office.retire(journal.writer.id)
    with pytest.raises(SigningKeyError, match="this machine signs heads"):
        office.retire(read_vkey(journal.sequencer.signers[0].vkey).id)

    assert "keys rotate" in refused.value.hint


def test_a_key_that_nobody_knows_cannot_be_ended(office: KeyOffice) -> None:
    with pytest.raises(SigningKeyError, match="knows no key"):
        office.retire("0" * 16)


def test_nothing_can_be_doubtful_beyond_the_end_of_the_log(
    office: KeyOffice, second_home: Path
) -> None:
    key = office.enrol(asked(second_home)).key

    with pytest.raises(SigningKeyError, match="has 2 entries"):
        office.revoke(key.id, since=3)


def test_a_rotation_brings_a_new_key_and_ends_the_old_one(
    database_url: str, database: Database, home: Path, office: KeyOffice, journal: Journal
) -> None:
    old = journal.writer.id
    change = office.rotate(home, holder="first", pause=nothing)
    after = open_journal(database, home)
    tell(database, after)
    with database.read() as connection:
        keys = read_keys(connection)

    assert after.writer.id == journal.writer.id == change.key.id != old
    assert keys.known[old].state == "retired"
    assert not (home / "keys" / NEXT_WRITER_KEY).exists()
    assert verified(database_url, after).exit == 0


def test_another_process_of_the_home_follows_a_rotation(
    database_url: str,
    second_database: Database,
    home: Path,
    office: KeyOffice,
    journal: Journal,
) -> None:
    sibling = open_journal(second_database, home)
    old = journal.writer.id
    office.rotate(home, holder="first", pause=lambda: tell(second_database, sibling))
    tell(second_database, sibling)

    assert sibling.writer.id == journal.writer.id != old
    assert sibling.problem() is None
    assert verified(database_url, sibling).exit == 0


def test_a_file_with_a_foreign_key_is_not_followed(
    database: Database, home: Path, journal: Journal
) -> None:
    running, before = open_journal(database, home), journal.writer.id
    (home / "keys" / WRITER_KEY).unlink()
    save_key(home, WRITER_KEY, Ed25519PrivateKey.generate())

    assert running.writer.id == before


class PowerCutError(Exception):
    """The end of the process."""


def cut() -> None:
    raise PowerCutError


@pytest.mark.parametrize("step", ["key made", "enrolled", "kept", "switched"])
def test_a_rotation_cut_short_goes_on(
    database_url: str,
    database: Database,
    home: Path,
    office: KeyOffice,
    journal: Journal,
    step: str,
) -> None:
    old = journal.writer.id
    if step == "switched":
        with pytest.raises(PowerCutError):
            office.rotate(home, holder="first", pause=cut)
    else:
        cut_before_the_switch(home, office, step)
    begun = open_journal(database, home)
    KeyOffice(database, begun, person=RITA).rotate(home, holder="first", pause=nothing)
    after = open_journal(database, home)
    tell(database, after)
    with database.read() as connection:
        keys = read_keys(connection)

    assert [one.id for one in keys.in_force("entry")] == [after.writer.id]
    assert len(keys.known) == 3  # The log key, the old writer key, the new one.
    assert after.writer.id != old
    assert verified(database_url, after).exit == 0


def cut_before_the_switch(home: Path, office: KeyOffice, step: str) -> None:
    save_key(home, NEXT_WRITER_KEY, Ed25519PrivateKey.generate())
    fresh = WriterKey.of(load_key(home, NEXT_WRITER_KEY))
    if step != "key made":
        office.enrol(request_for(fresh, origin=ORIGIN, holder="first"))
    if step == "kept":
        old = WriterKey.of(load_key(home, WRITER_KEY))
        (home / "keys" / f"writer-{old.id}.pem").hardlink_to(home / "keys" / WRITER_KEY)


def test_on_postgres_a_running_owner_of_an_ended_key_is_refused(
    postgres_url: str, tmp_path: Path
) -> None:
    database, other, second = two_machines(postgres_url, tmp_path)
    office, owner = second
    tell(other, owner)
    office.retire(owner.writer.id)
    with pytest.raises(SigningKeyError, match="ended while it ran"):
        tell(other, owner)

    assert "ended while it ran" in str(owner.problem())
    assert verified(postgres_url, owner).exit == 0
    database.close()
    other.close()


def test_on_postgres_an_end_waits_for_entries_that_are_under_way(
    postgres_url: str, tmp_path: Path
) -> None:
    database, other, (office, owner) = two_machines(postgres_url, tmp_path)
    with ThreadPoolExecutor(1) as pool, other.begin() as tx:
        owner.append(tx, FACT)
        tx.connection.execute(text("SELECT 1"))  # With it the entry goes to the server.
        ending = pool.submit(office.retire, owner.writer.id)
        wait_until_somebody_waits(postgres_url)
        assert not ending.done()
        tx.connection.execute(text("SELECT 1"))

    assert ending.result().key.state == "retired"
    report = verified(postgres_url, owner)
    assert (report.exit, report.counts["entries"]) == (0, 4)
    database.close()
    other.close()


def test_on_postgres_an_entry_whose_key_ends_before_it_is_sent_is_refused(
    postgres_url: str, tmp_path: Path
) -> None:
    database, other, (office, owner) = two_machines(postgres_url, tmp_path)

    def append_too_late() -> None:
        with other.begin() as tx:
            owner.append(tx, FACT)
            office.retire(owner.writer.id)

    with pytest.raises(SigningKeyError):
        append_too_late()

    assert owner.problem() is not None
    assert verified(postgres_url, owner).exit == 0
    database.close()
    other.close()
