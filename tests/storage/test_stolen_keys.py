"""What a verifier says when somebody with stolen keys wrote a history and signed it again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from storage.checkpoint import read_note, read_vkey
from storage.database import open_database
from storage.heads import first_kept, show_head
from storage.journal import Journal
from storage.key_changes import KeyOffice
from storage.keys import LogKey
from storage.log_setup import init_log, open_journal
from storage.transaction import Database
from storage.verify import Report, verify_database
from tests.storage.machines import RITA, tell
from tests.storage.trail import ORIGIN, outside

OTHER = outside("hold.lifted", {"hold": "h", "reason": "forged"})


class Theft:
    """The true log, and the history that a thief wrote with the same keys."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.true, self.forged = str(folder / "true.db"), str(folder / "forged.db")
        self.database, journal = self._began(self.true, self.home)
        self.pin = journal.sequencer.signers[0].vkey
        self.journal = journal

    def _began(self, url: str, home: Path) -> tuple[Database, Journal]:
        database = open_database(url)
        return database, init_log(database, home, origin=ORIGIN)

    def grows(self, by: int) -> None:
        for _ in range(by):
            tell(self.database, self.journal)

    def head(self) -> str:
        """Return the newest head of the true log, as somebody outside keeps it."""
        with self.database.begin() as tx:
            return show_head(tx).note

    def happens(self, *, entries: int) -> None:
        """Write the whole history anew, under the stolen keys."""
        database, journal = self._began(self.forged, self.home)
        for _ in range(entries):
            tell(database, journal, OTHER)
        database.close()

    def verified(self, url: str, *notes: str) -> Report:
        return verify_database(url, [self.pin], notes, processes=1)


@pytest.fixture
def theft(tmp_path: Path) -> Iterator[Theft]:
    made = Theft(tmp_path)
    yield made
    made.database.close()


def unproven(report: Report) -> set[str]:
    return {code for code, _text in report.unproven}


@pytest.mark.parametrize(
    ("entries", "codes"), [(8, {"root-mismatch"}), (2, {"truncated"})], ids=["longer", "shorter"]
)
def test_a_history_signed_again_shows_against_a_head_from_outside_and_only_there(
    theft: Theft, entries: int, codes: set[str]
) -> None:
    theft.grows(4)
    anchor = theft.head()
    theft.happens(entries=entries)

    assert theft.verified(theft.forged).exit == 0
    assert theft.verified(theft.forged, anchor).codes == codes
    assert theft.verified(theft.true, anchor).exit == 0


def test_heads_above_the_theft_are_unproven_once_the_log_key_is_revoked(theft: Theft) -> None:
    theft.grows(4)
    before = theft.head()
    theft.grows(3)
    after = theft.head()
    stolen = read_vkey(theft.pin).id
    office = KeyOffice(theft.database, theft.journal, person=RITA)
    office.rotate_log(theft.home)
    theft.journal = open_journal(theft.database, theft.home)
    office = KeyOffice(theft.database, theft.journal, person=RITA)
    office.revoke(stolen, since=read_note(before).checkpoint.size)
    theft.grows(1)
    report = theft.verified(theft.true, before, after)
    fresh = verify_database(theft.true, [theft.pin, theft.journal.sequencer.signers[0].vkey])

    assert (report.exit, unproven(report)) == (3, {"revoked-window"})
    assert {text.partition(" is signed")[0] for _code, text in report.unproven} == {
        "The stored note at 8",
        "The given note 2",
    }
    assert (fresh.exit, unproven(fresh)) == (3, {"revoked-window"})


def test_a_head_with_the_line_of_the_second_key_stays_good(theft: Theft) -> None:
    office = KeyOffice(theft.database, theft.journal, person=RITA)
    second = LogKey.of(Ed25519PrivateKey.generate(), ORIGIN)
    added = office.add_second(second)
    with theft.database.read() as connection:
        size, both = first_kept(connection, after=added.key.added_at)
    stolen = read_vkey(theft.pin).id
    office.rotate_log(theft.home)
    theft.journal = open_journal(theft.database, theft.home)
    KeyOffice(theft.database, theft.journal, person=RITA).revoke(stolen, since=1)
    report = verify_database(theft.true, [theft.pin, second.vkey], [both], processes=1)

    assert size == 2
    assert unproven(report) <= {"revoked-window"}
    assert not any("The given note" in text for _code, text in report.unproven)
