"""What `verify` says of a whole log: nothing wrong, or exactly what is unproven."""

import functools
import importlib
import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from storage.database import Database, open_database
from storage.verify import Report, verify_database
from tests.storage.forging import put, sealed_by
from tests.storage.trail import (
    BINDING,
    Trail,
    begin_trail,
    decided,
    delegated,
    edited,
    erase_person,
    executed,
    in_run,
    intended,
    outside,
    requested,
    rotate_log_key,
    rotate_writer,
    started,
    sweep,
)
from workflows.entry import Actor, ActorKind, Draft, Json, Part, PartClass, Ref


@pytest.fixture
def trail(database_url: str, database: Database, home: Path) -> Trail:
    return begin_trail(database_url, database, home)


def a_full_life(trail: Trail) -> str:
    """Twelve runs, a denial, an erasure, a sweep and both rotations; return an outside note."""
    for number in range(6):
        trail.run(f"r{number}")
    note = trail.outside_note()
    trail.run("denied", denied=True)
    erase_person(trail, "rita")
    sweep(trail, PartClass.BUSINESS)
    rotate_writer(trail)
    rotate_log_key(trail)
    for number in range(6, 12):
        trail.run(f"r{number}")
    return note


def verified(trail: Trail, *notes: str, quick: bool = False, sample: int | None = None) -> Report:
    return verify_database(
        trail.url, [trail.pin], notes, quick=quick, sample=sample, now=trail.clock, processes=1
    )


def test_a_log_is_verified_at_an_address_that_asks_for_a_server_that_writes(
    blank_postgres_url: str, home: Path
) -> None:
    database = open_database(blank_postgres_url)
    trail = begin_trail(blank_postgres_url, database, home)
    trail.run("r1")
    note = trail.outside_note()
    database.close()
    asking = replace(trail, url=f"{blank_postgres_url}&target_session_attrs=read-write")

    assert verified(asking, note).exit == 0


def test_a_whole_log_is_verified(trail: Trail) -> None:
    note = a_full_life(trail)
    report = verified(trail, note)

    assert (report.exit, report.failures, report.unproven) == (0, [], [])
    assert report.semantics == []
    assert report.warnings == []
    assert report.counts["signatures_skipped"] == 0
    assert int(report.counts["parts_gone"]) >= 7


def test_a_quick_look_checks_hashes_roots_and_notes(trail: Trail) -> None:
    note = a_full_life(trail)
    report = verified(trail, note, quick=True)

    assert (report.exit, report.failures, report.unproven) == (0, [], [])
    assert report.counts["signatures_checked"] == 0


def test_a_sample_states_what_it_skipped(trail: Trail) -> None:
    trail.run("r1")
    report = verified(trail, sample=3)

    assert report.exit == 0
    assert (report.counts["signatures_checked"], report.counts["signatures_skipped"]) == (3, 4)


def test_many_signatures_are_checked_in_several_processes(
    trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.verify.signatures.WORTH_A_PROCESS", 1)
    trail.run("r1")
    flipped = trail.place_of("action.executed")
    changed = "replace(line, '\"ms\":12', '\"ms\":13')"
    trail.run_sql(f"UPDATE audit_entry SET line = {changed} WHERE idx = {flipped}")
    report = verify_database(trail.url, [trail.pin], now=trail.clock, processes=2)

    assert ("entry-signature", f"The signature of entry {flipped} is false.") in report.failures


def test_no_process_is_begun_where_there_is_no_signature_to_check(
    trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.verify.signatures.WORTH_A_PROCESS", 1)
    monkeypatch.setattr("storage.verify.signatures.ProcessPoolExecutor", None)
    report = verify_database(trail.url, [trail.pin], now=trail.clock, processes=2, quick=True)

    assert report.exit == 0


def test_without_a_key_the_log_only_vouches_for_itself(trail: Trail) -> None:
    report = verify_database(trail.url, [], now=trail.clock)

    assert report.exit == 3
    assert [code for code, _text in report.unproven] == ["unpinned"]


def test_the_second_key_pinned_alone_leaves_earlier_heads_untrusted(trail: Trail) -> None:
    trail.run("r1")
    trail.outside_note()
    fresh = rotate_log_key(trail)
    report = verify_database(trail.url, [fresh.vkey], now=trail.clock)

    assert report.codes == {"checkpoint-untrusted"}
    assert [code for code, _text in report.warnings] == ["genesis"]


def test_a_note_pasted_from_slack_is_read(trail: Trail) -> None:
    note = trail.outside_note()
    pasted = note.replace("interlock.example", "<http://interlock.example|interlock.example>")
    report = verified(trail, f"```{pasted}```")
    printed = verified(trail, f"{note}\nvkey {trail.pin}\n")  # By `interlock audit head`.

    assert (report.exit, printed.exit) == (0, 0)


def test_a_note_that_the_log_does_not_list_any_more_is_unproven(trail: Trail) -> None:
    note = trail.outside_note()
    trail.run("r1")
    trail.run_sql("DELETE FROM audit_checkpoint WHERE size = 1")
    report = verified(trail, note)

    assert report.exit == 3
    assert [code for code, _text in report.unproven] == ["pin-not-kept"]


def test_an_old_outside_note_is_stale(trail: Trail) -> None:
    note = trail.outside_note()
    trail.clock.at += timedelta(days=9)
    how = {"now": trail.clock, "max_age": timedelta(days=8)}
    stale = verify_database(trail.url, [trail.pin], [note], **how)
    none = verify_database(trail.url, [trail.pin], [], **how)

    assert [code for code, _text in stale.unproven] == ["anchor-stale"]
    assert [code for code, _text in none.unproven] == ["anchor-stale"]
    assert int(stale.counts["outside_head_age_s"]) > 9 * 86_400


def test_an_entry_that_waits_for_its_place_for_long_is_unproven(trail: Trail) -> None:
    put(trail, sealed_by(trail.journal.writer, "access.read", {"what": "runs", "n": 1}))
    trail.clock.at += timedelta(seconds=10)
    report = verified(trail)

    assert report.exit == 3
    assert [code for code, _text in report.unproven] == ["pending"]


def test_a_clock_that_went_back_is_a_warning(trail: Trail) -> None:
    trail.run("r1")
    trail.clock.at -= timedelta(minutes=10)
    trail.run("r2")
    report = verified(trail)

    assert report.exit == 0
    assert {code for code, _text in report.warnings} == {"clock"}


def test_a_clock_that_was_far_ahead_is_told_once_and_hides_nothing(trail: Trail) -> None:
    now = trail.clock.at
    trail.clock.at += timedelta(days=400)
    trail.run("ahead")
    trail.clock.at = now
    for number in range(120):
        trail.tell(started(f"r{number}", trail.person("rita")))
    trail.clock.at -= timedelta(days=1)
    trail.tell(outside("hold.lifted", {"hold": "h", "reason": "over"}))
    trail.tell(intended("r119"))
    report = verified(trail)

    assert [code for code, _text in report.warnings] == ["clock", "clock"]
    assert {"run-without-end", "intent-without-end"} < {code for code, _text in report.semantics}


def test_a_copy_without_constraints_verifies_like_the_original(trail: Trail) -> None:
    note = a_full_life(trail)
    trail.as_plain_tables()
    report = verified(trail, note)

    assert (report.exit, report.failures) == (0, [])
    assert {code for code, _text in report.warnings} == {"trigger"}


def test_what_the_entries_tell_stands_apart_and_decides_nothing(trail: Trail) -> None:
    rita, ana = trail.person("rita"), trail.person("ana")
    trail.run("own", approver="rita")
    trail.run("stranger", approver="zoe")
    trail.tell(started("open", rita), decided("open", ana, denied=False), intended("open"))
    report = verified(trail)

    assert report.exit == 0
    assert [code for code, _text in report.semantics] == [
        "self-approval",
        "ineligible-approver",
        "decision-unasked",
        "intent-unasked",
        "run-without-end",
        "intent-without-end",
    ]


def approved_for(trail: Trail, giver: str, by: str, *words: tuple[str, str | None]) -> list[str]:
    """Return what is told of an approval that `by` gave for `giver`, after these words.

    Each word is a person, and who stands in for them.
    """
    rita, ana = trail.person("rita"), trail.person("ana")
    for person, stand_in in words:
        to = None if stand_in is None else trail.person(stand_in)
        trail.tell(delegated(trail.person(person), to, until=trail.clock.at + timedelta(hours=1)))
    trail.tell(started("r1", rita), requested("r1", ana))
    trail.tell(decided("r1", trail.person(by), denied=False, stands_for=trail.person(giver)))
    trail.tell(intended("r1"), executed("r1"))
    trail.tell(in_run("r1", "run.finished", {"outcome": "done"}))
    return [code for code, _text in verified(trail).semantics]


def test_who_stood_in_when_they_approved_is_as_good_as_who_was_asked(trail: Trail) -> None:
    assert approved_for(trail, "ana", "dora", ("ana", "dora")) == []


@pytest.mark.parametrize(
    ("giver", "by", "words", "told"),
    [
        ("ana", "dora", [], ["no-delegation"]),
        ("ana", "dora", [("ana", "zoe")], ["no-delegation"]),
        ("ana", "dora", [("ana", "dora"), ("ana", None)], ["no-delegation"]),
        ("ana", "dora", [("ana", "ben"), ("ben", "dora")], ["no-delegation"]),
        ("zoe", "dora", [("zoe", "dora")], ["ineligible-approver"]),
        ("ana", "rita", [("ana", "rita")], ["self-approval"]),
        ("ana", "dora", [("ana", "dora"), ("rita", "dora")], ["acts-for-excluded"]),
    ],
)
def test_who_did_not_stand_in_or_acts_for_the_requester_is_told(
    trail: Trail, giver: str, by: str, words: list[tuple[str, str | None]], told: list[str]
) -> None:
    assert approved_for(trail, giver, by, *words) == told


def test_a_delegation_that_was_over_or_came_later_covers_nothing(trail: Trail) -> None:
    ana, dora = trail.person("ana"), trail.person("dora")
    trail.tell(delegated(ana, dora, until=trail.clock.at + timedelta(hours=1)))
    trail.clock.at += timedelta(hours=2)
    told = approved_for(trail, "ana", "dora")
    trail.tell(delegated(ana, dora, until=trail.clock.at + timedelta(hours=1)))

    assert told == ["no-delegation"]
    assert [code for code, _text in verified(trail).semantics] == ["no-delegation"]


def test_a_stand_in_counts_once(trail: Trail) -> None:
    rita, ana, dora = (trail.person(one) for one in ("rita", "ana", "dora"))
    trail.tell(delegated(ana, dora, until=trail.clock.at + timedelta(hours=1)))
    trail.tell(started("r1", rita), requested("r1", ana, dora, approve=2))
    trail.tell(decided("r1", dora, denied=False))
    trail.tell(decided("r1", dora, denied=False, stands_for=ana))

    assert "counted-twice" in {code for code, _text in verified(trail).semantics}


@pytest.mark.parametrize("step_up", [None, False])
def test_an_approval_without_the_code_it_needs_is_told(
    trail: Trail, *, step_up: bool | None
) -> None:
    rita, ana = trail.person("rita"), trail.person("ana")
    asked = requested("r1", ana)
    trail.tell(started("r1", rita), replace(asked, data={**asked.data, "step_up": "totp"}))
    given = decided("r1", ana, denied=False)
    trail.tell(replace(given, data={**given.data, "step_up": step_up}))
    without = [code for code, _text in verified(trail).semantics]
    trail.tell(in_run("r1", "run.finished", {"outcome": "done"}))

    assert "step-up" in without
    trail.tell(started("r2", rita), replace(requested("r2", ana), data=_coded("r2", ana)))
    good = decided("r2", ana, denied=False)
    trail.tell(replace(good, data={**good.data, "step_up": True}))
    assert [code for code, _text in verified(trail).semantics].count("step-up") == 1


def _coded(run: str, person: Ref) -> dict[str, Json]:
    return {**requested(run, person).data, "step_up": "totp"}


def test_an_effect_other_than_the_approved_one_is_told(trail: Trail) -> None:
    trail.tell(
        started("r2", trail.person("rita")),
        requested("r2", trail.person("ana")),
        intended("r2", bound="ee" * 32),
    )

    assert {"binding", "quorum"} <= {code for code, _text in verified(trail).semantics}


def test_whoever_changed_what_is_asked_and_approves_it_is_told(trail: Trail) -> None:
    rita, ana = trail.person("rita"), trail.person("ana")
    trail.tell(started("r2", rita), requested("r2", ana), edited("r2", ana))
    trail.tell(decided("r2", ana, denied=False))

    codes = [code for code, _text in verified(trail).semantics]
    assert codes[:2] == ["decision-late", "self-approval"]


def test_a_change_of_what_was_settled_is_told(trail: Trail) -> None:
    rita, ana = trail.person("rita"), trail.person("ana")
    trail.tell(started("r2", rita), requested("r2", ana), decided("r2", ana, denied=False))
    trail.tell(edited("r2", rita))

    assert "edit-late" in {code for code, _text in verified(trail).semantics}


@pytest.mark.parametrize(
    "key", ["", "nonsense", "a+b+c", "interlock.example/audit/T0ABC+00000000+AQ=="]
)
def test_a_key_that_is_none_is_told_in_a_sentence(trail: Trail, key: str) -> None:
    report = verify_database(trail.url, [key])

    assert report.exit == 2
    assert "verifier key" in str(report.malformed)


def test_a_folder_that_takes_no_files_is_told_with_what_to_do(
    trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "://" in trail.url:
        pytest.skip("A server has its files elsewhere.")

    def open_there(path: Path) -> sqlite3.Connection:
        # Root may write anywhere, so SQLite is made to say what it says to others at the open.
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            connection.execute("CREATE TABLE beside (one)")
        finally:
            connection.close()
        return connection

    source = importlib.import_module("storage.verify.database_source")
    monkeypatch.setattr(source, "_read_only", lambda path: functools.partial(open_there, path))
    report = verify_database(trail.url, [trail.pin])

    assert report.exit == 2
    assert "Copy the database into a folder of yours" in (report.malformed or "")


def test_a_file_that_is_no_database_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "noise.db").write_bytes(b"noise" * 4_000)

    for name in ("noise.db", "missing.db"):
        report = verify_database(str(tmp_path / name), [])
        assert report.exit == 2
        assert report.malformed


def test_a_verification_writes_nothing(tmp_path: Path, trail: Trail) -> None:
    trail.run("r1")
    before = {path.name for path in tmp_path.iterdir()}
    verified(trail)

    assert {path.name for path in tmp_path.iterdir()} == before


def test_the_json_form_has_the_agreed_members(trail: Trail) -> None:
    assert verified(trail).to_json() | {"counts": {}} == {
        "ok": True,
        "exit": 0,
        "counts": {},
        "failures": [],
        "n_failures": 0,
        "unproven": [],
        "warnings": [],
        "semantics": [],
    }


def broke_glass(run: str, who: Ref, *, bound: str = BINDING, reason: bool = True) -> Draft:
    data: dict[str, Json] = {
        "request": f"{run}/ship",
        "step": "ship",
        "binding": bound,
        "review_by": "2026-03-03T09:00:00.000Z",
    }
    parts = {"reason": Part(value=b"the shop is down")} if reason else {}
    actor = Actor(kind=ActorKind.USER, ref=who)
    return in_run(run, "break_glass.used", data, actor=actor, parts=parts)


def reviewed(run: str, used: str, who: Ref) -> Draft:
    data: dict[str, Json] = {"used": used, "verdict": "right", "by_run": run}
    actor = Actor(kind=ActorKind.USER, ref=who)
    return Draft(kind="break_glass.reviewed", actor=actor, data=data)


def asked_with_glass(
    trail: Trail,
    run: str,
    *,
    breakers: tuple[str, ...] = ("otto",),
    step_up: str | None = None,
) -> None:
    draft = requested(run, trail.person("ana"))
    glass: Json = {
        "from": ["@on-call"],
        "people": [str(trail.person(one)) for one in breakers],
        "by": ["@governors"],
        "review": 86_400,
    }
    with_glass = replace(draft, data={**draft.data, "glass": glass, "step_up": step_up})
    trail.tell(started(run, trail.person("rita")), with_glass)


def ended(trail: Trail, run: str) -> None:
    trail.tell(intended(run))
    trail.tell(executed(run))
    trail.tell(in_run(run, "run.finished", {"outcome": "done"}))


@pytest.mark.parametrize("who", ["otto", "rita"])
def test_an_effect_under_broken_glass_is_as_good_as_an_approved_one(trail: Trail, who: str) -> None:
    asked_with_glass(trail, "r1", breakers=("otto", "rita"))
    (used,) = trail.tell(broke_glass("r1", trail.person(who)))
    ended(trail, "r1")
    trail.tell(reviewed("r1", used.entry.id, trail.person("gina")))
    report = verified(trail)

    assert (report.exit, report.semantics) == (0, [])


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"who": "zoe"}, "glass-ineligible"),
        ({"who": "ana"}, "glass-ineligible"),
        ({"bound": "ee" * 32}, "binding"),
        ({"reason": False}, "glass-without-reason"),
        ({"closes": "approval.expired"}, "decision-late"),
        ({"denied": True}, "decision-late"),
        ({"unasked": True}, "glass-unasked"),
        ({"wants_code": True}, "glass-without-code"),
    ],
)
def test_any_other_broken_glass_is_told_and_lets_no_effect_through(
    trail: Trail, how: dict[str, Any], code: str
) -> None:
    asked_with_glass(trail, "r1", step_up="totp" if how.get("wants_code") else None)
    if how.get("denied"):
        trail.tell(decided("r1", trail.person("ana"), denied=True))
    if kind := how.get("closes"):
        request: dict[str, Json] = {"request": "r1/ship", "binding": BINDING}
        trail.tell(in_run("r1", kind, {**request, "have": 0, "need": 1}))
    run = "other" if how.get("unasked") else "r1"
    if run == "other":
        trail.tell(started("other", trail.person("rita")))
    draft = broke_glass(
        run,
        trail.person(how.get("who", "otto")),
        bound=how.get("bound", BINDING),
        reason=how.get("reason", True),
    )
    trail.tell(draft)
    ended(trail, "r1")
    codes = [found for found, _text in verified(trail).semantics]

    assert code in codes
    assert "quorum" in codes


def test_a_glass_that_the_request_did_not_offer_is_none(trail: Trail) -> None:
    trail.tell(started("r1", trail.person("rita")), requested("r1", trail.person("ana")))
    trail.tell(broke_glass("r1", trail.person("ana")))
    ended(trail, "r1")

    assert [code for code, _text in verified(trail).semantics] == ["glass-ineligible", "quorum"]


def test_whoever_broke_the_glass_does_not_review_it(trail: Trail) -> None:
    asked_with_glass(trail, "r1")
    (used,) = trail.tell(broke_glass("r1", trail.person("otto")))
    ended(trail, "r1")
    trail.tell(reviewed("r1", used.entry.id, trail.person("otto")))

    assert [code for code, _text in verified(trail).semantics] == ["self-review"]


def test_its_progress_never_goes_back_and_has_the_tables_in_it(trail: Trail) -> None:
    trail.run("r1")
    met: list[tuple[int, int]] = []
    verify_database(
        trail.url,
        [trail.pin],
        now=trail.clock,
        tables=True,
        progress=lambda *seen: met.append(seen),
    )

    shares = [done / whole for done, whole in met]
    assert shares == sorted(shares)
    assert met == [(7, 14), (7, 14)]


def test_two_processes_find_what_one_finds(trail: Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.verify.signatures.WORTH_A_PROCESS", 1)
    trail.run("r1")
    line = trail.line(3)
    false = f"{line[:-100]}{'B' if line[-100] == 'A' else 'A'}{line[-99:]}"
    trail.run_sql(f"UPDATE audit_entry SET line = '{false}' WHERE idx = 3")
    met: list[tuple[int, int]] = []
    reports = [
        verify_database(
            trail.url,
            [trail.pin],
            now=trail.clock,
            processes=processes,
            progress=lambda *seen: met.append(seen),
        )
        for processes in (1, 2)
    ]

    assert "entry-signature" in reports[0].codes
    assert sorted(reports[0].failures) == sorted(reports[1].failures)
    assert met == [(7, 7), (7, 7)]


def test_what_cannot_be_read_counts_as_a_failure_in_the_json_form() -> None:
    told = Report(malformed="entries.jsonl is cut off").to_json()

    assert (told["exit"], told["n_failures"]) == (2, len(told["failures"])) == (2, 1)
