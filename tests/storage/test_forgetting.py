"""Whoever was erased is in none of the rows, in whatever way they had to do with a run."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import select

from storage.base import Base
from storage.rebuild import check_projections
from storage.retention.holds import set_hold
from storage.retention.payloads import LogPayloads
from storage.retention.person import erase
from storage.run_models import RunRecord
from tests.storage.test_retention import POLICY as POLICY_DIGEST
from tests.storage.test_retention import Kept, housed
from tests.workflows.engine.flows import workflow
from tests.world import CHANGE, POLICY, id_of, policy_in
from workflows.actions.erase import OWN
from workflows.entry import (
    SYSTEM,
    Actor,
    ActorKind,
    Draft,
    Json,
    Part,
    PartClass,
    Ref,
    RequestId,
    RunId,
)
from workflows.errors import HoldError, NotPerformedError
from workflows.gate import Verdict
from workflows.holds import Kind, Selector
from workflows.people import PersonId
from workflows.questioning import Answer
from workflows.store import Message, Subject

# Who waits for the right to place entries in this database.
WAITS = """
SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
ASKS = workflow(
    "asks",
    """
steps:
  - id: size
    ask:
      of: ["@deciders"]
      question: How much?
      fields: {by: {type: integer}, why: {type: string, required: false}}
  - id: act
    uses: world.change
    with: {name: number, by: "${{ steps.size.output.by }}"}
""",
)
LOCKED = CHANGE.replace("change-it", "locked").replace(
    "inputs:\n", "lock: number/${{ inputs.whom }}\ninputs:\n  whom: {type: string, title: Whom}\n"
)

OFFBOARD = (
    CHANGE.replace("change-it", "offboard")
    .replace("@askers", "@directors")
    .replace("inputs:\n", "inputs:\n  whom: {type: string, title: Whom}\n")
    .replace(
        "steps:\n",
        """steps:
  - id: forget
    workflow: erase-person
    effect: destructive
    inputs: {person: "${{ inputs.whom }}"}
""",
    )
)

SLOW_START = """
CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN PERFORM pg_sleep(2); RETURN NEW; END $$;
CREATE TRIGGER dawdle BEFORE INSERT ON run FOR EACH ROW EXECUTE FUNCTION dawdle();
"""
ASLEEP = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"

BUDGET = """
budgets:
  - name: changes
    when: action == "world.change"
    amount: 1
    per: inputs.whom
    limit: 9
    window: 90d
"""


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[Kept]:
    for kept in housed(database_url, tmp_path):
        for text in (ASKS, LOCKED, OFFBOARD):
            kept.shelf.put(text)
        kept.town.groups["@askers"].add("otto")
        yield kept


def test_the_summary_of_a_run_in_which_they_only_answered_goes_too(house: Kept) -> None:
    house.town.display_names["rita"] = "Rita Quokka"
    run = house.start("asks", by="otto")
    house.settle()
    answer(house, run, {"by": 7, "why": "the wombat is hungry"})
    assert {"audit_part", "summary"} <= tables_with(house, "wombat") & tables_with(house, "Quokka")

    house.erased(id_of("rita"))
    house.swept()

    assert tables_with(house, "wombat") == tables_with(house, "quokka") == set()
    assert house.verified().failures == []
    assert check_projections(house.store.database) == []


def test_a_hold_on_a_person_keeps_the_story_of_a_run_in_which_they_only_answered(
    house: Kept,
) -> None:
    run = house.start("asks", by="otto")
    house.settle()
    answer(house, run, {"by": 7, "why": "the wombat is hungry"})
    hold(house, "rita")
    house.days(181)

    house.swept()
    house.erased(id_of("otto"))

    assert {"audit_part", "summary"} <= tables_with(house, "wombat")
    assert house.verified().failures == []


def test_words_in_the_thread_of_a_run_that_goes_on_are_told_by_nobody_later(house: Kept) -> None:
    run = house.start(by="otto")
    house.settle()
    write(house, run, "the wombat is hungry")

    house.erased(id_of("rita"))
    house.approve(run)
    house.settle()

    assert house.status(run) == "done"
    assert tables_with(house, "wombat") == set()
    assert id_of("rita") not in house.persons()


def test_words_in_a_thread_that_a_hold_keeps_stay_with_their_name(house: Kept) -> None:
    run = house.start(by="otto")
    house.settle()
    write(house, run, "the wombat is hungry")
    hold(house, "rita")

    house.erased(id_of("rita"))

    assert tables_with(house, "wombat") == {"thread_message"}
    assert id_of("rita") in house.persons()


@pytest.mark.parametrize("how", ["erased", "swept"])
def test_the_name_of_a_lock_goes_with_the_input_that_it_was_made_of(house: Kept, how: str) -> None:
    going = house.start("locked", {"by": 1, "whom": "numbat"}, by="otto")
    ended = house.start("locked", {"by": 1, "whom": "wombat"}, by="rita")
    house.settle()
    house.approve(ended)
    house.settle()
    assert "run" in tables_with(house, "wombat")
    house.days(0 if how == "erased" else 181)

    if how == "erased":
        house.erased(id_of("rita"))
    house.swept()

    assert tables_with(house, "wombat") == set()
    assert tables_with(house, "numbat") >= {"run", "run_lock"}
    assert (house.status(going), house.status(ended)) == ("waiting", "done")


def test_whom_a_budget_counted_for_is_forgotten_once_it_counts_for_them_no_more(
    house: Kept,
) -> None:
    house.policy = policy_in(POLICY + BUDGET)
    house.shelf.put(LOCKED)
    run = house.start("locked", {"by": 1, "whom": "wombat"}, by="rita")
    house.settle()
    house.approve(run)
    house.settle()
    house.erased(id_of("rita"))
    house.days(89)
    house.swept()
    assert tables_with(house, "wombat") == {"budget_key"}  # An erasure frees no budget.
    house.days(92)

    house.swept()

    assert tables_with(house, "wombat") == set()
    assert check_projections(house.store.database) == []


def test_whoever_calls_themselves_by_the_account_of_another_is_not_meant_by_it(
    house: Kept,
) -> None:
    house.finished()
    house.town.display_names["ben"] = id_of("rita")
    run = house.start(by="otto")
    house.settle()
    house.approve(run, by="ben")
    house.settle()

    house.erased(id_of("rita"))

    assert id_of("rita") not in house.persons()
    assert id_of("ben") in house.persons()
    again = house.start("erase-person", {"person": id_of("rita")}, by="dora")
    house.settle()
    assert house.status(again) == "exception"


def test_one_may_ask_for_their_own_erasure_and_two_approvals_do(house: Kept) -> None:
    house.finished()
    house.town.groups["@directors"].add("rita")
    own = house.start("erase-person", {"person": id_of("rita")}, by="rita")
    house.settle()
    house.approve(own, by="ana")
    house.vote(own, Verdict.APPROVE, by="ben", comment="as she likes")
    house.settle()
    shown = next(one for one in house.entries(own) if one.kind == "approval.requested")

    assert house.status(own) == "done"
    assert OWN.encode() in (shown.parts["preview"].value or b"")
    assert id_of("rita") in house.persons()  # Until she is erased once more, as the card says.

    house.swept()
    house.erased(id_of("rita"))
    house.swept()

    assert tables_with(house, "U0RITA") == set()
    assert house.verified().failures == []


@pytest.mark.parametrize("first", ["denied", "overtaken"])
def test_an_erasure_that_came_to_nothing_does_not_keep_the_name_either(
    house: Kept, first: str
) -> None:
    house.finished()
    nothing = house.start("erase-person", {"person": id_of("rita")}, by="dora")
    house.settle()
    if first == "denied":
        house.deny(nothing, comment="not before March")
        house.settle()
        house.swept()
        assert house.held_parts(nothing) > 0  # She is still here.
    house.erased(id_of("rita"))
    if first == "overtaken":
        house.approve(nothing, by="ana")
        house.approve(nothing, by="ben")
        house.settle()
        assert house.status(nothing) == "exception"
        house.engine.cancel(nothing, person=id_of("omar"), reason="she is gone already")
        house.settle()

    house.swept()

    assert tables_with(house, "U0RITA") == set()
    assert house.verified().failures == []


def test_a_run_that_had_somebody_erased_does_not_keep_the_name_once_it_has_ended(
    house: Kept,
) -> None:
    house.finished()
    house.town.groups["@deciders"].remove("rita")  # Or she would be asked, and be known anew.
    above = house.start("offboard", {"whom": id_of("rita"), "by": 5}, by="dora")
    house.settle()
    (erasing,) = runs_of(house, "erase-person")
    house.approve(erasing, by="ana")
    house.approve(erasing, by="ben")
    house.settle()
    assert (house.status(erasing), house.status(above)) == ("done", "waiting")

    house.swept()
    assert house.held_parts(erasing) > 0  # Only it says by which name the other one has her.
    house.approve(above, by="ana")
    house.settle()
    assert house.status(above) == "done"
    house.swept()

    assert tables_with(house, "U0RITA") == set()
    assert house.held_parts(erasing) == 0
    kept = {one.kind for one in house.entries(above) if any(it.value for it in one.parts.values())}
    assert {"approval.requested", "action.intended"} <= kept  # What else it did is not about her.
    assert house.verified().failures == []
    assert check_projections(house.store.database) == []


@pytest.mark.parametrize("has_written", [True, False])
def test_words_committed_while_their_writer_is_erased_go_with_them(
    postgres_url: str, tmp_path: Path, *, has_written: bool
) -> None:
    for house in housed(postgres_url, tmp_path):
        house.finished()
        port = LogPayloads(house.store, policy=lambda: POLICY_DIGEST)
        with ThreadPoolExecutor() as pool:
            with house.store.begin() as unit:
                actor = Actor(kind=ActorKind.USER, ref=unit.ref(id_of("rita")))
                if has_written:
                    unit.transaction.run("SELECT pg_current_xact_id()")
                erasing = pool.submit(port.erase, id_of("rita"), by_run="0" * 32)
                wait_until_erased(house, "rita")
                time.sleep(0.3)  # It looks for writers by now.
                part = Part(value=b"where is the wombat")
                data: dict[str, Json] = {"what": "runs", "n": 1}
                unit.append(
                    Draft(kind="access.read", actor=actor, data=data, parts={"query": part})
                )
            erasing.result(timeout=30)

        assert tables_with(house, "wombat") == set()
        assert id_of("rita") not in house.persons()
        assert house.verified().failures == []


def test_a_message_committed_while_its_reader_is_erased_goes_with_them(
    postgres_url: str, tmp_path: Path
) -> None:
    rita, otto = id_of("rita"), id_of("otto")
    for house in housed(postgres_url, tmp_path):
        run = house.finished()
        ref = house.entries(run)[0].actor.ref
        port = LogPayloads(house.store, policy=lambda: POLICY_DIGEST)
        with ThreadPoolExecutor() as pool:
            with house.store.begin() as unit:
                said = Message(subject=Subject.NOTICE, key=f"undelivered/x/{ref}", channel=rita)
                unit.send(replace(said, body={"text": "?"}))
                unit.send(replace(said, key="refused/y", body={"text": "?"}))
                unit.send(replace(said, key="refused/z", channel=otto))
                unit.transaction.run("SELECT pg_current_xact_id()")
                erasing = pool.submit(port.erase, rita, by_run="0" * 32)
                wait_until_erased(house, "rita")
                time.sleep(0.3)  # It looks for writers by now.
            erasing.result(timeout=30)

        assert tables_with(house, rita) == set()
        assert "outbox" in tables_with(house, otto)
        assert house.verified().failures == []


def test_what_came_in_while_its_writer_was_erased_goes_at_night_if_the_erasure_died_there(
    house: Kept,
) -> None:
    house.finished()
    ref = erased_by_one_who_dies(house, "rita")
    with house.store.begin() as unit:
        part = Part(value=b"where is the wombat")
        data: dict[str, Json] = {"what": "runs", "n": 1}
        actor = Actor(kind=ActorKind.USER, ref=ref)
        unit.append(Draft(kind="access.read", actor=actor, data=data, parts={"query": part}))
    assert "audit_part" in tables_with(house, "wombat")

    house.swept()

    assert tables_with(house, "wombat") == set()
    assert house.verified().failures == []
    assert house.swept().is_nothing


def test_a_run_that_began_while_its_requester_was_erased_is_forgotten_once_it_ended(
    postgres_url: str, tmp_path: Path
) -> None:
    for house in housed(postgres_url, tmp_path):
        house.shelf.put(LOCKED)
        house.finished()
        port = LogPayloads(house.store, policy=lambda: POLICY_DIGEST)
        with psycopg.connect(postgres_url, autocommit=True) as server, ThreadPoolExecutor() as pool:
            server.execute(SLOW_START)
            values = {"by": 1, "whom": "wombat"}
            starting = pool.submit(house.start, "locked", values, by="rita")
            wait_until(lambda: server.execute(ASLEEP).fetchone() is not None)
            port.erase(id_of("rita"), by_run="0" * 32)
            run = starting.result(timeout=30)
        assert id_of("rita") not in house.persons()
        house.swept()
        assert "audit_part" in tables_with(house, "wombat")  # It goes on with them.
        assert len(house.markers()) == 1
        house.settle()
        house.approve(run)
        house.settle()
        assert house.status(run) == "done"

        house.swept()

        assert tables_with(house, "wombat") == set()
        assert house.verified().failures == []


def test_nothing_leads_from_their_pseudonym_to_where_they_were_written_to(house: Kept) -> None:
    run = house.finished()
    ref = house.entries(run)[0].actor.ref
    rita, otto = id_of("rita"), id_of("otto")
    user = rita.rpartition(":")[2]
    with house.store.begin() as unit:
        by_name = Message(subject=Subject.NOTICE, key="refused/x", channel=rita, body={"text": "?"})
        unit.send(by_name)
        unit.send(replace(by_name, key="refused/y", channel=otto))
        unit.send(Message(subject=Subject.OUTCOME, key=run, run=run))
        unit.send(Message(subject=Subject.CODES, key=f"e1/{ref}", channel="D0RITA"))
        named = (f"T0/again/{user}/C0/1.2", run)
        unit.transaction.run("UPDATE run SET start_key = ? WHERE id = ?", named)
        unit.codes.hold(Ref(ref))

    house.erased(rita)
    house.swept()

    assert tables_with(house, user) == tables_with(house, "D0RITA") == set()
    assert tables_with(house, ref) <= {"approval_request", "audit_entry", "run"}
    assert "outbox" in tables_with(house, otto)
    assert house.verified().failures == []
    assert check_projections(house.store.database) == []


def test_a_hold_on_somebody_who_was_erased_meanwhile_is_refused(house: Kept) -> None:
    house.finished()
    gone = erased_by_one_who_dies(house, "rita")

    with pytest.raises(HoldError, match="erased meanwhile"):
        set_hold(house.store, Selector(Kind.PERSON, gone), reason="case 12", actor=id_of("ana"))

    assert set_hold(house.store, Selector(Kind.RUN, "r1"), reason="x", actor=id_of("ana"))


def erased_by_one_who_dies(house: Kept, name: str) -> Ref:
    """Erase somebody, and end before looking for what came in meanwhile; return who they were."""
    with house.store.begin() as unit:
        ref = unit.ref(id_of(name))
    erase(house.store, ref, policy=POLICY_DIGEST, by_run="0" * 32)
    assert id_of(name) not in house.persons()
    return ref


def wait_until_erased(house: Kept, name: str) -> None:
    wait_until(lambda: id_of(name) not in house.persons())


@pytest.mark.parametrize("how", ["swept", "erased"])
def test_a_hold_that_is_being_set_is_waited_for_before_anything_goes(
    postgres_url: str, tmp_path: Path, how: str
) -> None:
    for house in housed(postgres_url, tmp_path):
        run = house.finished()
        before = house.held_parts(run)
        house.days(200)
        with psycopg.connect(postgres_url, autocommit=True) as server, ThreadPoolExecutor() as pool:
            with house.store.begin() as unit:
                house.store.journal.place_pending(unit.transaction)
                unit.append(hold_on(run))
                removing = pool.submit(removes(house, how))
                wait_until_it_waits(server, removing)
            removing.result(timeout=30)

        assert house.held_parts(run) == before > 0
        assert house.verified().failures == []


def test_a_hold_waits_until_those_who_remove_payloads_are_done(
    postgres_url: str, tmp_path: Path
) -> None:
    for house in housed(postgres_url, tmp_path):
        run = house.finished()
        with psycopg.connect(postgres_url, autocommit=True) as server, ThreadPoolExecutor() as pool:
            with house.store.begin() as unit:
                house.store.journal.place_pending(unit.transaction)
                selector = Selector(Kind.RUN, run)
                setting = pool.submit(
                    set_hold, house.store, selector, reason="case 12", actor=SYSTEM
                )
                wait_until_it_waits(server, setting)
                was_set = setting.done()
            setting.result(timeout=30)

        assert not was_set


def test_an_erasure_of_nobody_or_of_more_than_one_removes_nothing(house: Kept) -> None:
    house.finished()
    with house.store.begin() as unit:
        for account in ("U0RITA1", "U0RITA2"):
            unit.ref(PersonId(f"slack:T0:{account}"), "Rita R.")
    port = LogPayloads(house.store, policy=lambda: POLICY_DIGEST)
    with pytest.raises(NotPerformedError, match="More than one person is known as Rita"):
        port.erase("Rita R.", by_run="0" * 32)
    with pytest.raises(NotPerformedError, match="Nobody in this log is known as nobody"):
        port.erase("nobody", by_run="0" * 32)

    assert port.counted("nobody") is None
    assert house.markers() == []
    assert not port.was_erased_by("0" * 32)


def test_an_erasure_that_the_database_refuses_was_not_performed(
    sqlite_url: str, tmp_path: Path
) -> None:
    for house in housed(sqlite_url, tmp_path):
        run = house.finished()
        before = house.held_parts(run)
        port = LogPayloads(house.store, policy=lambda: POLICY_DIGEST)
        with house.store.begin() as unit:
            unit.transaction.driver.execute("PRAGMA busy_timeout = 1")  # It would wait longer.
        with sqlite3.connect(sqlite_url, isolation_level=None) as writer:
            writer.execute("BEGIN IMMEDIATE")
            with pytest.raises(NotPerformedError) as refused:
                port.erase(id_of("rita"), by_run="0" * 32)
            writer.execute("ROLLBACK")
        assert refused.value.error_class == "storage"
        assert house.held_parts(run) == before
        assert not port.was_erased_by("0" * 32)

        port.erase(id_of("rita"), by_run="0" * 32)

        assert house.held_parts(run) < before
        assert port.was_erased_by("0" * 32)


def test_what_was_erased_is_told_though_its_bytes_could_not_be_overwritten_yet(
    sqlite_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("storage.retention.removal.PATIENCE", 0.0)
    for house in housed(sqlite_url, tmp_path):
        run = house.finished()
        port = LogPayloads(house.store, policy=lambda: POLICY_DIGEST)
        with house.store.database.read() as reader:
            reader.execute(select(RunRecord.id)).all()
            gone = port.erase(id_of("rita"), by_run="0" * 32)

        assert sum(one.goes for one in gone) > 0
        assert {one.run for one in gone} == {run}
        assert "erased words may be on the disk still" in caplog.messages
        assert id_of("rita") not in house.persons()


def wait_until_it_waits(server: psycopg.Connection, other: Future[Any]) -> None:
    """Return once that waits for the right to place entries, or is over without having waited."""
    wait_until(lambda: other.done() or server.execute(WAITS).fetchone() is not None)


def removes(house: Kept, how: str) -> Callable[[], object]:
    """Return what removes the payloads of Rita."""
    if how == "swept":
        return house.swept
    port = LogPayloads(house.store, policy=lambda: POLICY_DIGEST)
    return lambda: port.erase(id_of("rita"), by_run="0" * 32)


def hold_on(run: RunId) -> Draft:
    data: dict[str, Json] = {"hold": "h-1", "selector": f"run:{run}", "reason": "legal"}
    part = Part(value=b"case 12", cls=PartClass.BUSINESS)
    return Draft(kind="hold.set", actor=SYSTEM, data=data, parts={"reason": part})


def wait_until(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.02)


def answer(house: Kept, run: RunId, values: dict[str, object]) -> None:
    asked = next(one for one in house.entries(run) if one.kind == "question.asked")
    request = RequestId(str(asked.data["request"]))
    house.engine.answer(Answer(run=run, request=request, person=id_of("rita"), values=values))
    house.settle()
    assert house.status(run) == "done"


def write(house: Kept, run: RunId, words: str) -> None:
    with house.store.begin() as unit:
        unit.add_thread_message(run, "1.0", author=unit.ref(id_of("rita")), text=words)


def hold(house: Kept, name: str) -> None:
    with house.store.begin() as unit:
        ref = unit.ref(id_of(name))
    set_hold(house.store, Selector(Kind.PERSON, ref), reason="case 12", actor=SYSTEM)


def runs_of(house: Kept, name: str) -> list[RunId]:
    with house.store.database.read() as connection:
        found = select(RunRecord.id).where(RunRecord.workflow == name).order_by(RunRecord.id)
        return [RunId(one) for one in connection.execute(found).scalars()]


def tables_with(house: Kept, word: str) -> set[str]:
    """Return the tables of which some column of some row holds that word."""
    found = set()
    with house.store.database.read() as connection:
        for table in Base.metadata.sorted_tables:
            rows = connection.execute(select(*table.columns).order_by(*table.primary_key))
            if any(word.lower() in text_of(one) for row in rows for one in row):
                found.add(table.name)
    return found


def text_of(value: object) -> str:
    told = bytes(value).decode(errors="replace") if isinstance(value, bytes) else str(value)
    return told.lower()
