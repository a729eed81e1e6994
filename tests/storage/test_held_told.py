"""What a log tells of payloads that went in spite of a legal hold, to each verifier."""

from pathlib import Path

import pytest

from storage.database import Database
from storage.verify import verify_database
from tests.storage.held_stories import HELD_STORIES
from tests.storage.packs import Office, by_script
from tests.storage.trail import Trail, begin_trail


@pytest.fixture
def trail(database_url: str, database: Database, tmp_path: Path) -> Trail:
    return begin_trail(database_url, database, tmp_path / "home")


@pytest.mark.parametrize("name", HELD_STORIES)
def test_a_database_its_pack_and_the_file_in_it_tell_the_same(
    trail: Trail, tmp_path: Path, name: str
) -> None:
    tell, codes = HELD_STORIES[name]
    tell(trail)
    office = Office(trail, tmp_path)
    database = verify_database(trail.url, [trail.pin], now=trail.clock, processes=1)
    made = office.export()
    pack, (code, script) = office.verified(made), by_script(made.path, trail.pin)

    assert database.exit == pack.exit == code == 0
    told = [[one for one, _ in some] for some in (database.semantics, pack.semantics)]
    assert told == [codes.split(), codes.split()]
    assert [one for one, _ in script["semantics"]] == codes.split()


@pytest.mark.parametrize("start", [0, 1, 3])
def test_a_part_of_a_log_blames_no_sweep_for_what_it_does_not_show(
    trail: Trail, tmp_path: Path, start: int
) -> None:
    tell, _ = HELD_STORIES["swept, erased and swept again"]
    tell(trail)
    office = Office(trail, tmp_path)
    for end in (None, 9):
        made = office.export(f"pack-{end}", start=start, end=end)
        code, script = by_script(made.path, trail.pin)

        assert code == office.verified(made).exit == 0
        for told in (office.verified(made).semantics, script["semantics"]):
            assert not {one for one, _ in told} & {"sweep-count", "erasure-held"}


def test_a_part_that_shows_all_that_a_sweep_passed_recounts_it(
    trail: Trail, tmp_path: Path
) -> None:
    tell, _ = HELD_STORIES["swept, and more counted"]
    tell(trail)
    office = Office(trail, tmp_path)
    made = office.export(start=7)
    _, script = by_script(made.path, trail.pin)

    for told in (office.verified(made).semantics, script["semantics"]):
        assert [one for one, _ in told] == ["sweep-count"]
