"""The tables of a pack say what its entries say, and nothing that a spreadsheet would run."""

import base64
import csv
import hashlib
import io
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg
import pytest

from storage.database import open_database
from storage.entry_bytes import pae
from storage.evidence.cells import cell, csv_row
from storage.evidence.export import Exported, Request, export
from storage.evidence.names import MANIFEST_TYPE, report_name
from storage.evidence.ranges import Bounds
from storage.evidence.reports.columns import COLUMNS
from storage.store import SqlStore
from storage.verify import verify_pack
from tests.storage.packs import AUDITOR, by_script
from tests.storage.trail import (
    BINDING,
    Trail,
    begin_trail,
    decided,
    in_run,
    intended,
    outside,
    requested,
    rotate_writer,
    started,
    sweep,
)
from workflows.binding import canonical
from workflows.entry import Actor, ActorKind, Draft, Json, Part, PartClass, Ref
from workflows.moments import stamp

MARKUP = "<img src=x onerror=alert(1)>"
EVIL = "=cmd|' /C calc'!A0"
Row = dict[str, str]


@dataclass
class Told:
    """A log in which something of everything happened, and its packs."""

    trail: Trail
    folder: Path
    places: dict[str, int]

    def export(
        self, name: str, *, start: int = 0, end: int | None = None, **wanted: object
    ) -> Exported:
        store = SqlStore(self.trail.database, self.trail.journal, now=self.trail.clock)
        bounds = Bounds(start=start, end=end)
        request = Request(out=self.folder / name, bounds=bounds, **wanted)  # type: ignore[arg-type]
        return export(store, request, person=AUDITOR, now=self.trail.clock())


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def told(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("told")
    url = str(folder / "interlock.db")
    if request.param == "postgres":
        server = request.getfixturevalue("postgres_server")
        url = _fresh(server)
    database = open_database(url)
    trail = begin_trail(url, database, folder / "home")
    yield Told(trail, folder, a_life_with_everything(trail))
    database.close()


def _fresh(server: str) -> str:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE told")
    return server.replace("/postgres?", "/told?", 1)


def a_life_with_everything(trail: Trail) -> dict[str, int]:
    trail.run("good")
    trail.run("own", approver="rita")
    trail.tell(_tried("good", trail.person("rita"), "requester"))
    trail.tell(_tried("elsewhere", trail.person("ana"), "closed"))
    typed: dict[str, Json] = {"enrolment": "e", "why": "wrong", "request": "good/ship"}
    trail.tell(outside("step_up.refused", {**typed, "person": trail.person("ana")}))
    wanted: dict[str, Json] = {"wanted": "publish", "workflow": "deploy", "why": "gate_lowered"}
    trail.tell(outside("proposal.refused", wanted))
    trail.run("denied", denied=True)
    _broken_glass(trail)
    _expired(trail)
    trail.tell(
        outside("policy.changed", {"name": EVIL, "before": "ab", "after": "cd", "by_run": None})
    )
    _late(trail)
    rotate_writer(trail)
    sweep(trail, PartClass.BUSINESS)
    _asked_a_model(trail)
    return {
        kind: trail.place_of(kind)
        for kind in ("policy.changed", "break_glass.used", "break_glass.reviewed", "model.asked")
    }


def _tried(run: str, who: Ref, why: str) -> Draft:
    data: dict[str, Json] = {
        "request": f"{run}/ship",
        "by_run": run,
        "decision": "approved",
        "why": why,
        "via": "slack",
        "slack": None,
    }
    return Draft(kind="approval.refused", actor=_person(who), data=data)


def _person(ref: Ref) -> Actor:
    return Actor(kind=ActorKind.USER, ref=ref)


def _broken_glass(trail: Trail) -> None:
    rita, dora = trail.person("rita"), trail.person("dora")
    trail.tell(started("glass", rita), requested("glass", trail.person("ana")))
    data: dict[str, Json] = {
        "request": "glass/ship",
        "step": "ship",
        "binding": BINDING,
        "review_by": stamp(trail.clock.at),
    }
    words = {"reason": Part(value=b"the site is down")}
    trail.tell(in_run("glass", "break_glass.used", data, actor=_person(dora), parts=words))
    trail.tell(intended("glass"))
    used = json.loads(trail.line(trail.place_of("break_glass.used")))["id"]
    review: dict[str, Json] = {"used": used, "verdict": "right", "by_run": "glass"}
    trail.tell(Draft(kind="break_glass.reviewed", actor=_person(trail.person("ana")), data=review))


def _expired(trail: Trail) -> None:
    trail.tell(started("old", trail.person("rita")), requested("old", trail.person("ana")))
    data: dict[str, Json] = {"request": "old/ship", "binding": BINDING, "have": 0, "need": 1}
    trail.tell(in_run("old", "approval.expired", data))
    trail.tell(in_run("old", "run.finished", {"outcome": "expired"}))


def _late(trail: Trail) -> None:
    """Have an outcome come once its run was given up: what it says stands outside of the run."""
    data: dict[str, Json] = {"step": "ship", "attempt": 1, "idem": "good/ship", "happened": "yes"}
    trail.tell(outside("action.resolved", {**data, "by": "late_reply", "by_run": "good"}))


def _asked_a_model(trail: Trail) -> None:
    asked: dict[str, Json] = {
        "call": "c1",
        "purpose": "summary",
        "provider": "local",
        "model": "small",
        "template": "ef",
        "params": {},
        "max_tokens": 100,
    }
    answered: dict[str, Json] = {
        "call": "c1",
        "model": "small-2",
        "tokens_in": 12,
        "tokens_out": 3,
        "cost_micro": 0,
        "finish": "stop",
        "ms": 5,
    }
    trail.tell(started("ai", trail.person("rita")), in_run("ai", "model.asked", asked))
    asks = requested("ai", trail.person("ana")).data
    trail.tell(in_run("ai", "model.answered", answered))
    trail.tell(in_run("ai", "approval.requested", {**asks, "rules": [MARKUP]}))
    trail.tell(decided("ai", trail.person("ana"), denied=True))


def rows(made: Exported, report: str) -> list[Row]:
    with (made.path / report_name(report)).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def whole(told: Told) -> Exported:
    return told.export("whole", sample=2, seed="Q1 '26")


def test_a_pack_with_reports_is_verified_by_both_verifiers(told: Told, whole: Exported) -> None:
    report = verify_pack(whole.path, [told.trail.pin], now=told.trail.clock, processes=1)
    code, found = by_script(whole.path, told.trail.pin)

    assert (report.exit, report.failures, report.unproven) == (0, [], [])
    assert (code, found["failures"]) == (0, [])
    assert sorted(one for one, _ in found["semantics"]) == sorted(
        one for one, _ in report.semantics if one != "kind-malformed"
    )
    assert "self-approval" in {one for one, _ in report.semantics}
    manifest = json.loads((whole.path / "manifest.json").read_text())
    assert {report_name(one) for one in COLUMNS} | {"report.html"} <= set(manifest["files"])
    assert len(manifest["period"]) == 2


def test_every_run_is_in_the_population(whole: Exported) -> None:
    found = {one["run"]: one for one in rows(whole, "population")}

    assert {run: one["outcome"] for run, one in found.items()} == {
        "good": "done",
        "own": "done",
        "denied": "denied",
        "glass": "open",
        "old": "expired",
        "ai": "open",
    }
    assert found["good"]["workflow"] == "deploy"
    assert found["good"]["who"] == "slack:T0ABC:rita"
    assert (found["good"]["entries"], found["good"]["decisions"]) == ("6", "1")


def test_approvals_say_who_when_and_against_which_request(told: Told, whole: Exported) -> None:
    found = {one["run"]: one for one in rows(whole, "approvals")}
    asked = json.loads(told.trail.line(int(found["good"]["asked"])))

    assert found["good"]["who"] == "slack:T0ABC:ana"
    assert found["denied"]["decision"] == "denied"
    assert asked["kind"] == "approval.requested"
    assert (found["good"]["seconds"], found["good"]["policy"]) == ("2", "cd")


def test_whoever_decided_their_own_request_is_flagged(whole: Exported) -> None:
    decided = [one for one in rows(whole, "sod") if one["decision"] != "refused"]
    found = {one["run"]: one["overlap"] for one in decided}

    assert found == {
        "good": "none",
        "own": "requester",
        "denied": "none",
        "glass": "alone",
        "ai": "none",
    }


def test_whoever_tried_to_decide_and_was_refused_is_listed(whole: Exported) -> None:
    own, other, code = [one for one in rows(whole, "sod") if one["decision"] == "refused"]

    assert (own["request"], own["wanted"], own["refused"]) == ("good/ship", "approved", "requester")
    assert own["actor"] == own["requester"] == own["wanted_by"]
    assert (code["wanted"], code["refused"]) == ("approved", "code_wrong")
    assert code["wanted_by"] == other["actor"]
    assert (other["refused"], other["requester"]) == ("closed", "")


def test_exceptions_stand_with_their_review(told: Told, whole: Exported) -> None:
    found = {one["exception"]: one for one in rows(whole, "exceptions")}

    assert list(found) == [
        "self-approval",
        "self-approval-tried",
        "code-refused",
        "proposal-refused",
        "break-glass",
        "expired",
        "late",
    ]
    assert (found["late"]["run"], found["late"]["step"]) == ("", "ship")
    assert found["proposal-refused"]["detail"] == "gate_lowered publish deploy"
    assert found["break-glass"]["review"] == str(told.places["break_glass.reviewed"])
    assert (found["break-glass"]["verdict"], found["break-glass"]["detail"]) == (
        "right",
        "reviewed late",
    )


def test_changes_cannot_carry_a_formula(told: Told, whole: Exported) -> None:
    changed = next(one for one in rows(whole, "changes") if one["kind"] == "policy.changed")

    assert (changed["subject"], changed["before"], changed["after"]) == (f"'{EVIL}", "ab", "cd")
    assert changed["idx"] == str(told.places["policy.changed"])


def test_a_key_that_was_added_is_named_of_either_role(told: Told, whole: Exported) -> None:
    (added,) = [one for one in rows(whole, "changes") if one["kind"] == "key.add"]
    line = json.loads(told.trail.line(int(added["idx"])))

    assert (added["subject"], added["after"]) == ("entry", cell(line["data"]["pk"]))
    assert added["detail"] == "worker-2"


def test_what_was_swept_and_what_is_still_held_is_told(whole: Exported) -> None:
    found = {(one["event"], one["subject"]): one for one in rows(whole, "retention")}

    assert set(found) == {("swept", "business"), ("oldest-held", "personal.content")}
    oldest = found["oldest-held", "personal.content"]
    assert (oldest["idx"], oldest["term"]) == ("1", "180d")
    assert (
        datetime.fromisoformat(oldest["due"]) - datetime.fromisoformat(oldest["ts"])
    ).days == 180


def test_a_model_is_told_with_the_decision_of_a_person(told: Told, whole: Exported) -> None:
    call = rows(whole, "ai")[0]

    assert call["idx"] == str(told.places["model.asked"])
    assert (call["model"], call["template"], call["finish"]) == ("small-2", "ef", "stop")
    assert (call["decision"], call["decided_by"][:2]) == ("denied", "s:")


def test_rows_stand_in_the_order_of_the_log(whole: Exported) -> None:
    for report in COLUMNS:
        places = [int(one["idx"]) for one in rows(whole, report)]

        assert places == sorted(places)


def test_the_same_range_gives_the_same_bytes(told: Told, whole: Exported) -> None:
    again = told.export("again", end=whole.end)
    for report in COLUMNS:
        name = report_name(report)

        assert (again.path / name).read_bytes() == (whole.path / name).read_bytes()


def test_a_part_tells_only_what_it_holds(told: Told) -> None:
    middle = told.trail.place_of("approval.granted")
    made = told.export("part", start=middle, end=told.places["break_glass.reviewed"])
    run, used = rows(made, "population")[0], rows(made, "exceptions")[-1]
    report = verify_pack(made.path, [told.trail.pin], now=told.trail.clock, processes=1)

    assert report.exit == 0
    assert (run["run"], run["workflow"], run["begun"]) == ("good", "", "before the range")
    assert rows(made, "sod")[0]["overlap"] == "unknown"
    assert (used["exception"], used["verdict"]) == ("break-glass", "none in the range")


def test_the_page_draws_the_same_runs_with_a_shell_alone(whole: Exported) -> None:
    page = (whole.path / "README").read_text().splitlines()
    command = next(one.strip() for one in page if one.startswith("    seed="))
    done = subprocess.run(
        ["bash", "-euc", command], cwd=whole.path, capture_output=True, text=True, check=True
    )

    assert sorted(done.stdout.split()) == sorted(whole.sampled)
    assert len(whole.sampled) == 2


def test_the_readable_report_needs_nothing_and_claims_nothing(told: Told, whole: Exported) -> None:
    page = (whole.path / "report.html").read_text()

    assert "<script" not in page
    assert "http://" not in page
    assert "https://" not in page
    assert page.index("Integrity:") < page.index("Completeness:") < page.index("does not prove")
    assert "self-approval" in page
    assert f"<td>{told.places['break_glass.used']}</td>" in page
    # A rule's name is somebody's words.
    assert "<img" not in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;") == 2
    assert page.count("<table>") == page.count("<caption")
    assert page.count("<svg") == page.count('role="img"') > 3


def lies_about_the_entry(text: str) -> str:
    return text.replace(",s:", ",s:0", 1)


def leaves_one_out(text: str) -> str:
    first, _, rest = text.partition("\n")
    return f"{first}\n{rest.partition(chr(10))[2]}"


def names_no_entry(text: str) -> str:
    return f"{text}99999{text.splitlines()[-1].partition(',')[1]}x\n"


def names_other_columns(text: str) -> str:
    return text.replace("idx", "id", 1)


@pytest.mark.parametrize("report", ["approvals", "population"])
@pytest.mark.parametrize(
    "lie", [lies_about_the_entry, leaves_one_out, names_no_entry, names_other_columns]
)
def test_a_report_that_lies_is_found_whoever_signs_it(
    told: Told, lie: Callable[[str], str], report: str
) -> None:
    made = told.export(f"{lie.__name__}-{report}")
    file = made.path / report_name(report)
    file.write_text(lie(file.read_text()))
    sign_again(told, made)
    verdict = verify_pack(made.path, [told.trail.pin], now=told.trail.clock, processes=1)
    code, found = by_script(made.path, told.trail.pin)

    assert (verdict.exit, verdict.codes) == (1, {"index-row"})
    assert (code, {one for one, _ in found["failures"]}) == (1, {"index-row"})


def sign_again(told: Told, made: Exported, *further: str) -> None:
    """Make the manifest fit the files, and list `further` ones, as who holds the log key could."""
    path = made.path / "manifest.json"
    said = json.loads(path.read_text())
    for name in (*said["files"], *further):
        content = (made.path / name).read_bytes()
        said["files"][name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    payload = canonical(said)
    path.write_bytes(payload)
    signature = told.trail.journal.sequencer.signers[0].sign(pae(MANIFEST_TYPE, payload))
    envelope = json.loads((made.path / "manifest.dsse.json").read_text())
    envelope["payload"] = base64.b64encode(payload).decode()
    envelope["signatures"][0]["sig"] = base64.b64encode(signature).decode()
    (made.path / "manifest.dsse.json").write_bytes(canonical(envelope))


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1"])
def test_no_cell_is_a_formula(start: str) -> None:
    assert cell(start) == f"'{start}"
    assert next(csv.reader(io.StringIO(csv_row([start, 'a "b", c']), ""))) == [
        f"'{start}",
        'a "b", c',
    ]
