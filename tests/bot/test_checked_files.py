"""What was found sound is not checked at every start; what has changed is."""

import json
import subprocess
import sys
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

import workflows
from bot.checked_files import NAME, CheckedFiles
from storage.rows import DatabaseRows
from workflows.actions.registry import all_actions
from workflows.catalog import Catalog
from workflows.definition_file import Document, read_document
from workflows.errors import DefinitionError
from workflows.policy import Policy

SHIPPED = Path(workflows.__file__).parent / "definitions"
POLICY = (SHIPPED / "demo-policy.yaml").read_text()
REFUND = (SHIPPED / "refund-customer.yaml").read_text()
NIGHTLY = (SHIPPED / "nightly-check.yaml").read_text()
START = """
import sys
from pathlib import Path
from tests.bot.test_checked_files import loaded
loaded(Path(sys.argv[1]))
print("cel_expr_python" in sys.modules)
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "refund-customer.yaml").write_text(REFUND)
    (tmp_path / "policy.yaml").write_text(POLICY)
    return tmp_path


def loaded(home: Path, published: Collection[str] = ()) -> Catalog:
    """Read policy and workflow files as a process does at its start."""
    checked = CheckedFiles(home, is_published=published.__contains__)
    policy = checked.policy(home / "policy.yaml")
    actions = all_actions(policy.targets, DatabaseRows(now=lambda: datetime.now(UTC)))
    return checked.catalog(home / "workflows", actions, policy)


def loads_the_language(home: Path) -> str:
    command = [sys.executable, "-c", START, str(home)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_a_start_on_files_known_to_be_sound_does_not_load_the_expression_language(
    home: Path,
) -> None:
    assert [loads_the_language(home) for _ in range(2)] == ["True", "False"]


def test_a_file_that_was_changed_is_checked_again(home: Path) -> None:
    loaded(home)
    wrong = REFUND.replace("inputs.amount <=", "inputs.amuont <=")
    (home / "workflows" / "refund-customer.yaml").write_text(wrong)

    assert wrong != REFUND
    assert "inputs.amuont" in str(loaded(home).faults[0])
    assert "inputs.amuont" in str(loaded(home).faults[0])  # And it is not forgotten.


def test_another_policy_makes_every_file_worth_a_look(home: Path) -> None:
    loaded(home)
    (home / "policy.yaml").write_text(POLICY.replace("  shop:", "  store:", 1))

    assert "no service 'shop'" in str(loaded(home).faults[0])


def test_a_policy_that_was_changed_is_checked_again(home: Path) -> None:
    loaded(home)
    (home / "policy.yaml").write_text(POLICY.replace('effect == "destructive"', "efect == 1", 1))

    for _ in range(2):
        with pytest.raises(DefinitionError, match="efect"):
            loaded(home)


def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note from now on which files are parsed, by their names."""
    found: list[str] = []

    def read(text: str, file: str) -> Document:
        found.append(Path(file).name)
        return read_document(text, file)

    monkeypatch.setattr("workflows.loading.read_document", read)
    return found


def test_only_files_that_are_new_are_parsed_and_what_is_said_of_others_has_its_place(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "workflows" / "nightly-check.yaml").write_text(NIGHTLY)
    first = {one.version: list(one.inputs) for one in loaded(home).definitions()}
    found = parsed(monkeypatch)
    again = loaded(home, first).definitions()
    twin = REFUND.replace("workflow: refund-customer", "workflow: a-refund")
    (home / "workflows" / "a-refund.yaml").write_text(twin)
    told = loaded(home, first).faults

    assert {one.version: list(one.inputs) for one in again} == first
    assert ["order", "amount", "reason"] in first.values()  # As the file has them.
    assert found == ["policy.yaml", "policy.yaml", "a-refund.yaml"]
    assert "refund-customer.yaml:" in str(told[0])
    assert "is nearly a copy of a-refund" in str(told[0])
    assert told == loaded(home).faults


def test_what_nobody_published_is_not_believed_of_a_file(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first,) = loaded(home).definitions()
    kept = json.loads((home / NAME).read_text())
    lax = {name: said.replace("finance-leads", "anybody") for name, said in kept["said"].items()}
    (home / NAME).write_text(json.dumps({**kept, "said": lax}))
    found = parsed(monkeypatch)

    assert lax != kept["said"]
    assert loaded(home, {first.version}).definitions() == (first,)
    assert found == ["policy.yaml", "refund-customer.yaml"]


def test_a_policy_that_is_known_is_not_parsed_unless_its_stored_text_was_changed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def policy(stored: Mapping[str, str]) -> Policy:
        return CheckedFiles(home, stored_policy=stored.get).policy(home / "policy.yaml")

    first = policy({})
    text = first.canonical.decode()
    found = parsed(monkeypatch)

    assert policy({first.digest: text}) == first
    assert found == []
    assert policy({first.digest: text.replace("finance-leads", "anybody")}) == first
    assert "finance-leads" in text
    assert found == ["policy.yaml"]


@pytest.mark.parametrize(
    "text", ["", "nonsense", "{}", '["a", 7, null]', '{"sound": 7, "said": []}']
)
def test_a_list_that_cannot_be_read_only_costs_a_check(home: Path, text: str) -> None:
    (home / NAME).write_text(text)

    assert loaded(home).names() == ("refund-customer",)
    assert loaded(home).faults == ()
