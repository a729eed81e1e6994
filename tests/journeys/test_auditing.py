"""A run told as one timeline, in Slack and on the command line, and one entry explained."""

import json
import sqlite3
from contextlib import closing

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from tests.journeys.company import OPS, Scene

FORM = {"Order": "ord_1001", "Amount in cents": "500", "Reason": "Arrived broken"}


def interlock(*words: str) -> Result:
    return CliRunner().invoke(main, [*words])


def test_a_run_is_told_as_a_timeline_with_whose_approval_it_rests_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERLOCK_HOME", str(scene.stage.home))
    with scene.serving():
        root = scene.fills("rita", "refund-customer", FORM)
        card = scene.card(root)
        button = next(one for one in card.buttons if one != "Review")
        scene.person("rita").click(button, message=card)
        scene.person("rita").wait_for_ephemeral("someone else has to decide it")
        scene.person("ana").click(button, message=card)
        scene.ends(root, "done")
        run = json.loads(interlock("runs", "--json").stdout)["runs"][0]["run"]
        gil = scene.person("gil")
        gil.command(f"/ops audit {run}", channel=OPS)
        told = gil.wait_for_ephemeral("Audit of run").words
        lines = interlock("show", run, "--timeline").stdout
        data = json.loads(interlock("show", run, "--timeline", "--json").stdout)
        approval = next(one for one in data["timeline"] if one["kind"] == "approval.granted")
        effect = next(one for one in data["timeline"] if one["kind"] == "action.intended")
        explained = interlock("audit", "explain", str(effect["index"]))
        known = json.loads(interlock("audit", "explain", str(approval["index"]), "--json").stdout)

    assert f"✅ on the approval of @ana (`#{approval['index']}`)" in told
    assert "asked · interlock" in told
    assert "Wanted to approve; refused: it was their own request" in told
    assert [one["by"] for one in data["timeline"] if one["did"] == "tried"] == ["rita"]
    assert [one["index"] for one in data["timeline"]] == sorted(
        one["index"] for one in data["timeline"]
    )
    assert effect["approved_by"] == [{"by": "ana", "index": approval["index"]}]
    assert f"on the approval of ana (#{approval['index']})" in lines
    assert approval["shown"].endswith(": POST shop /refunds")
    assert [one["did"] for one in data["timeline"]][:2] == ["asked", "saw"]
    assert explained.exit_code == 0, explained.output
    assert explained.stdout.endswith("It holds.\n")
    assert effect["index"] in known["bound"]
    assert known["proof"]["ok"] is True


def test_a_run_of_which_somebody_rewrote_an_entry_is_told_without_a_trace(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERLOCK_HOME", str(scene.stage.home))
    with scene.serving():
        scene.card(scene.fills("rita", "refund-customer", FORM))
        run = json.loads(interlock("runs", "--json").stdout)["runs"][0]["run"]
    with closing(sqlite3.connect(scene.stage.home / "interlock.db")) as owner:
        owner.execute("UPDATE audit_part SET body = x'ff' WHERE name = 'preview'")
        owner.commit()
        shown = interlock("show", run, "--timeline")
        owner.execute("DROP TRIGGER audit_entry_only_place")
        owner.execute(
            "UPDATE audit_entry SET line = json_set(line, '$.data', 'x')"
            " WHERE kind = 'approval.requested'"
        )
        owner.commit()
    refused = [interlock("show", run), interlock("show", run, "--timeline")]

    assert (shown.exit_code, "shown: what cannot be read" in shown.stdout) == (0, True)
    assert [one.exit_code for one in refused] == [2, 2]
    assert all("The log cannot be read: Entry " in one.stderr for one in refused)


def test_a_run_that_is_not_there_is_not_told(scene: Scene) -> None:
    with scene.serving():
        rita = scene.person("rita")
        rita.command("/ops audit 0000", channel=OPS)
        rita.wait_for_ephemeral("There is no run")
        rita.command("/ops audit", channel=OPS)

        assert "audit RUN" in rita.wait_for_ephemeral("Say which run").words
