"""A server that has lost the newest commits is noticed by the processes that saw them."""

from contextlib import closing, suppress
from pathlib import Path

import pytest
from sqlalchemy import make_url

from storage.database import Database, open_database
from storage.journal import Journal
from storage.log_setup import init_log
from storage.sequencing import sequence_pending
from tests.conftest import NUMBERS, new_database
from workflows.entry import SYSTEM, Draft
from workflows.errors import UnusableDatabaseError


def append(database: Database, journal: Journal) -> None:
    with database.begin() as tx:
        data = {"release": "1", "size": 1, "root": "", "last": None}
        journal.append(tx, Draft(kind="service.started", actor=SYSTEM, data=data))


def place_and_fail(database: Database, journal: Journal) -> None:
    """Give an entry its place in a unit that is not kept."""
    with suppress(LookupError), database.begin() as tx:
        data = {"release": "1", "size": 1, "root": "", "last": None}
        journal.append(tx, Draft(kind="service.started", actor=SYSTEM, data=data))
        journal.place_pending(tx)
        raise LookupError


def test_a_log_that_is_shorter_than_it_was_is_refused_and_the_process_ends(
    postgres_url: str, postgres_server: str, tmp_path: Path
) -> None:
    with closing(open_database(postgres_url)) as primary:
        journal = init_log(primary, tmp_path, origin="interlock.example/audit/T0ABC")
        append(primary, journal)
    name = str(make_url(postgres_url).database)
    behind = new_database(postgres_server, f"behind_{next(NUMBERS)}", template=name)
    with closing(open_database(postgres_url)) as primary:
        place_and_fail(primary, journal)
        sequence_pending(primary, journal.sequencer)
        assert journal.problem() is None
        append(primary, journal)
    with closing(open_database(behind)) as standby:
        with pytest.raises(UnusableDatabaseError, match=r"had 3 entries .* has 2 now"):
            append(standby, journal)
        with pytest.raises(UnusableDatabaseError, match="effects it has forgotten"):
            sequence_pending(standby, journal.sequencer)

    assert "older copy" in str(journal.problem())
