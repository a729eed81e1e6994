"""Values that are many lie in a file, and are found as those that are few."""

from pathlib import Path

import pytest

from storage import pile
from storage.database import Database
from storage.pile import Pile
from storage.verify import verify_database
from tests.journeys.test_full_disk import fill, small_disk
from tests.journeys.test_full_night import temporary_files_in
from tests.open_files import open_files
from tests.storage.trail import begin_trail, started
from workflows.errors import StorageUnavailableError


@pytest.fixture(autouse=True)
def few_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pile, "MOST", 3)


def put_many(values: Pile, value: bytes) -> None:
    for number in range(100):
        values.put(f"n{number}", value)


def test_the_newest_value_of_a_name_counts_wherever_the_older_one_is() -> None:
    values = Pile()
    for round_ in range(3):
        for number in range(10):
            values.put(f"n{number}", (round_, number))
    values.put("n2", "last")

    assert [values.get(f"n{number}") for number in (0, 2, 9)] == [(2, 0), "last", (2, 9)]
    assert values.get("n10") is None
    assert sorted(map(str, values.values())) == sorted(
        ["last", *(str((2, number)) for number in range(10) if number != 2)]
    )


def test_values_are_found_by_their_newest_mark() -> None:
    values = Pile()
    for number in range(10):
        values.put(f"n{number}", number, mark=str(number % 2))
    values.put("n3", "moved", mark="0")
    values.put("n9", "unmarked")

    assert dict(values.marked("1")) == {"n1": 1, "n5": 5, "n7": 7}
    assert dict(values.marked("0")) == {"n0": 0, "n2": 2, "n3": "moved", "n4": 4, "n6": 6, "n8": 8}
    assert values.marked("") == values.marked("2") == []


def test_the_file_of_a_pile_goes_with_it() -> None:
    known, values = set(open_files()), Pile()
    put_many(values, bytes(2**17))
    opened = set(open_files()) - known
    del values

    assert opened
    assert not opened & set(open_files())


def test_what_finds_no_room_says_where_there_is_none(tmp_path: Path) -> None:
    folder = tmp_path / "temporary"
    values = Pile()
    with small_disk(folder, size=2**16), temporary_files_in(folder):
        fill(folder)
        with pytest.raises(StorageUnavailableError) as full:
            put_many(values, bytes(2**17))

    assert full.value.message == "The disk of temporary files is full."


def test_a_verification_without_room_for_rows_is_one_that_could_not_be_made(
    database_url: str, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trail = begin_trail(database_url, database, tmp_path / "home")
    rita = trail.person("rita")
    trail.tell(*(started(f"r{number}", rita) for number in range(200)))
    folder = tmp_path / "temporary"
    monkeypatch.setattr(pile, "FAR", ("PRAGMA cache_size = 1", *pile.FAR))
    with small_disk(folder, size=2**16), temporary_files_in(folder):
        fill(folder)
        report = verify_database(trail.url, [trail.pin], tables=True)

    assert report.is_away
    assert (report.malformed or "").startswith("The disk of temporary files is full. ")
    assert not report.failures
