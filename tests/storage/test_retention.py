"""Payloads go when their term is over, with a marker that says so, and the log still verifies."""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import func, select

from storage.audit_models import AuditEntryRow, AuditSubjectRow
from storage.base import Base
from storage.history import read_run
from storage.message_models import OutboxRecord, SummaryRecord, ThreadMessageRecord
from storage.rebuild import check_projections
from storage.retention import removal
from storage.retention import sweep as sweeping
from storage.retention.due import due
from storage.retention.holds import lift_hold, set_hold, told_holds
from storage.retention.markers import Item, erasures
from storage.retention.payloads import LogPayloads
from storage.retention.removal import overwrite_deleted
from storage.retention.sweep import Swept, sweep
from storage.search import find
from storage.search_runs import Sought
from storage.verify import Report, verify_database
from tests.stores import opened
from tests.world import CHANGE, Clock, Working, id_of
from workflows.actions.erase import PORT, EraseAction, HeldAction
from workflows.entry import SYSTEM, Draft, Json, Part, PartClass, RunId
from workflows.errors import HoldError, StorageUnavailableError
from workflows.gate import Verdict
from workflows.holds import Kind, Selector, read_selector
from workflows.house import House
from workflows.policy_retention import DEFAULT_TERMS
from workflows.store import Store

POLICY = "cd" * 32
ERASE = """
workflow: erase-person
title: Erase a person
owner: "@owners"
deputy: "@deputies"
run_by: ["@directors"]
inputs:
  person: {type: string, title: Whom, max_length: 200}
steps:
  - id: erase
    uses: interlock.erase
    with: {person: "${{ inputs.person }}"}
    effect: destructive
    approval: {stages: [{from: ["@deciders"], approve: 2}], expires: 24h}
    verify:
      uses: interlock.held
      with: {person: "${{ inputs.person }}"}
      expect: result.goes == 0
      within: 1m
    undo: none
"""


class Kept(Working):
    """A house whose log is swept, and whose people can be erased."""

    url: str

    def _house(self, store: Store) -> House:
        house = super()._house(store)
        port = LogPayloads(self.store, policy=lambda: POLICY)
        actions = {**house.actions, EraseAction.name: EraseAction(), HeldAction.name: HeldAction()}
        return replace(house, actions=actions, ports={PORT: port})

    def erased(self, person: str) -> RunId:
        """Erase somebody, as Dora asks and Ana and Ben approve."""
        run = self.start("erase-person", {"person": person}, by="dora")
        self.settle()
        self.approve(run, by="ana")
        self.approve(run, by="ben")
        self.settle()
        assert self.status(run) == "done"
        return run

    def persons(self) -> list[str]:
        with self.store.database.read() as connection:
            found = connection.execute(select(AuditSubjectRow.external_id))
            return sorted(found.scalars())

    def finished(self, *, approver: str = "ana", said: str = "") -> RunId:
        """Run something to its end; `said` is what its requester writes in the thread."""
        run = self.start()
        self.settle()
        if said:
            with self.store.begin() as unit:
                unit.add_thread_message(run, "1.0", author=unit.ref(id_of("rita")), text=said)
        self.vote(run, Verdict.APPROVE, by=approver, comment="fine by me")
        self.settle()
        assert self.status(run) == "done"
        return run

    def days(self, count: int) -> None:
        self.clock.forward(timedelta(days=count))

    def swept(self) -> Swept:
        return sweep(self.store, policy=POLICY, terms=DEFAULT_TERMS, now=self.clock())

    def held_parts(self, run: RunId) -> int:
        with self.store.database.read() as connection:
            found = read_run(connection, run)
        return sum(part.value is not None for one in found for part in one.parts.values())

    def verified(self) -> Report:
        vkey = self.store.journal.sequencer.signers[0].vkey
        report = verify_database(self.url, [vkey], processes=1)
        # What the product removes is never held, and counted rightly.
        assert not {"erasure-held", "sweep-count"} & {code for code, _text in report.semantics}
        return report

    def markers(self) -> list[tuple[str, str]]:
        with self.store.database.read() as connection:
            rows = connection.execute(
                select(AuditEntryRow.kind, AuditEntryRow.line)
                .where(AuditEntryRow.kind.in_(["erasure", "retention.sweep"]))
                .order_by(AuditEntryRow.idx)
            ).all()
        return [(str(row.kind), str(row.line)) for row in rows]


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[Kept]:
    yield from housed(database_url, tmp_path)


def housed(url: str, tmp_path: Path) -> Iterator[Kept]:
    clock = Clock()
    with opened(url, tmp_path, clock) as store:
        kept = Kept(store, clock, definitions=(CHANGE, ERASE))
        kept.url = url
        yield kept


def test_what_is_due_goes_with_its_marker_and_the_log_verifies_before_and_after(
    house: Kept,
) -> None:
    old = house.finished(said="We decided that the quokka goes.")
    assert [one.run for one in find(house.store.database, Sought(words="quokka")).page] == [old]
    house.days(100)
    young = house.finished()
    house.days(81)
    assert house.verified().failures == []

    with house.store.database.read() as connection:
        foretold = due(connection, DEFAULT_TERMS, now=house.clock())
    found = house.swept()

    assert list(found.classes) == foretold
    assert found.payloads > 0
    assert house.held_parts(old) == 0
    assert house.held_parts(young) > 0
    assert {kind for kind, _ in house.markers()} == {"retention.sweep"}
    assert find(house.store.database, Sought(words="quokka")).total == 0
    assert (rows_of(house, ThreadMessageRecord), rows_of(house, SummaryRecord)) == (0, 1)
    assert house.verified().failures == []
    assert check_projections(house.store.database) == []
    assert house.swept().is_nothing
    assert house.verified().failures == []


def test_an_unfinished_run_holds_its_payloads_and_what_lies_beyond_goes_one_by_one(
    house: Kept,
) -> None:
    first = house.finished()
    waiting = house.start()
    house.queue.serve(house.engine.advance)
    before = house.held_parts(waiting)
    beyond = house.finished()
    house.days(181)

    found = {one.cls: one for one in house.swept().classes}[PartClass.CONTENT]

    assert found.held == house.held_parts(waiting) == before > 0
    assert house.held_parts(first) == house.held_parts(beyond) == 0
    assert '"reason":"retention"' in dict(house.markers())["erasure"]
    assert found.before <= min(one.index or 0 for one in house.entries(waiting) if one.parts)
    assert house.verified().failures == []


def test_a_clock_that_ran_ahead_once_keeps_nothing_behind_it_beyond_its_term(house: Kept) -> None:
    house.days(4000)
    ahead = house.finished()
    house.days(-4000)
    behind = house.finished()
    house.days(100)
    young = house.finished()
    house.days(81)
    house.swept()

    assert (house.held_parts(ahead), house.held_parts(behind)) == (0, 0)
    assert house.held_parts(young) > 0
    assert house.verified().failures == []


def test_a_sweep_by_a_clock_that_is_behind_removes_nothing(house: Kept) -> None:
    run = house.finished()
    house.days(-400)

    assert house.swept().payloads == 0
    assert house.held_parts(run) > 0


@pytest.mark.parametrize("by", ["run", "workflow", "person", "period"])
def test_a_hold_keeps_what_it_selects_until_it_is_lifted(house: Kept, by: str) -> None:
    held, other = house.finished(approver="ben", said="The quokka goes."), house.finished()
    with house.store.begin() as unit:
        ben = unit.ref(id_of("ben"))
    name = {"run": held, "workflow": "change-it", "person": ben, "period": "2026-03-02/2026-03-03"}
    hold = set_hold(house.store, Selector(Kind(by), name[by]), reason="case 12", actor=SYSTEM)
    house.days(181)

    first = house.swept()

    is_wide = by in {"workflow", "period"}
    assert house.held_parts(held) > 0
    assert (house.held_parts(other) > 0) == is_wide
    assert rows_of(house, ThreadMessageRecord) == 1
    assert sum(one.held for one in first.classes) > 0
    assert house.verified().failures == []

    lift_hold(house.store, hold, reason="closed", actor=SYSTEM)
    house.swept()

    assert house.held_parts(held) == house.held_parts(other) == 0
    assert rows_of(house, ThreadMessageRecord) == 0
    assert house.verified().failures == []
    assert check_projections(house.store.database) == []
    assert lifted(house) == [("case 12", True)]


def test_a_hold_of_something_else_keeps_nothing(house: Kept) -> None:
    run = house.finished(said="The quokka goes.")
    others = ["run:r9", "workflow:other", "period:2026-03-01/2026-03-02"]
    for one in (*others, "period:2026-03-03/2026-03-04"):
        set_hold(house.store, read_selector(one), reason="case 12", actor=SYSTEM)
    house.days(181)
    house.swept()

    assert house.held_parts(run) == 0
    assert rows_of(house, ThreadMessageRecord) == 0


def test_a_hold_that_is_set_while_a_sweep_looks_through_the_log_keeps_what_it_found(
    house: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, held, after = house.finished(), house.finished(), house.finished()
    house.days(181)
    look = sweeping._look_through  # noqa: SLF001 - the hold has to come right after it.

    def then_hold(*words: Any, **named: Any) -> object:  # noqa: ANN401 - whatever it takes.
        known = look(*words, **named)
        set_hold(house.store, Selector(Kind.RUN, held), reason="case 12", actor=SYSTEM)
        return known

    monkeypatch.setattr(sweeping, "_look_through", then_hold)
    kept = house.held_parts(held)

    found = house.swept()

    assert house.held_parts(held) == kept
    assert house.held_parts(before) == house.held_parts(after) == 0
    assert sum(one.held for one in found.classes) >= kept
    assert house.verified().failures == []


def test_a_hold_that_is_not_in_force_cannot_be_lifted(house: Kept) -> None:
    with pytest.raises(HoldError, match="No hold h-1 is in force"):
        lift_hold(house.store, "h-1", reason="x", actor=SYSTEM)


@pytest.mark.parametrize("text", ["", "run:", "team:a", "run:a b", "period:2026-04-01/2026-01-01"])
def test_a_selector_that_selects_nothing_is_refused(text: str) -> None:
    with pytest.raises(HoldError):
        read_selector(text)


def test_a_long_list_takes_several_markers(house: Kept) -> None:
    house.start()
    house.queue.serve(house.engine.advance)
    wait_after = [house.finished() for _ in range(3)]
    look_up(house, times=1_500)
    house.days(181)

    house.swept()

    lines = [line for kind, line in house.markers() if kind == "erasure"]
    assert len(lines) > 1
    assert all(len(line) <= 16_384 for line in lines)
    assert sum(house.held_parts(one) for one in wait_after) == 0
    assert house.verified().failures == []


def test_two_people_erase_a_person_and_the_log_still_verifies(house: Kept) -> None:
    run = house.finished(said="We decided that the quokka goes.")
    assert id_of("rita") in house.persons()
    assert house.verified().failures == []

    erasing = house.erased(id_of("rita"))

    assert id_of("rita") not in house.persons()
    assert find(house.store.database, Sought(words="quokka")).total == 0
    assert rows_of(house, ThreadMessageRecord) == 0
    assert said_in(house, run) == {"approval.granted"}  # Ana's words are hers.
    assert f'"by_run":"{erasing}"' in dict(house.markers())["erasure"]
    assert house.verified().failures == []
    assert check_projections(house.store.database) == []


def test_a_mention_names_the_account_in_it_and_nobody_who_calls_themselves_so(house: Kept) -> None:
    house.finished()
    house.town.display_names["ana"] = "U0RITA"
    house.finished()
    assert id_of("ana") in house.persons()

    erasing = house.erased("<@U0RITA|rita>")

    assert id_of("rita") not in house.persons()
    assert id_of("ana") in house.persons()
    house.swept()
    assert names_in(house, erasing, "U0RITA") == 0
    assert house.verified().failures == []


def test_an_erasure_does_not_keep_the_name_and_who_returns_is_somebody_new(house: Kept) -> None:
    house.finished()
    before = house.entries(house.finished())[0].actor.ref
    erasing = house.erased(id_of("rita"))
    assert names_in(house, erasing, "U0RITA") > 0

    house.swept()

    assert names_in(house, erasing, "U0RITA") == 0
    assert house.verified().failures == []
    assert house.entries(house.finished())[0].actor.ref != before


def test_what_is_held_of_a_person_stays_with_their_name(house: Kept) -> None:
    held, other = house.finished(), house.finished()
    set_hold(house.store, Selector(Kind.RUN, held), reason="case 12", actor=SYSTEM)
    kept = house.held_parts(held)

    erasing = house.erased(id_of("rita"))

    shown = next(one for one in house.entries(erasing) if one.kind == "approval.requested")
    assert b"held back" in (shown.parts["preview"].value or b"")
    assert house.held_parts(held) == kept
    assert said_in(house, other) == {"approval.granted"}
    assert id_of("rita") in house.persons()
    assert house.verified().failures == []


def said_in(house: Kept, run: RunId) -> set[str]:
    """Return the kinds of the run's entries that still have a payload."""
    with house.store.database.read() as connection:
        found = read_run(connection, run)
    return {one.kind for one in found if any(part.value for part in one.parts.values())}


def names_in(house: Kept, run: RunId, name: str) -> int:
    """Return how many payloads of a run, and messages about it, have that name."""
    with house.store.database.read() as connection:
        parts = [
            part.value or b"" for one in read_run(connection, run) for part in one.parts.values()
        ]
        told = connection.execute(select(OutboxRecord.body).where(OutboxRecord.run_id == run))
        return sum(name in str(one) for one in [*parts, *told.scalars()])


def test_what_is_deleted_by_hand_is_found(house: Kept) -> None:
    house.finished()
    driver = (
        closing(psycopg.connect(house.url))
        if house.store.database.dialect == "postgresql"
        else closing(sqlite3.connect(house.url))
    )
    with driver as connection:
        connection.execute("DELETE FROM audit_part")
        connection.commit()

    assert {code for code, _ in house.verified().failures} == {"part-missing"}


def test_a_process_that_dies_in_a_sweep_removed_nothing_and_the_next_one_does(
    house: Kept, tmp_path: Path
) -> None:
    run = house.finished()
    house.days(181)
    held = house.held_parts(run)

    ended = subprocess.run(
        [
            *(sys.executable, "-m", "tests.storage.cut_short"),
            *(house.url, str(tmp_path / "home"), house.clock().isoformat(), "before"),
        ],
        check=False,
    )

    assert ended.returncode == -signal.SIGKILL
    assert house.held_parts(run) == held
    assert house.markers() == []
    assert house.verified().failures == []

    house.swept()

    assert house.held_parts(run) == 0
    assert house.verified().failures == []


def test_no_word_that_was_swept_is_left_on_the_disk(sqlite_url: str, tmp_path: Path) -> None:
    for house in housed(sqlite_url, tmp_path):
        house.finished(said="We decided that the quokka goes.")
        assert b"quokka" in on_disk(sqlite_url)
        house.days(181)

        house.swept()
        overwrite_deleted(house.store.database)

        assert b"quokka" not in on_disk(sqlite_url)
        assert house.verified().failures == []


def test_what_another_sweeps_while_a_sweep_looks_through_the_log_is_signed_once(
    house: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.finished()
    house.days(181)
    look, others = sweeping._look_through, []  # noqa: SLF001 - the other comes right after it.

    def then_another(*words: Any, **named: Any) -> object:  # noqa: ANN401 - whatever it takes.
        known = look(*words, **named)
        monkeypatch.setattr(sweeping, "_look_through", look)
        others.append(house.swept())
        return known

    monkeypatch.setattr(sweeping, "_look_through", then_another)

    found = house.swept()

    assert others[0].payloads > 0
    assert found.is_nothing
    assert house.verified().failures == []


def test_nobody_waits_while_a_long_read_keeps_the_wal_from_being_cut(
    sqlite_url: str, sqlite_schema: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "PATIENCE", 2.0)
    waited, elsewhere = [], []
    other_url = str(shutil.copy(sqlite_schema, tmp_path / "other.db"))
    for house, other in zip(
        housed(sqlite_url, tmp_path), housed(other_url, tmp_path / "other"), strict=True
    ):
        with house.store.database.read() as reader, ThreadPoolExecutor() as pool:
            reader.execute(select(func.count()).select_from(AuditEntryRow))
            house.finished()
            cutting = pool.submit(overwrite_deleted, house.store.database)
            while not cutting.done():
                elsewhere.append(seconds_of_a_unit(other))
                waited.append(seconds_of_a_unit(house))
            with pytest.raises(StorageUnavailableError, match="still reads"):
                cutting.result()
        overwrite_deleted(house.store.database)

    # Whoever waits does so for a second and a half; a busy machine delays a unit anywhere.
    assert max(waited) < 1.0 + 2 * max(elsewhere)


def seconds_of_a_unit(house: Kept) -> float:
    began = time.monotonic()
    with house.store.begin() as unit:
        unit.ref(id_of("rita"), f"Rita {began}")
    return time.monotonic() - began


def test_no_row_that_was_swept_is_left_on_a_server(postgres_url: str, tmp_path: Path) -> None:
    for house in housed(postgres_url, tmp_path):
        house.finished()
        house.days(181)
        house.swept()
        assert dead_rows(postgres_url) > 0

        overwrite_deleted(house.store.database)

        assert dead_rows(postgres_url) == 0


def on_disk(url: str) -> bytes:
    """Return every byte of the database's files."""
    return b"".join(Path(url + end).read_bytes() for end in ("", "-wal", "-shm"))


def dead_rows(url: str) -> int:
    """Return how many deleted parts the server has not yet forgotten."""
    with psycopg.connect(url) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS pgstattuple")
        found = connection.execute("SELECT dead_tuple_count FROM pgstattuple('audit_part')")
        return int((found.fetchone() or (0,))[0])


def rows_of(house: Kept, table: type[Base]) -> int:
    with house.store.database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def lifted(house: Kept) -> list[tuple[str, bool]]:
    with house.store.database.read() as connection:
        return [(one.reason, one.hold.lifted_at is not None) for one in told_holds(connection)]


def look_up(house: Kept, *, times: int) -> None:
    """Record so many payloads outside of runs."""
    with house.store.begin() as unit:
        for number in range(times):
            part = Part(value=f"look {number}".encode())
            data: dict[str, Json] = {"what": "runs", "n": 1}
            unit.append(Draft(kind="access.read", actor=SYSTEM, data=data, parts={"query": part}))


def test_more_payloads_than_a_line_holds_are_listed_by_as_few_markers_as_it_takes(
    house: Kept,
) -> None:
    items = [Item(10**9 + place, "model_output") for place in range(2_000)]
    with house.store.begin() as unit:
        for one in erasures(items, reason="retention", policy=POLICY, actor=SYSTEM):
            unit.append(one)
    lines = [line for _kind, line in house.markers()]
    listed = [Item(*one) for line in lines for one in json.loads(line)["data"]["items"]]

    assert listed == items
    assert len(lines) == 5  # Of 16 KiB at most, 29 bytes for each.
    assert list(erasures([], reason="retention", policy=POLICY, actor=SYSTEM)) == []


def test_a_period_holds_its_first_moment_and_not_the_one_after_its_last(house: Kept) -> None:
    midnight = house.clock().replace(hour=0) + timedelta(days=1)
    house.clock.at = midnight
    first = house.finished(said="The quokka goes.")
    house.clock.at = after = midnight + timedelta(days=1)
    second = house.finished(said="The wombat goes.")
    days = f"{midnight.date()}/{after.date()}"
    set_hold(house.store, Selector(Kind.PERIOD, days), reason="case 12", actor=SYSTEM)
    house.clock.at = after + timedelta(days=179)
    young = house.finished(said="The numbat goes.")
    before = {one: house.held_parts(one) for one in (first, second, young)}
    house.days(2)
    house.swept()
    with house.store.database.read() as connection:
        words = set(connection.execute(select(ThreadMessageRecord.run_id)).scalars())

    assert house.held_parts(first) == before[first] > 0
    assert house.held_parts(young) == before[young] > 0
    assert house.held_parts(second) < before[second]
    assert words == {first, young}
    assert house.verified().failures == []
