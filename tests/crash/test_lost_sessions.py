"""A session that the server ends at any question costs a try again: nothing twice, nothing lost."""

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import pytest

from storage.database import open_database
from storage.journey import JourneyConnection
from storage.log_setup import init_log
from storage.sequencing import sequence_pending
from storage.store import SqlStore
from storage.verify import verify_database
from tests.conftest import NUMBERS, new_database
from tests.world import Clock, Working, id_of
from workflows.errors import StorageUnavailableError
from workflows.orders import Start

pytestmark = pytest.mark.slow
PARTS = 6  # Each looks at every sixth question, so that they can share the time.
BEYOND = 80

T = TypeVar("T")


class Sessions:
    """Ends the session that asks the question of that number, or loses the answer to it."""

    def __init__(self, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked, self.ends_at, self.is_answered, self.is_watching = 0, 0, False, False
        self._server = server
        wait = JourneyConnection.wait

        def waiting(driver: JourneyConnection, *args: Any, **others: Any) -> Any:  # noqa: ANN401 - as its own.
            self.asked += self.is_watching
            is_it = self.is_watching and self.asked == self.ends_at
            if is_it and not self.is_answered:
                self._end(driver)
            answer = wait(driver, *args, **others)
            if is_it and self.is_answered:
                self._end(driver)
                driver.close()
                raise psycopg.OperationalError("the connection is lost")
            return answer

        monkeypatch.setattr(JourneyConnection, "wait", waiting)

    def _end(self, driver: JourneyConnection) -> None:
        with psycopg.connect(self._server, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 10000)", [driver.info.backend_pid])


def again(do: Callable[[], T]) -> T:
    """Do what people and dispatchers do: try again when the database could not be reached."""
    try:
        return do()
    except StorageUnavailableError:
        return do()


def drive(house: Working) -> str:
    """Have a run started, approved and done; return how it stands."""
    order = Start(
        workflow="change-it",
        inputs={"by": 5},
        trigger="cli",
        person=id_of("rita"),
        key="the same start",
        channel="ops",
    )
    run = again(lambda: house.engine.start(order)).run
    again(house.sweep)
    again(lambda: house.approve(run))
    for _ in range(3):
        again(house.sweep)
        house.clock.forward(timedelta(minutes=20))
    journal = house.store.journal
    again(lambda: sequence_pending(house.store.database, journal.sequencer))
    return again(lambda: house.status(run))


@pytest.mark.parametrize("is_answered", [False, True])
@pytest.mark.parametrize("part", range(PARTS))
def test_a_session_that_ends_at_any_question_costs_a_try_again(
    *,
    postgres_server: str,
    postgres_schema: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    part: int,
    is_answered: bool,
) -> None:
    sessions = Sessions(postgres_server, monkeypatch)
    sessions.is_answered = is_answered
    seen: list[object] = []
    for number in range(part + 1, BEYOND, PARTS):
        url = new_database(postgres_server, f"lost_{next(NUMBERS)}", template=postgres_schema)
        clock = Clock()
        with closing(open_database(url)) as database:
            journal = init_log(database, tmp_path / str(number), origin="a.example/b", now=clock)
            house = Working(SqlStore(database, journal, now=clock), clock)
            sessions.asked, sessions.ends_at, sessions.is_watching = 0, number, True
            status = drive(house)
            sessions.is_watching = False
        report = verify_database(url, [], processes=1)
        waits = [words for code, words in report.unproven if code == "pending"]
        seen.append((status, len(house.world.effects), report.failures, waits))
        if sessions.asked < number:
            break

    assert seen[:-1]
    assert set(map(str, seen)) == {str(("done", 1, [], []))}
