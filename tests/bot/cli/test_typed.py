"""What cannot be meant is told in a sentence, and with exit code 2: never with a trace."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main

LONG, FAR = "x" * 5_000, str(10**20)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    home = tmp_path_factory.mktemp("typed") / "home"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("INTERLOCK_HOME", str(home))
        patched.setenv("INTERLOCK_CHANNEL", "ops")
        made = CliRunner().invoke(main, ["init"])
        assert made.exit_code == 0, made.output
        yield


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("schedule pause =", "id: must match"),
        (f"schedule add {LONG} tomorrow 9am --yes", "workflow: must have at most"),
        (f"run {LONG}", "workflow: must have at most"),
        (f"cancel {LONG} --reason no", "run: must have at most"),
        (f"settle {LONG} step retry --reason no", "run: must have at most"),
        (f"move-run {LONG} --check", "run: must have at most"),
        (f"token revoke {LONG}", "name"),
        ("audit hold set all --reason=", "reason: please give a value"),
        (f"audit hold lift {LONG} --reason no", "hold: must have at most"),
        (f"audit explain {FAR}", "is not in the range"),
        (f"audit proof {FAR}", "is not in the range"),
        (f"keys revoke x --from {FAR} --yes", "is not in the range"),
        (f"keys retire {LONG} --yes", "key: must have at most"),
        (f"keys enrol {LONG}", "line: must have at most"),
        (f"audit export --out pack --seed {LONG} --sample 1", "seed: must have at most"),
        (f"audit verify --vkey {LONG}+", "A given key is no verifier key"),
        (f"publish {LONG}", "There is no file"),
        (f"try {LONG}", "There is no sound file"),
        ("access review --csv --json", "--csv prints the report as CSV; leave out --json"),
        ("digest --html nowhere/page.html", "nowhere/page.html cannot be written"),
        (f"digest --html {LONG}", "cannot be written"),
        ("new close-account --json", "say it: Title"),
        ("show \udcff", "no text in UTF-8"),
        ("show \udcff --json", '"message": "An argument is no text in UTF-8."'),
        ("run any-workflow reason=\udcff", "no text in UTF-8"),
        ("run any-workflow reason=\udcff --json", '"message": "An argument is no text in UTF-8."'),
    ],
)
@pytest.mark.usefixtures("home")
def test_what_cannot_be_meant_is_told_in_a_sentence(line: str, words: str) -> None:
    told = CliRunner().invoke(main, line.split())

    assert isinstance(told.exception, SystemExit), told.exception
    assert told.exit_code == 2
    assert words in told.output


@pytest.mark.parametrize(
    ("revision", "words"),
    [("0003", "Run `interlock migrate`."), ("", "Begin a log with `interlock init`.")],
)
@pytest.mark.parametrize("line", ["runs", "show x", "workflows", "find x", "health", "keys list"])
def test_a_database_of_another_release_is_named_and_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, revision: str, words: str
) -> None:
    with closing(sqlite3.connect(tmp_path / "log.db")) as database:
        if revision:
            database.execute(f"CREATE TABLE alembic_version AS SELECT '{revision}' AS version_num")
            database.execute("CREATE TABLE schema_floor AS SELECT '0002' AS revision")
        database.commit()
    monkeypatch.setenv("INTERLOCK_DATABASE_URL", f"sqlite:///{tmp_path / 'log.db'}")
    told = CliRunner().invoke(main, line.split())

    assert isinstance(told.exception, SystemExit), told.exception
    assert told.exit_code == 2
    assert words in told.output
