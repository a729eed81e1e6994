"""Whatever lies in a folder of workflow files is refused at its place, and the others go on."""

import os
from pathlib import Path

import pytest

from tests.workflows.definition_kit import HEAD, REFUND, demo_policy, real_actions
from workflows.check import Report, check
from workflows.errors import DefinitionError
from workflows.fault import MOST
from workflows.loading import load_definition
from workflows.text_files import MOST_READ

WAIT = HEAD + "steps:\n  - {id: one, wait: 1s}\n"


def checked(folder: Path) -> Report:
    policy = demo_policy()
    return check([folder], real_actions(policy), policy)


def named(name: str, steps: str = "  - {id: one, wait: 1s}\n") -> str:
    return HEAD.replace("refund-customer", name) + "steps:\n" + steps


def calling(*targets: str) -> str:
    return "".join(f"  - {{id: s{at}, workflow: {one}}}\n" for at, one in enumerate(targets))


def test_what_is_no_file_of_text_is_refused_and_its_neighbours_are_used(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(REFUND)
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "device.yaml").symlink_to("/dev/zero")
    (tmp_path / "circle.yaml").symlink_to("circle.yaml")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "folder.yaml" / "up").symlink_to("..")
    (tmp_path / "gone.yaml").symlink_to("nothing")
    (tmp_path / "latin.yaml").write_bytes(b"workflow: a\ntitle: caf\xe9\n")
    with (tmp_path / "large.yaml").open("wb") as file:
        file.truncate(100 * MOST_READ)  # It takes no room on the disk.
    report = checked(tmp_path)
    said = {Path(one.file).name: str(one).partition(one.file)[2] for one in report.errors}

    assert [one.workflow for one in report.definitions] == ["refund-customer"]
    assert said == {
        "circle.yaml": ":1:1: cannot be read: Too many levels of symbolic links,"
        " put it right or remove it",
        "device.yaml": ":1:1: is no regular file, put a file there, or remove it",
        "folder.yaml": ":1:1: cannot be read: Is a directory, put it right or remove it",
        "gone.yaml": ":1:1: cannot be read: No such file or directory, put it right or remove it",
        "large.yaml": f":1:1: has more than {MOST_READ} bytes, split it",
        "latin.yaml": ":2:11: is not UTF-8 text: invalid continuation byte, save it as UTF-8",
        "pipe.yaml": ":1:1: is no regular file, put a file there, or remove it",
    }
    with pytest.raises(DefinitionError, match=r"pipe\.yaml:1:1: is no regular file"):
        load_definition(tmp_path / "pipe.yaml")


def test_a_file_full_of_faults_names_the_first_and_how_many_more_there_are(tmp_path: Path) -> None:
    (tmp_path / "long.yaml").write_text(HEAD + "steps:\n" + "- wait: 1s\n" * 5_000)
    (tmp_path / "good.yaml").write_text(REFUND)
    report = checked(tmp_path)

    assert len(report.errors) == MOST + 1
    assert "6:3: steps[0].id: is missing, give the step a short name" in str(report.errors[0])
    assert "has 4900 more faults, put those above right first" in str(report.errors[-1])
    assert [one.workflow for one in report.definitions] == ["refund-customer"]


def test_a_file_of_five_thousand_lines_is_read_as_any_other(tmp_path: Path) -> None:
    (tmp_path / "long.yaml").write_text(WAIT + "# why\n" * 5_000)

    assert checked(tmp_path).faults == ()


def test_two_files_of_one_workflow_are_told_and_the_first_counts(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(WAIT)
    (tmp_path / "b.yaml").write_text(WAIT.replace("1s", "2s"))
    report = checked(tmp_path)
    told = [str(one) for one in report.errors]

    assert len(told) == 1
    assert "b.yaml:1:11: workflow: " in told[0]
    assert "a.yaml already holds a workflow called refund-customer" in told[0]
    assert report.files["refund-customer"].endswith("a.yaml")


def test_an_owner_who_is_their_own_deputy_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(WAIT.replace("@support-leads", "@finance-ops"))
    told = [str(one) for one in checked(tmp_path).faults]

    assert len(told) == 1
    assert "4:9: warning: deputy: is the owner too, so nobody answers when" in told[0]


def test_ways_through_many_workflows_are_not_gone_one_by_one(tmp_path: Path) -> None:
    for layer in range(60):  # 2 to the 60th ways lead from the first to the last.
        for side in "ab":
            steps = calling(f"w{layer + 1}-a", f"w{layer + 1}-b") if layer < 59 else calling()
            text = named(f"w{layer}-{side}", steps or "  - {id: one, wait: 1s}\n")
            (tmp_path / f"{layer}-{side}.yaml").write_text(text)
    report = checked(tmp_path)

    assert report.errors == ()
    assert len(report.definitions) == 120


def test_a_circle_longer_than_any_stack_is_refused(tmp_path: Path) -> None:
    for number in range(300):
        steps = calling(f"w{(number + 1) % 300}")
        (tmp_path / f"{number}.yaml").write_text(named(f"w{number}", steps))
    told = checked(tmp_path).errors

    assert len(told) == 300
    assert "steps[0].workflow: starts itself: w0 → w1 → w2 → " in str(told[0])
