"""What takes long to remove goes in portions, and what takes long to find is found before."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from storage.message_models import OutboxRecord, ThreadMessageRecord
from storage.outbox_values import OutboxState
from storage.rebuild import check_projections
from storage.retention import person as erasing
from storage.retention import portions, removal
from storage.retention import sweep as sweeping
from storage.retention.holds import set_hold
from storage.retention.past import past_of
from storage.retention.person import erase
from storage.retention.removal import overwrite_deleted
from storage.run_models import RunRecord
from tests.storage.test_forgetting import tables_with, write
from tests.storage.test_retention import POLICY, Kept, housed, on_disk
from tests.workflows.engine.flows import workflow
from tests.world import id_of
from workflows.entry import SYSTEM, Json, Ref, RunId
from workflows.holds import Kind, Selector
from workflows.store import Message, Subject

POSTS = workflow("posts", 'steps: [{id: tell, uses: slack.post, with: {text: "the wombat"}}]')


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[Kept]:
    for kept in housed(database_url, tmp_path):
        kept.shelf.put(POSTS)
        kept.town.groups["@askers"].add("otto")
        yield kept


@pytest.fixture
def _two_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portions, "PORTION", 2)
    monkeypatch.setattr(sweeping, "PORTION", 2)


@pytest.mark.usefixtures("_two_rows")
def test_much_that_is_due_goes_in_portions_and_each_is_signed(house: Kept) -> None:
    runs = [house.finished(said="the wombat is hungry") for _ in range(3)]
    house.days(181)
    held, commits = sum(house.held_parts(one) for one in runs), committed(house)

    found = house.swept()

    assert (found.payloads, found.messages) == (held + 3, 3)  # Three stories.
    assert len(commits) >= held // 2
    assert sum(kind == "retention.sweep" for kind, _ in house.markers()) >= held // 4
    assert [house.held_parts(one) for one in runs] == [0, 0, 0]
    assert tables_with(house, "wombat") == set()
    assert house.verified().failures == []
    assert check_projections(house.store.database) == []
    assert house.swept().is_nothing


def test_what_is_due_of_an_ordinary_night_goes_in_one_unit(house: Kept) -> None:
    for _ in range(3):
        house.finished(said="the wombat is hungry")
    house.days(181)
    commits = committed(house)

    house.swept()

    assert len(commits) == 1
    assert len(house.markers()) == 2  # Of two classes.


@pytest.mark.usefixtures("_two_rows")
def test_a_hold_that_is_set_between_two_portions_keeps_what_is_left_of_it(
    house: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, held, after = house.finished(), house.finished(), house.finished()
    house.days(181)
    kept = house.held_parts(held)

    def hold() -> None:
        set_hold(house.store, Selector(Kind.RUN, held), reason="case 12", actor=SYSTEM)

    after_call(monkeypatch, sweeping, "due_from", hold, times=2)

    found = house.swept()

    assert house.held_parts(before) == house.held_parts(after) == 0
    assert house.held_parts(held) == kept
    assert sum(one.held for one in found.classes) == kept + 1  # Its story.
    assert "erasure" in {kind for kind, _ in house.markers()}
    assert house.verified().failures == []


def test_a_process_that_dies_between_two_portions_is_gone_on_from(
    house: Kept, tmp_path: Path
) -> None:
    runs = [house.finished() for _ in range(3)]
    house.days(181)
    held = sum(house.held_parts(one) for one in runs)

    ended = subprocess.run(
        [
            *(sys.executable, "-m", "tests.storage.cut_short"),
            *(house.url, str(tmp_path / "home"), house.clock().isoformat(), "between"),
        ],
        check=False,
    )

    left = sum(house.held_parts(one) for one in runs)
    assert ended.returncode == -signal.SIGKILL
    assert 0 < left < held
    assert len(house.markers()) == 1
    assert house.verified().failures == []

    assert house.swept().payloads == left + 3  # Three stories.
    assert house.verified().failures == []


def test_a_hold_that_is_set_while_somebody_is_looked_for_keeps_what_was_found(
    house: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, other = house.finished(said="the wombat"), house.finished()
    kept = house.held_parts(held)

    def hold() -> None:
        set_hold(house.store, Selector(Kind.RUN, held), reason="case 12", actor=SYSTEM)

    after_call(monkeypatch, erasing, "past_of", hold)

    found = erase(house.store, ref_of(house, "rita"), policy=POLICY, by_run="0" * 32)

    assert house.held_parts(held) == kept
    assert house.held_parts(other) < kept
    assert sum(one.is_held for one in found) > 0
    assert {"summary", "thread_message"} <= tables_with(house, "rita") | tables_with(
        house, "wombat"
    )
    assert id_of("rita") in house.persons()
    assert house.verified().failures == []


def test_what_comes_in_while_somebody_is_looked_for_goes_with_the_rest(
    house: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.town.display_names["rita"] = "Rita Quokka"
    house.finished()
    ended = house.start(by="otto")
    house.settle()
    house.approve(ended)
    house.settle()

    def go_on() -> None:
        write(house, ended, "the wombat is hungry")
        house.finished(said="the wombat is fed")
        tell(house, ended, state=OutboxState.DELIVERED)

    after_call(monkeypatch, erasing, "past_of", go_on)
    erase(house.store, ref_of(house, "rita"), policy=POLICY, by_run="0" * 32)

    assert tables_with(house, "wombat") == tables_with(house, "quokka") == set()
    assert id_of("rita") not in house.persons()
    assert house.verified().failures == []
    assert check_projections(house.store.database) == []


def test_of_the_log_only_what_came_in_is_read_while_others_wait(
    house: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.finished()
    monkeypatch.setattr("storage.retention.past.past_of", lambda *_: pytest.fail("read anew"))

    found = erase(house.store, ref_of(house, "rita"), policy=POLICY, by_run="0" * 32)

    assert len(found) > 3
    assert id_of("rita") not in house.persons()


def test_a_text_that_waits_is_told_to_nobody_once_its_requester_is_erased(house: Kept) -> None:
    run = house.finished()
    tell(house, run, state=OutboxState.PENDING)
    taken = [
        one
        for one in house.store.outbox.claim_messages(by="outbox", limit=99)
        if one.subject is Subject.POST
    ]
    assert "outbox" in tables_with(house, "wombat")

    erase(house.store, ref_of(house, "rita"), policy=POLICY, by_run="0" * 32)

    assert tables_with(house, "wombat") == set()
    assert [house.store.outbox.mark_posting(one.id, by="outbox") for one in taken] == [False]
    assert posts(house) == [OutboxState.DELIVERED]


def test_a_text_that_waits_in_a_run_that_goes_on_is_still_told(house: Kept) -> None:
    run = house.start("posts", by="otto")
    house.settle()
    write(house, run, "hurry")
    assert house.status(run) == "waiting"

    erase(house.store, ref_of(house, "rita"), policy=POLICY, by_run="0" * 32)

    assert "outbox" in tables_with(house, "wombat")
    assert posts(house) == [OutboxState.PENDING]


def test_whoever_shared_a_summary_is_not_named_by_its_message(house: Kept) -> None:
    house.finished()
    with house.store.begin() as unit:
        for name in ("rita", "otto"):
            said: Json = {"by": str(id_of(name))}
            message = Message(subject=Subject.SUMMARY, key=f"C1/1.0/{name}", channel="C1")
            unit.send(replace(message, body=said))

    erase(house.store, ref_of(house, "rita"), policy=POLICY, by_run="0" * 32)

    assert tables_with(house, id_of("rita")) == set()
    assert "outbox" in tables_with(house, id_of("otto"))


def test_an_index_that_is_merged_in_many_steps_keeps_no_word(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "STEP_PAGES", 1)
    for house in housed(sqlite_url, tmp_path):
        for _ in range(3):
            house.finished(said="We decided that the quokka goes.")
        house.days(181)
        house.swept()

        overwrite_deleted(house.store.database)

        assert b"quokka" not in on_disk(sqlite_url)
        assert house.verified().failures == []


@pytest.mark.parametrize("what", ["erased", "swept"])
def test_no_more_is_read_in_a_large_log_while_others_wait(
    sqlite_url: str, tmp_path: Path, what: str
) -> None:
    steps = []
    for number, others in enumerate((3, 60)):
        url = str(shutil.copy(sqlite_url, tmp_path / f"{number}.db"))
        for house in housed(url, tmp_path / str(number)):
            house.town.groups["@askers"].add("otto")
            ended = house.finished()
            set_hold(
                house.store, Selector(Kind.PERSON, ref_of(house, "ben")), reason="x", actor=SYSTEM
            )
            house.days(181 if what == "swept" else 0)
            for _ in range(others):
                run = house.start(by="otto")
                house.settle()
                house.approve(run)
                house.settle()
            counted = steps_of(house)
            if what == "swept":
                house.swept()
            else:
                erase(house.store, ref_of(house, "rita"), policy=POLICY, by_run="0" * 32)
            steps.append(len(counted))
            assert house.held_parts(ended) < 4
            assert house.verified().failures == []

    assert steps[0] > 10
    assert steps[1] < steps[0] * 2


def test_whoever_wrote_in_many_threads_is_found_in_one_look(
    sqlite_url: str, tmp_path: Path
) -> None:
    steps = []
    for threads in (200, 800):
        url = str(shutil.copy(sqlite_url, tmp_path / f"{threads}.db"))
        for house in housed(url, tmp_path / str(threads)):
            house.finished()
            ref = ref_of(house, "ben")
            wrote_in(house, ref, threads=threads)
            counted: list[int] = []
            with house.store.database.read() as connection:
                driver: Any = connection.connection.dbapi_connection
                driver.set_progress_handler(lambda: counted.append(1), 100)  # noqa: B023 - at once.
                found = past_of(connection, ref)
                driver.set_progress_handler(None, 0)
            steps.append(len(counted))
            assert len(found.runs) == threads

    assert steps[1] < steps[0] * 6


def after_call(
    monkeypatch: pytest.MonkeyPatch,
    module: Any,  # noqa: ANN401 - a module.
    name: str,
    then: Callable[[], None],
    *,
    times: int = 1,
) -> None:
    """Do something right after a function was called for the last of so many times."""
    call, done = getattr(module, name), []

    def called(*words: Any, **named: Any) -> object:  # noqa: ANN401 - whatever it takes.
        found = call(*words, **named)
        done.append(1)
        if len(done) == times:
            then()
        return found

    monkeypatch.setattr(module, name, called)


def committed(house: Kept) -> list[float]:
    """Return a list to which each unit that is committed from now on adds."""
    commits: list[float] = []
    house.store.on_committed(commits.append)
    return commits


def wrote_in(house: Kept, ref: Ref, *, threads: int) -> None:
    """Have somebody have written in the threads of so many runs."""
    with house.store.database.begin() as tx:
        row = tx.connection.execute(select(RunRecord.__table__)).mappings().one()
        runs = [dict(row, id=f"r{number}", start_key=None) for number in range(threads)]
        said = [{"run_id": one["id"], "ts": "1.0", "author": ref, "body": "x"} for one in runs]
        tx.connection.execute(insert(RunRecord), runs)
        tx.connection.execute(insert(ThreadMessageRecord), said)


def steps_of(house: Kept) -> list[int]:
    """Return a list that grows with what SQLite does from now on where others wait for it."""
    counted: list[int] = []
    with house.store.database.begin() as tx:
        tx.driver.set_progress_handler(lambda: counted.append(1), 100)
    return counted


def ref_of(house: Kept, name: str) -> Ref:
    with house.store.begin() as unit:
        return unit.ref(id_of(name))


def tell(house: Kept, run: RunId, *, state: OutboxState) -> None:
    """Queue a text of a run, which waits or was delivered."""
    with house.store.begin() as unit:
        said = Message(subject=Subject.POST, key=f"{run}/tell", run=run, channel="C1")
        unit.send(replace(said, body={"text": "the wombat is hungry"}))
        unit.flush()
        now = state.value
        unit.transaction.run("UPDATE outbox SET state = ? WHERE subject = 'post'", (now,))


def posts(house: Kept) -> list[OutboxState]:
    with house.store.database.read() as connection:
        wanted = select(OutboxRecord.state).where(OutboxRecord.subject == Subject.POST)
        return list(connection.execute(wanted.order_by(OutboxRecord.id)).scalars())
