"""One entry, explained: each thing about it is checked, and what is wrong is said."""

import json
from pathlib import Path

import pytest

from storage.database import Database
from storage.explained import Explained, explain_entry
from tests.storage.forging import outcome, rewrite
from tests.storage.trail import Trail, begin_trail, erase_person, rotate_writer
from workflows.binding import canonical
from workflows.errors import EvidenceError, UnusableDatabaseError


@pytest.fixture
def trail(database_url: str, database: Database, home: Path) -> Trail:
    made = begin_trail(database_url, database, home)
    made.run("r1")
    return made


def explained(trail: Trail, index: int) -> Explained:
    with trail.database.read() as connection:
        return explain_entry(connection, index)


def test_every_entry_of_a_good_log_holds(trail: Trail) -> None:
    erase_person(trail, "rita")
    rotate_writer(trail)
    found = [explained(trail, index) for index in range(10)]

    assert all(one.holds for one in found)
    assert found[4].before == 3
    assert [*found[4].bound] == [2, 3]
    assert [(one.name, one.is_held, one.gone_by) for one in found[1].parts] == [
        ("message", False, 7)
    ]


def test_an_entry_that_was_changed_does_not_hold(trail: Trail) -> None:
    rewrite(trail, 3, outcome("x"), writer=trail.journal.writer)
    found = explained(trail, 3)

    assert found.is_signed
    assert not found.is_proven
    assert not explained(trail, 4).is_chained


def test_a_payload_that_was_exchanged_does_not_hold(trail: Trail) -> None:
    trail.run_sql("UPDATE audit_part SET body = salt WHERE name = 'message'")
    found = explained(trail, 1)

    assert not found.holds
    assert not found.parts[0].is_original


def test_a_payload_that_is_missing_does_not_hold(trail: Trail) -> None:
    trail.run_sql("DELETE FROM audit_part WHERE name = 'message'")

    assert not explained(trail, 1).holds


@pytest.mark.parametrize(
    "line",
    ['"ts":"yesterday"', '"actor":[]', '"data":"x"', '"data":[]', '"parts":[]'],
)
def test_an_entry_of_another_shape_is_refused_in_a_sentence(trail: Trail, line: str) -> None:
    changed = canonical({**json.loads(trail.line(3)), **json.loads(f"{{{line}}}")}).decode()
    trail.as_plain_tables()
    trail.run_sql(f"UPDATE audit_entry SET line = '{changed}' WHERE idx = 3")
    with pytest.raises(EvidenceError, match="cannot be read: Entry 3") as refused:
        explained(trail, 3)

    assert "run `interlock audit verify`" in refused.value.hint


def test_a_head_that_cannot_be_read_is_refused_in_a_sentence(trail: Trail) -> None:
    trail.run_sql("UPDATE audit_checkpoint SET note = 'x'")

    with pytest.raises(UnusableDatabaseError, match="A head of the log cannot be read"):
        explained(trail, 3)


def test_a_log_whose_heads_are_gone_is_not_told_to_begin(trail: Trail) -> None:
    trail.run_sql("DELETE FROM audit_checkpoint")
    with pytest.raises(UnusableDatabaseError, match="has no head") as refused:
        explained(trail, 3)

    assert "run `interlock audit verify`" in refused.value.hint


def test_nothing_is_recorded_over_a_tree_that_cannot_be_read(trail: Trail) -> None:
    trail.run_sql("UPDATE audit_tree SET size = 3")

    with pytest.raises(UnusableDatabaseError, match="The stored tree of hashes cannot be read"):
        trail.run("r2")


def test_an_entry_that_is_not_there_is_said(trail: Trail) -> None:
    with pytest.raises(EvidenceError, match="no entry 99"):
        explained(trail, 99)
