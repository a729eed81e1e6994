"""The commit of a file is found out without running anything that a repository configures."""

import os
import subprocess
from pathlib import Path

import pytest

from bot.git_commit import commit_of
from tests.bot.catalog import PLAIN, POLICY, Office

IDENTITY = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")


def git(folder: Path, *words: str) -> str:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ("git", *IDENTITY, "-C", str(folder), *words),
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_a_file_has_the_commit_that_is_checked_out_and_says_if_it_differs(tmp_path: Path) -> None:
    file = tmp_path / "tidy-up.yaml"
    file.write_text(PLAIN)
    outside = commit_of(file)
    git(tmp_path, "init", "-q")
    before = commit_of(file)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    whole = commit_of(file)
    trap = tmp_path / "ran"
    git(tmp_path, "config", "core.fsmonitor", f"touch {trap}")
    git(tmp_path, "config", "filter.x.clean", f"touch {trap}; cat")
    (tmp_path / ".gitattributes").write_text("*.yaml filter=x\n")
    file.write_text(f"{PLAIN}# more\n")
    changed = commit_of(file)

    assert (outside, before) == (None, None)
    assert whole is not None
    assert changed is not None
    assert whole.id == changed.id == git(tmp_path, "rev-parse", "HEAD")
    assert (whole.is_committed, changed.is_committed) == (True, False)
    assert not trap.exists()


def test_without_git_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert commit_of(tmp_path / "tidy-up.yaml") is None


def test_what_counts_without_a_gate_is_recorded_with_its_commit(tmp_path: Path) -> None:
    office = Office(tmp_path, POLICY)
    file = office.write("files/tidy-up.yaml", PLAIN)
    git(file.parent, "init", "-q")
    git(file.parent, "add", ".")
    git(file.parent, "commit", "-qm", "one")
    office.restart()
    told = office.log("workflow.published")[-1].data
    office.core.memory.database.close()

    assert told["commit"] == git(file.parent, "rev-parse", "HEAD")
    assert told["committed"] is True
