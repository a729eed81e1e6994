"""What the owner of the database can do to it, and the name under which `verify` finds it."""

import base64
import hashlib
import importlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select

from storage.audit_models import AuditEntryRow
from storage.checkpoint import Checkpoint, NoteSigner, read_note
from storage.database import open_database
from storage.entry_bytes import body_of
from storage.sequencing import lock_number, sequence_pending
from storage.verify import Options, Report, verify_database
from storage.verify.words import FAULTS
from tests.conftest import new_database
from tests.storage.attacks import Attack, long_life
from tests.storage.catalogue import CATALOGUE
from tests.storage.copies import Original, grown
from tests.storage.forging import leaves, outcome, rewrite, stored_note, tree_of
from tests.storage.trail import ORIGIN, Trail, begin_trail, erase_person, rotate_log_key
from workflows.binding import canonical
from workflows.entry import RunId

Blank = Callable[[str], str]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def blank(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Blank:
    """Say how to make a database with the schema of this release, on both."""
    if request.param == "sqlite":
        schema = request.getfixturevalue("sqlite_schema")
        return lambda name: str(shutil.copy(schema, tmp_path_factory.mktemp(name) / "log.db"))
    server = request.getfixturevalue("postgres_server")
    schema = request.getfixturevalue("postgres_schema")
    return lambda name: new_database(server, name, template=schema)


@pytest.fixture(scope="module")
def lived(blank: Blank, tmp_path_factory: pytest.TempPathFactory) -> Original:
    return grown(blank("lived"), tmp_path_factory.mktemp("home"), long_life)


@pytest.fixture
def trail(lived: Original, tmp_path: Path) -> Iterator[Trail]:
    with lived.copied(tmp_path) as copy:
        yield copy


def verified(trail: Trail, *notes: str) -> Report:
    return verify_database(trail.url, [trail.pin], notes, now=trail.clock, processes=1)


@pytest.mark.parametrize("one", CATALOGUE, ids=lambda one: one.name)
def test_an_attack_is_named_as_what_it_is(lived: Original, tmp_path: Path, one: Attack) -> None:
    with lived.copied(tmp_path) as trail:
        one.does(trail)
        alone, against = verified(trail), verified(trail, *lived.notes)

    judged = against if one.needs_note else alone
    assert judged.exit == against.exit == (1 if one.codes else 3 if one.unproven else 0)
    assert one.codes <= judged.codes, judged.failures
    assert one.unproven <= {code for code, _text in judged.unproven}
    assert not one.needs_note or (alone.exit, alone.failures) == (0, [])
    assert judged.codes <= FAULTS.keys()
    assert bool(judged.codes) == judged.lines()[-2].startswith("First fault: ")


def test_the_first_fault_is_told_in_plain_words_with_its_entry_and_run(trail: Trail) -> None:
    change = "UPDATE audit_entry SET line = replace(line, '\"v\":1', '\"v\":2') WHERE idx IN (6, 9)"
    trail.run_sql(change)
    with trail.database.read() as connection:
        found = select(AuditEntryRow.run_id).where(AuditEntryRow.idx == 6)
        run = connection.execute(found).scalar_one()

    words = "An entry was changed after it was recorded"
    assert run is not None
    assert verified(trail).lines()[-2] == f"First fault: {words}. It is entry 6, of the run {run}."


def test_the_log_that_is_attacked_is_verified_as_long_as_nobody_touches_it(
    lived: Original, tmp_path: Path
) -> None:
    with lived.copied(tmp_path) as trail:
        report = verified(trail, *lived.notes)

    assert (report.exit, report.failures, report.unproven) == (0, [], [])
    assert (report.warnings, report.semantics) == ([], [])


def test_the_catalogue_names_every_attack_once() -> None:
    names = [one.name for one in CATALOGUE]

    assert len(set(names)) == len(names) >= 60


def test_an_outside_note_of_another_log_is_refused(trail: Trail, tmp_path: Path) -> None:
    database = open_database(str(tmp_path / "other.db"))
    other = begin_trail(str(tmp_path / "other.db"), database, tmp_path / "elsewhere")
    note = other.outside_note()
    database.close()

    assert "checkpoint-untrusted" in verified(trail, note).codes


def test_an_outside_note_with_one_letter_changed_is_refused(trail: Trail) -> None:
    note = trail.outside_note()
    root = read_note(note).checkpoint.root
    forged = note.replace(
        base64.b64encode(root).decode(), base64.b64encode(hashlib.sha256(root).digest()).decode()
    )

    assert {"root-mismatch", "checkpoint-signature"} <= verified(trail, forged).codes


def test_a_note_that_is_none_is_refused(trail: Trail) -> None:
    assert verified(trail, "hello").codes == {"checkpoint-malformed"}


def test_a_marker_hidden_by_its_columns_is_found(trail: Trail) -> None:
    erase_person(trail, "rita")
    trail.as_plain_tables()
    trail.run_sql("UPDATE audit_entry SET kind = 'service.started' WHERE kind = 'erasure'")

    assert {"index-row", "part-missing"} <= verified(trail).codes


def test_a_quick_look_finds_a_key_that_its_columns_hide(trail: Trail) -> None:
    added = trail.tells("key.add")
    trail.as_plain_tables()
    trail.run_sql("UPDATE audit_entry SET kind = 'run.started' WHERE kind = 'key.add'")
    report = verify_database(trail.url, [trail.pin], now=trail.clock, quick=True)

    assert (report.codes, report.n_failures) == ({"index-row"}, added)


@pytest.mark.parametrize("how", [{"quick": True}, {}], ids=["quick", "full"])
def test_it_does_not_matter_how_many_entries_are_met_at_once(
    trail: Trail, monkeypatch: pytest.MonkeyPatch, how: Options
) -> None:
    module = importlib.import_module("storage.verify.database_source")  # It holds one so called.
    trail.run_sql(
        "DELETE FROM audit_entry WHERE idx = 120",
        "UPDATE audit_entry SET line = replace(line, '\"v\":1', '\"v\": 1') WHERE idx = 9",
    )
    reports = []
    for together in (2, 250):
        monkeypatch.setattr(module, "TOGETHER", together)
        reports.append(verify_database(trail.url, [trail.pin], now=trail.clock, processes=1, **how))

    assert {"index-count", "leaf-mismatch", "root-mismatch"} <= reports[0].codes
    assert sorted(reports[0].failures) == sorted(reports[1].failures)
    assert reports[0].counts == reports[1].counts
    assert reports[0].lines()[-2:] == reports[1].lines()[-2:]


def test_a_rotation_that_the_old_key_did_not_sign_is_not_followed(trail: Trail) -> None:
    fresh = rotate_log_key(trail)
    tree = tree_of(leaves(trail)[:-1])
    alone = NoteSigner([fresh]).sign(Checkpoint(ORIGIN, tree.size, tree.root()))
    trail.run_sql(
        f"UPDATE audit_checkpoint SET note = '{alone}' WHERE size = {tree.size}",
    )

    assert verified(trail).codes == {"checkpoint-untrusted"}


def test_a_bad_second_line_rejects_a_rotation_head(trail: Trail) -> None:
    fresh = rotate_log_key(trail)
    tree = tree_of(leaves(trail)[:-1])
    note = stored_note(trail, tree.size)
    line = note.splitlines()[-1]
    broken = line[:-9] + ("A" if line[-9] != "A" else "B") + line[-8:]
    trail.run_sql(
        f"UPDATE audit_checkpoint SET note = replace(note, '{line}', '{broken}')"
        f" WHERE size = {tree.size}"
    )

    assert fresh.key.name in line
    assert "checkpoint-signature" in verified(trail).codes


def test_a_line_that_is_no_text_is_told_without_a_crash(trail: Trail) -> None:
    trail.as_plain_tables()
    if trail.database.dialect == "sqlite":
        trail.run_sql("UPDATE audit_entry SET line = x'ff00fe' WHERE idx = 4")
    else:
        trail.run_sql("UPDATE audit_entry SET line = 'no json' WHERE idx = 4")

    assert {"not-canonical", "leaf-mismatch"} <= verified(trail).codes


def test_a_place_that_is_no_number_is_told_without_a_crash(trail: Trail) -> None:
    trail.as_plain_tables()
    misplace = "UPDATE audit_entry SET idx = 'last' WHERE idx = 100"
    if trail.database.dialect != "sqlite":
        with pytest.raises(psycopg.DataError):  # A server keeps to the types of its columns.
            trail.run_sql(misplace)
        return
    trail.run_sql(misplace)

    assert {"index-count", "tree-state"} <= verified(trail).codes


def test_the_rewritten_line_is_a_proper_one(trail: Trail) -> None:
    rewrite(trail, 6, outcome("failed"), writer=trail.journal.writer)
    line = trail.line(6).encode()

    assert json.loads(line)["run"] == RunId("r1")
    assert canonical({k: v for k, v in json.loads(line).items() if k != "sig"}) == body_of(line)


def test_an_entry_deleted_before_it_had_a_place_breaks_its_run(trail: Trail) -> None:
    if trail.database.dialect == "sqlite":
        pytest.skip("On SQLite no entry is ever without a place.")
    with psycopg.connect(trail.url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (lock_number(ORIGIN),))
        trail.run("r8")
        trail.run_sql("DELETE FROM audit_entry WHERE run_id = 'r8' AND kind = 'approval.granted'")
        # Closing alone does not wait until the server has let go.
        other.execute("SELECT pg_advisory_unlock(%s)", (lock_number(ORIGIN),))
    sequence_pending(trail.database, trail.journal.sequencer)

    assert verified(trail).codes == {"run-sequence", "run-chain"}
