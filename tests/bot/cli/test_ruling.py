"""Commands that judge: by the policy that people agreed to, whatever its file says by now."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.doctor.around import Around
from bot.doctor.files import look_at_files
from bot.doctor.findings import State
from bot.doctor.published import look_at_published
from bot.library import POLICY as NAME
from storage.published import active_policy
from tests.bot.catalog import GATED, PLAIN, Office

LAXER = GATED.replace("@deciders", "@anybody")
DIFFERS = "The file differs from the policy in force since 20"  # A day of this century.
FIXTURES = 'people: {"@ops": ["@rita"], "@deciders": ["@dora"], "@anybody": ["@rita"]}\n'
WRITES = PLAIN.replace('approval: {stages: [{from: ["@deciders"], approve: 2}]}\n    ', "")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A bot under an agreed policy, whose file was laxer by the time that commands look."""
    made = Office(tmp_path_factory.mktemp("office"))
    made.write(
        "files/tidy-up.yaml", WRITES.replace("undo: none", "effect: destructive\n    undo: none")
    )
    made.write("policy.yaml", LAXER)
    made.write("fixtures.yaml", FIXTURES)
    yield made
    made.core.memory.database.close()


def told(office: Office, *words: object) -> str:
    """Return what a command answers on this machine, which has no Slack."""
    variables = {
        "INTERLOCK_HOME": str(office.settings.home),
        "INTERLOCK_POLICY": str(office.settings.policy),
        "INTERLOCK_WORKFLOWS": str(office.settings.workflows),
    }
    return CliRunner().invoke(main, [*map(str, words)], env=variables).output


COMMANDS = (
    ("policy", "explain", "--workflow", "tidy-up", "-i", "what=attic"),
    ("policy", "replay"),
    ("try", "tidy-up", "-i", "what=attic", "--fixtures", "FIXTURES"),
    ("check", "FILES"),
)


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_judges_by_what_people_agreed_to_and_says_that_the_file_differs(
    office: Office, words: tuple[str, ...]
) -> None:
    places = {"FIXTURES": office.folder / "fixtures.yaml", "FILES": office.settings.definitions}
    asked = [places.get(one, one) for one in words]
    in_force = active_policy(office.core.memory.database, NAME)
    said = told(office, *asked)

    assert DIFFERS in said, said
    assert "--policy FILE" in said
    assert "@anybody" not in said
    if words[0] != "check":
        assert f"policy {str(in_force)[:8]}" in said
    by_file = told(office, *asked, "--policy", office.folder / "policy.yaml")
    assert DIFFERS not in by_file
    assert str(in_force)[:8] not in by_file


def test_data_says_which_policy_it_was(office: Office) -> None:
    data = json.loads(told(office, *COMMANDS[0], "--json"))

    assert data["policy"] == active_policy(office.core.memory.database, NAME)
    assert data["policy_agreed"]
    assert data["file_differs_since"]


@pytest.mark.parametrize("words", [COMMANDS[0], COMMANDS[2]])
def test_a_file_that_is_not_what_runs_take_is_named_with_both_versions(
    office: Office, words: tuple[str, ...]
) -> None:
    asked = [office.folder / "fixtures.yaml" if one == "FIXTURES" else one for one in words]
    before = told(office, *asked)
    put = office.propose(PLAIN, by="omar")  # Each of the two asks fewer people than the other.
    office.agree(put.run, "olga", "gina")
    office.core.library.follow()
    after = told(office, *asked)
    file = office.settings.definitions.joinpath("tidy-up.yaml")
    agreed = office.propose(file.read_text(), by="omar")
    office.agree(agreed.run, "olga", "gina")

    assert "runs take" not in before
    assert f"which is judged here; runs take {put.version[:8]}." in after
    assert "runs take" not in told(office, *asked)


def test_a_policy_file_that_is_gone_is_not_needed(office: Office) -> None:
    file = office.settings.policy_file
    kept = file.read_text()
    file.unlink()
    try:
        assert DIFFERS in told(office, *COMMANDS[0])
        assert DIFFERS in told(office, "check", office.settings.definitions)
    finally:
        file.write_text(kept)


def test_doctor_looks_at_the_policy_in_force(office: Office) -> None:
    around = Around(settings=office.settings, environment={})
    database = office.core.memory.database
    kept = office.settings.policy_file.read_text()
    office.write("policy.yaml", "rules: [broken\n")
    try:
        policy = next(iter(look_at_files(around, None, database, kept=())))
        *_, published = look_at_published(around, database)
    finally:
        office.write("policy.yaml", kept)

    assert policy.state is State.OK
    assert policy.saw == "The policy that people agreed to has 1 rule."
    assert "the policy" in published.saw


def test_where_nobody_had_to_agree_the_file_counts_and_says_what_runs_until_the_next_start(
    tmp_path: Path,
) -> None:
    loose = Office(tmp_path, GATED.replace("publish: {}\n", ""))
    loose.write("policy.yaml", LAXER.replace("publish: {}\n", ""))
    said = told(loose, "policy", "replay")
    loose.core.memory.database.close()

    assert "The file counts here." in said
    assert "until `interlock serve` starts again" in said
