"""The key that signs heads is replaced; whoever pinned the first one can follow."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from storage.checkpoint import read_note, read_vkey, signature_line
from storage.database import Database
from storage.heads import add_lines, first_kept, head
from storage.journal import Journal
from storage.key_changes import KeyOffice
from storage.keys import LOG_KEY, NEXT_LOG_KEY, LogKey, save_key
from storage.log_setup import keys_of, open_journal
from storage.verify import verify_database
from tests.storage.machines import RITA, tell, two_machines, verified
from workflows.errors import SigningKeyError


def test_another_log_key_signs_heads_and_the_oldest_pin_follows(
    database_url: str, database: Database, home: Path, office: KeyOffice, journal: Journal
) -> None:
    change = office.rotate_log(home)
    after = open_journal(database, home)
    tell(database, after)
    old = read_vkey(journal.sequencer.signers[0].vkey).id
    KeyOffice(database, after, person=RITA).retire(old)
    tell(database, after)
    with database.read() as connection:
        kept = connection.execute(
            text("SELECT size, note FROM audit_checkpoint WHERE kept_because = 'rotation'")
        ).one()

    assert change.key.id == read_vkey(after.sequencer.signers[0].vkey).id != old
    assert (kept.size, len(read_note(kept.note).lines)) == (2, 2)
    assert verified(database_url, journal).exit == 0
    assert verify_database(database_url, [after.sequencer.signers[0].vkey]).codes == {
        "checkpoint-untrusted"
    }
    assert (home / "keys" / f"log-{old}.pem").exists()


@pytest.mark.parametrize("step", ["key made", "added"])
def test_a_rotation_of_the_log_key_cut_short_goes_on(
    database_url: str,
    database: Database,
    home: Path,
    office: KeyOffice,
    journal: Journal,
    step: str,
) -> None:
    if step == "added":
        office.rotate_log(home)
        keys = home / "keys"
        (keys / LOG_KEY).rename(keys / NEXT_LOG_KEY)
        next(keys.glob("log-????????????????.pem")).rename(keys / LOG_KEY)
    else:
        save_key(home, NEXT_LOG_KEY, Ed25519PrivateKey.generate())
    begun = open_journal(database, home)
    KeyOffice(database, begun, person=RITA).rotate_log(home)
    tell(database, begun)

    assert len(keys_of(database).in_force("log")) == 2
    assert not (home / "keys" / NEXT_LOG_KEY).exists()
    assert verified(database_url, journal).exit == 0


def test_a_second_key_in_no_file_signs_the_first_head_over_its_own_entry(
    database_url: str, database: Database, office: KeyOffice, journal: Journal
) -> None:
    second = LogKey.of(Ed25519PrivateKey.generate(), journal.origin)
    added, again = office.add_second(second), office.add_second(second)
    tell(database, journal)
    with database.read() as connection:
        size, note = first_kept(connection, after=added.key.added_at)
        newest = read_note(head(connection).note)

    assert (added.is_new, again.is_new) == (True, False)
    assert size == added.key.added_at + 1
    assert len(read_note(note).lines) == 2
    assert len(newest.lines) == 1
    assert verified(database_url, journal).exit == 0


def test_a_false_line_of_the_second_key_rejects_its_head(
    database_url: str, database: Database, office: KeyOffice, journal: Journal
) -> None:
    second = LogKey.of(Ed25519PrivateKey.generate(), journal.origin)
    added = office.add_second(second)
    with database.begin() as tx:
        false = signature_line(second.key, second.sign(b"something else"))
        add_lines(tx, added.key.added_at + 1, false)

    assert verified(database_url, journal).codes == {"checkpoint-signature"}


def test_on_postgres_a_machine_with_an_ended_log_key_signs_no_head(
    postgres_url: str, tmp_path: Path
) -> None:
    database, other, (office, owner) = two_machines(postgres_url, tmp_path)
    first_pin = owner.sequencer.signers[0].vkey
    tell(other, owner)
    office.rotate_log(tmp_path / "first")
    tell(other, owner)
    office.retire(read_vkey(first_pin).id)
    with pytest.raises(SigningKeyError, match=r"log key .* of this process was ended"):
        tell(other, owner)
    assert "was ended" in str(owner.problem())
    with pytest.raises(SigningKeyError, match="was ended: retired") as refused:
        open_journal(other, tmp_path / "second")

    assert "Copy keys/log.pem" in refused.value.hint
    assert verify_database(postgres_url, [first_pin], processes=1).exit == 0
    database.close()
    other.close()
