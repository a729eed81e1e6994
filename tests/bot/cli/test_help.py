"""The command's own help."""

import json
import resource
import subprocess
import sys
import tempfile
from importlib.metadata import version
from itertools import chain

import click
import pytest
from click.testing import CliRunner

from bot.cli import COMMANDS, main

HEAVY = ("slack_bolt", "slack_sdk", "sqlalchemy", "cel", "pydantic", "httpx", "starlette")


def test_help_lists_every_subcommand_without_importing_any() -> None:
    script = (
        "import sys; from bot.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    printed = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    ).stdout

    assert printed.splitlines()[-1] == "[]"
    assert all(name in printed for name in COMMANDS)


@pytest.mark.parametrize("module", ["auditing", "reading"])
def test_commands_that_only_look_do_not_wait_for_the_bot(module: str) -> None:
    unneeded = ("slack_bolt", "slack_sdk", "httpx", "cel", "bot.core")
    script = (
        f"import sys, bot.cli.{module}\n"
        f"print([name for name in {unneeded!r} if name in sys.modules])"
    )
    printed = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    ).stdout

    assert printed.strip() == "[]"


def test_a_bot_on_sqlite_does_not_load_what_only_postgres_needs() -> None:
    script = (
        "import sys, bot.serve, bot.worker, storage.database\n"
        "storage.database.open_database('sqlite:///' + sys.argv[1]).close()\n"
        "print([one for one in ('procrastinate', 'psycopg', 'asgiref') if one in sys.modules])"
    )
    with tempfile.TemporaryDirectory() as folder:
        printed = subprocess.run(
            [sys.executable, "-c", script, f"{folder}/interlock.db"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    assert printed.strip() == "[]"


def test_help_appears_at_once() -> None:
    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "bot.cli", "--help"], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    # Of the processor's time, and the best of three: others' work is not ours to measure.
    assert min(seconds() for _ in range(3)) < 0.5


def test_the_version_is_that_of_what_is_installed() -> None:
    done = CliRunner().invoke(main, ["--version"])

    assert done.output == f"interlock, version {version('interlock')}\n"


def test_an_unknown_subcommand_is_asked_wrongly() -> None:
    assert CliRunner().invoke(main, ["nonsense"]).exit_code == 2


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("nonsense --json", "No such command"),
        ("runs --bogus --json", "No such option"),
        ("check nowhere.yaml --json", "does not exist"),
        ("settle abc retry --json --reason x", "Missing argument 'ANSWER'"),
    ],
)
def test_a_command_that_cannot_be_read_is_told_in_json_too(typed: str, told: str) -> None:
    said = CliRunner().invoke(main, typed.split())
    data = json.loads(said.stdout)

    assert said.exit_code == 2
    assert (data["ok"], data["refusal"]) == (False, "UsageError")
    assert told in data["message"]


@pytest.mark.parametrize("name", [n for n in COMMANDS if n not in {"demo", "sandbox"}])
def test_every_subcommand_explains_itself(name: str) -> None:
    told = CliRunner().invoke(main, [name, "--help"])

    assert told.exit_code == 0, told.output
    assert "Usage:" in told.output


def test_every_option_says_what_it_is_for() -> None:
    commands = [commands_of(name, main) for name in COMMANDS]
    silent = [
        f"{one.name} {option.opts[0]}"
        for one in chain.from_iterable(commands)
        for option in one.params
        if isinstance(option, click.Option) and not option.help
    ]

    assert silent == []


def commands_of(name: str, group: click.Group) -> list[click.Command]:
    """Return a command, or those that stand behind it."""
    found = group.get_command(click.Context(group), name)
    if isinstance(found, click.Group):
        return [one for inner in found.commands for one in commands_of(inner, found)]
    return [] if found is None else [found]


@pytest.mark.parametrize("name", ["demo", "sandbox"])
def test_what_the_sandbox_explains_is_what_one_types(name: str) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "bot.cli", name, "--help"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout

    assert told.startswith(f"usage: interlock {name} [-h]")
    assert "python -m" not in told
    assert "--shipped" not in told
    assert "--home" in told
