"""Entries in other systems' forms say what the entries say, and say which form that is."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from storage.database import open_database
from storage.evidence.derived.cloudevents import cloud_event
from storage.evidence.derived.ocsf import ocsf_event
from storage.evidence.derived.sealed import Sealed
from storage.evidence.derived.written import Form, derived
from storage.evidence.ranges import Bounds
from tests.storage.trail import (
    Trail,
    begin_trail,
    executed,
    in_run,
    intended,
    outside,
    requested,
    started,
)
from workflows.entry import Json
from workflows.errors import EvidenceError

BROKEN = Sealed(idx=7, id="ab", ts="x", kind="gone", line="no json", members={})


@pytest.fixture(scope="module")
def trail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trail]:
    folder = tmp_path_factory.mktemp("derived")
    url = str(folder / "interlock.db")
    database = open_database(url)
    found = begin_trail(url, database, folder / "home")
    settled_run(found, "good")
    settled_run(found, "bad", denied=True)
    found.tell(outside("hold.lifted", {"hold": "=1+1", "reason": "over"}))
    yield found
    database.close()


def settled_run(trail: Trail, run: str, *, denied: bool = False) -> None:
    """Record a run whose decision says that it settled the request, as the engine's do."""
    rita, ana = trail.person("rita"), trail.person("ana")
    ask = requested(run, ana)
    more: dict[str, Json] = {"action": "shell.run", "effect": "destructive"}
    bound = {"request": f"{run}/ship", "binding": ask.data["binding"], "stage": 0, "have": 1}
    said: dict[str, Json] = {
        **bound,
        "need": 1,
        "via": "click",
        "step_up": False,
        "slack": None,
        "settles": True,
        "decision": "denied" if denied else "approved",
    }
    trail.tell(started(run, rita), in_run(run, ask.kind, {**ask.data, **more}))
    trail.tell(in_run(run, "approval.denied" if denied else "approval.granted", said))
    if not denied:
        trail.tell(intended(run))
        trail.tell(executed(run))
    trail.tell(in_run(run, "run.finished", {"outcome": "denied" if denied else "done"}))


def lines(trail: Trail, form: Form, *, run: str | None = None, **bounds: int) -> list[bytes]:
    with trail.database.read() as connection:
        return list(derived(connection, form, Bounds(**bounds), run=run))


def events(trail: Trail, form: Form, *, run: str | None = None) -> list[dict[str, Any]]:
    return [json.loads(one) for one in lines(trail, form, run=run)]


def test_every_entry_is_one_cloud_event(trail: Trail) -> None:
    found = events(trail, Form.CLOUDEVENTS)

    assert [one["data"] for one in found] == [
        json.loads(trail.line(place)) for place in range(trail.count())
    ]
    assert {one["specversion"] for one in found} == {"1.0"}
    assert {one["source"] for one in found} == {"//interlock.example/audit/T0ABC"}
    assert len({one["id"] for one in found}) == len(found)
    assert [int(one["sequence"]) for one in found] == list(range(len(found)))
    assert found[1] | {"data": None} == {
        "specversion": "1.0",
        "id": json.loads(trail.line(1))["id"],
        "source": "//interlock.example/audit/T0ABC",
        "type": "interlock.run.started",
        "time": json.loads(trail.line(1))["ts"],
        "sequence": "0000000000000001",
        "datacontenttype": "application/json",
        "subject": "good",
        "data": None,
    }


def test_every_entry_is_one_ocsf_event(trail: Trail) -> None:
    found = events(trail, Form.OCSF)
    begun, decided = found[1], next(o for o in found if o["message"] == "approval.granted")

    assert {one["metadata"]["version"] for one in found} == {"1.3.0"}
    assert all(one["type_uid"] == 100 * one["class_uid"] + one["activity_id"] for one in found)
    assert [one["raw_data"] for one in found][1] == trail.line(1)
    assert (begun["activity_id"], begun["entity"]) == (
        1,
        {"type": "run", "type_id": 99, "uid": "good"},
    )
    assert begun["actor"]["user"]["uid"].startswith("s:")
    assert datetime.fromtimestamp(begun["time"] / 1000, UTC).year == 2026
    assert (decided["activity_id"], decided["activity_name"]) == (99, "approval.granted")
    assert found[-1]["entity"] == {"type": "hold", "type_id": 99, "uid": "=1+1"}


def test_a_table_has_a_row_for_each_entry_and_no_formula(trail: Trail) -> None:
    text = b"".join(lines(trail, Form.CSV)).decode()
    rows = list(csv.DictReader(io.StringIO(text, "")))

    assert [int(one["idx"]) for one in rows] == list(range(trail.count()))
    assert json.loads(rows[-1]["data"]) == {"hold": "=1+1", "reason": "over"}
    assert rows[1]["parts"] == "message"


def test_an_approved_run_is_a_trace_whose_presented_and_executed_actions_agree(
    trail: Trail,
) -> None:
    found = events(trail, Form.AGENTACK, run="good")

    assert [one["type"] for one in found] == [
        "action_proposed",
        "approval_requested",
        "approval_decision",
        "action_executed",
        "session_end",
    ]
    assert found[1]["action"] == found[3]["action"]
    assert found[2]["decision"] == "allow"
    assert {one["session_id"] for one in found} == {"good"}
    assert {one["schema_version"] for one in found} == {2}


def test_a_denied_run_is_a_trace_in_which_nothing_was_executed(trail: Trail) -> None:
    found = events(trail, Form.AGENTACK, run="bad")

    assert [one["type"] for one in found][2:] == [
        "approval_decision",
        "action_blocked",
        "session_end",
    ]


def test_a_trace_is_of_one_run_that_is_there(trail: Trail) -> None:
    with pytest.raises(EvidenceError, match="of one run"):
        lines(trail, Form.AGENTACK)
    with pytest.raises(EvidenceError, match="nothing to trace"):
        lines(trail, Form.AGENTACK, run="nobody")


def test_a_part_of_the_log_is_handed_on(trail: Trail) -> None:
    found = [json.loads(one) for one in lines(trail, Form.CLOUDEVENTS, start=2, end=4)]

    assert [int(one["sequence"]) for one in found] == [2, 3]


def test_an_entry_that_was_broken_is_handed_on_as_text() -> None:
    event = json.loads(cloud_event(BROKEN, "o"))

    assert (event["data"], event["datacontenttype"]) == ("no json", "text/plain")
    assert "time" not in event
    assert json.loads(ocsf_event(BROKEN, "o"))["raw_data"] == "no json"
