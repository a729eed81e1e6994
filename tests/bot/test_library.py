"""Definitions and policy as they are published, found again and retired."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import workflows
from bot.library import Library
from bot.opening import Memory, begin_log
from bot.settings import Settings
from storage.history import read_entries
from storage.rebuild import check_projections
from storage.rows import DatabaseRows
from storage.store import SqlStore
from workflows.actions.registry import all_actions
from workflows.catalog import Catalog
from workflows.entry import INTERLOCK, SYSTEM, Draft, Entry, Json
from workflows.errors import UnknownWorkflowError, UnreadableVersionError
from workflows.loading import load_policy

SHIPPED = Path(workflows.__file__).parent / "definitions"
NIGHTLY = (SHIPPED / "nightly-check.yaml").read_text()
CHANGED = NIGHTLY.replace("title: Nightly", "title: Daily", 1)
POLICY = SHIPPED / "demo-policy.yaml"


class Shelf:
    """A folder of workflow files and the library over it."""

    def __init__(self, memory: Memory, folder: Path) -> None:
        self.memory = memory
        self.folder = folder
        self.policy = POLICY.read_text()

    def write(self, text: str, name: str = "nightly-check.yaml") -> None:
        (self.folder / name).write_text(text)

    def read(self) -> Library:
        """Read the files as a process does at its start."""
        policy = load_policy(self.policy)
        rows = DatabaseRows(now=lambda: datetime.now(UTC))
        actions = all_actions(policy.targets, rows)
        library = Library(SqlStore(self.memory.database, self.memory.journal), actions)
        library.publish(Catalog.load([self.folder], actions, policy), policy)
        return library

    def entries(self) -> list[Entry]:
        with self.memory.database.read() as connection:
            return list(read_entries(connection, 1, 1000))

    def kinds(self) -> list[str]:
        return [one.kind for one in self.entries()]


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    memory = begin_log(Settings.model_validate({"home": tmp_path / "home"}))
    folder = tmp_path / "files"
    folder.mkdir()
    yield Shelf(memory, folder)
    memory.database.close()


def test_a_new_file_and_the_policy_become_entries_once(shelf: Shelf) -> None:
    shelf.write(NIGHTLY)
    shelf.read()
    shelf.read()

    assert shelf.kinds() == [
        "policy.changed",
        "role.granted",
        "workflow.published",
        "workflow.activated",
    ]


def test_a_changed_file_is_a_new_version_and_the_old_one_is_found_again(shelf: Shelf) -> None:
    shelf.write(NIGHTLY)
    old = shelf.read().active("nightly-check")
    shelf.write(CHANGED)
    library = shelf.read()
    new = library.active("nightly-check")

    assert new.version != old.version
    assert library.version(old.version) == old


def test_going_back_to_an_earlier_version_publishes_nothing_new(shelf: Shelf) -> None:
    shelf.write(NIGHTLY)
    first = shelf.read().active("nightly-check")
    shelf.write(CHANGED)
    shelf.read()
    shelf.write(NIGHTLY + "# only a comment\n")
    again = shelf.read().active("nightly-check")

    assert again.version == first.version
    assert shelf.kinds().count("workflow.published") == 2
    assert shelf.kinds().count("workflow.activated") == 3


def test_a_removed_file_retires_its_workflow_and_runs_still_find_it(shelf: Shelf) -> None:
    shelf.write(NIGHTLY)
    old = shelf.read().active("nightly-check")
    (shelf.folder / "nightly-check.yaml").unlink()
    library = shelf.read()

    assert shelf.kinds()[-1] == "workflow.retired"
    assert library.version(old.version) == old
    with pytest.raises(UnknownWorkflowError):
        library.active("nightly-check")


def test_a_file_with_faults_leaves_the_version_that_works(shelf: Shelf) -> None:
    shelf.write(NIGHTLY)
    old = shelf.read().active("nightly-check")
    shelf.write(NIGHTLY.replace("owner:", "ownr:"))

    assert shelf.read().active("nightly-check") == old
    assert "workflow.retired" not in shelf.kinds()


def test_a_changed_policy_is_one_entry_that_names_both_digests(shelf: Shelf) -> None:
    shelf.read()
    shelf.policy = shelf.policy.replace("expires: 4h", "expires: 5h")
    shelf.read()
    with shelf.memory.database.read() as connection:
        changes = [one for one in read_entries(connection, 1, 1000) if one.kind == "policy.changed"]

    assert [one.data["before"] for one in changes] == [None, changes[0].data["after"]]


def test_a_version_that_was_never_published_is_refused(shelf: Shelf) -> None:
    with pytest.raises(UnknownWorkflowError, match="never published"):
        shelf.read().version("0" * 64)


def test_a_workflow_that_starts_a_destructive_one_is_destructive_too(shelf: Shelf) -> None:
    shelf.write((SHIPPED / "refund-customer.yaml").read_text(), "refund-customer.yaml")
    inputs = 'inputs: {order: ord_1, amount: 5, reason: "Broken"}'
    head = NIGHTLY.partition("steps:")[0].partition("triggers:")[0]
    for name, target in (("outer", "inner"), ("inner", "refund-customer")):
        step = (
            f"steps:\n  - {{id: call, workflow: {target}, {inputs if name == 'inner' else ''}}}\n"
        )
        shelf.write(head.replace("nightly-check", name) + step, f"{name}.yaml")
    library = shelf.read()

    assert library.is_destructive(library.active("outer"))
    assert not library.is_destructive(_plain(shelf).active("nightly-check"))


def _plain(shelf: Shelf) -> Library:
    shelf.write(NIGHTLY)
    return shelf.read()


def test_a_version_that_only_a_newer_release_can_read_is_said_to_be_one(
    shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    shelf.write(NIGHTLY)
    written = shelf.read().active("nightly-check").canonical.replace(b'"workflow"', b'"flow"')
    version = hashlib.sha256(written).hexdigest()
    of_newer: dict[str, Json] = {"workflow": "nightly-check", "version": version}
    with SqlStore(shelf.memory.database, shelf.memory.journal).begin() as unit:
        for kind, more in (
            ("workflow.published", {"owner": "@a", "deputy": "@b", "actions": "c" * 64}),
            ("workflow.activated", {"replaces": None, "level": "trial"}),
        ):
            unit.append(Draft(kind=kind, actor=SYSTEM, data={**of_newer, **more}))
        unit.add_definition(version, written.decode())
    (shelf.folder / "nightly-check.yaml").write_text("broken: [")
    library = shelf.read()
    library.follow()

    with pytest.raises(UnreadableVersionError, match="newer release"):
        library.version(version)
    with pytest.raises(UnreadableVersionError):
        library.active("nightly-check")
    assert "a workflow cannot be run here" in caplog.messages


def test_a_process_that_publishes_nothing_follows_those_that_do(shelf: Shelf) -> None:
    shelf.write(NIGHTLY)
    following = shelf.read()
    shelf.write(CHANGED)
    newest = shelf.read().active("nightly-check")
    following.follow()

    assert following.active("nightly-check") == newest


def test_what_a_policy_binds_is_recorded_when_it_takes_effect(shelf: Shelf) -> None:
    some = '{to: "@audit", workflows: ["pay-*"]}'
    shelf.policy = shelf.policy.replace(
        "  governors:", f'  auditors: ["@audit", {some}]\n  governors:'
    )
    shelf.read()
    shelf.policy = POLICY.read_text().replace('"@governors"]', '"@owners"]')
    shelf.read()
    shelf.read()

    told = [(one.kind, *one.data.values()) for one in shelf.entries() if "role" in one.data]
    assert told == [
        ("role.granted", "auditor", "*", "@audit"),
        ("role.granted", "auditor", "pay-*", "@audit"),
        ("role.granted", "governor", "*", "@governors"),
        ("role.revoked", "auditor", "*", "@audit"),
        ("role.revoked", "auditor", "pay-*", "@audit"),
        ("role.revoked", "governor", "*", "@governors"),
        ("role.granted", "governor", "*", "@owners"),
    ]
    assert shelf.kinds()[4:] == ["policy.changed", *["role.revoked"] * 3, "role.granted"]
    assert check_projections(shelf.memory.database) == []


def test_a_version_that_comes_back_has_what_it_had_earned(shelf: Shelf) -> None:
    shelf.write(NIGHTLY)
    version = shelf.read().active("nightly-check").version
    named: dict[str, Json] = {"workflow": "nightly-check", "version": version}
    earned: dict[str, Json] = {"from": "trial", "to": "unattended", "reason": "earned"}
    with SqlStore(shelf.memory.database, shelf.memory.journal).begin() as unit:
        data = {**named, **earned}
        unit.append(Draft(kind="workflow.level_changed", actor=INTERLOCK, data=data))
    shelf.write(CHANGED)
    shelf.read()
    shelf.write(NIGHTLY)
    shelf.read()

    begun = [one.data["level"] for one in shelf.entries() if one.kind == "workflow.activated"]
    assert begun == ["trial", "trial", "unattended"]
