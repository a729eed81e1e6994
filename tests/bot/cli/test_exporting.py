"""`interlock audit export` as it is typed."""

import json
import re
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from bot.cli.growth import growth_told
from storage.evidence.pack import partial_of


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INTERLOCK_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert interlock("init").exit_code == 0
    return tmp_path


def interlock(*words: str) -> Result:
    return CliRunner().invoke(main, [*words])


def test_a_pack_is_told_as_data(home: Path) -> None:
    told = json.loads(interlock("audit", "export", "--out", "pack.zip", "--json").stdout)

    assert (told["pack"], told["range"]) == (str(home / "pack.zip"), [0, told["size"]])
    assert told["rows"]["population"] == 0
    assert told["bytes"] > 0 < told["files"]


def test_a_pack_of_nothing_says_so(home: Path) -> None:
    told = interlock("audit", "export", "--out", "empty", "--from", "9999-01-01")

    assert told.exit_code == 0
    assert f"{home / 'empty'} holds none of the " in told.stdout


def test_a_period_that_has_no_end_in_sight_is_one(home: Path) -> None:
    told = interlock("audit", "export", "--out", "all", "--to", "9999-12-31", "--json")

    assert json.loads(told.stdout)["range"] == [0, json.loads(told.stdout)["size"]]
    assert (home / "all" / "manifest.json").is_file()


@pytest.mark.parametrize("form", ["pack", "cloudevents", "csv"])
def test_a_period_that_ends_before_it_begins_is_refused(home: Path, form: str) -> None:
    typed = ("--format", form, "--out", "out", "--from", "2026-03-01", "--to", "2026-02-01")
    refused = interlock("audit", "export", *typed)

    assert (refused.exit_code, "ends before it begins" in refused.output) == (2, True)
    assert not (home / "out").exists()


def test_a_number_of_thousands_of_digits_is_refused_in_a_sentence() -> None:
    for option in ("--from", "--to"):
        refused = interlock("audit", "export", "--out", "out", option, "9" * 5000)

        assert (refused.exit_code, "No log has an entry" in refused.output) == (2, True)


def test_events_go_to_stdout_or_into_a_file_that_is_whole(home: Path) -> None:
    printed = interlock("audit", "export", "--format", "cloudevents").stdout.splitlines()
    told = json.loads(
        interlock("audit", "export", "--format", "ocsf", "--out", "o.jsonl", "--json").stdout
    )

    assert json.loads(printed[0])["type"] == "interlock.log.init"
    assert (told["lines"], told["file"]) == (len(printed), "o.jsonl")
    assert len((home / "o.jsonl").read_text().splitlines()) == len(printed)
    again = interlock("audit", "export", "--format", "csv", "--out", "o.jsonl")
    assert (again.exit_code, "exists already" in again.output) == (2, True)
    refused = interlock("audit", "export", "--format", "csv", "--json")
    assert "name it with --out" in refused.output


@pytest.mark.parametrize("form", ["cloudevents", "ocsf", "csv", "agentack"])
def test_a_run_that_there_is_not_is_refused_in_every_form(home: Path, form: str) -> None:
    refused = interlock("audit", "export", "--format", form, "--run", "nope", "--out", "events")
    printed = interlock("audit", "export", "--format", form, "--run", "nope")

    assert (refused.exit_code, printed.exit_code) == (2, 2)
    assert "a run nope in this range" in refused.output
    assert printed.stdout == ""
    assert not list(home.glob("events*"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--disclose", "selected"], "Name what to disclose"),
        (["--part", "plan"], "goes with --disclose selected"),
        (["--disclose", "selected", "--part", "coment"], "No payload is called coment"),
        (["--sample", "3"], "go together"),
        (["--from", "yesterday"], "neither an entry's number nor a day"),
        (["--from", "9", "--to", "3"], "no range"),
        (["--format", "ocsf", "--sample", "3"], "a pack has the rest"),
        (["--run", "r"], "not of one run"),
    ],
)
def test_what_cannot_be_meant_is_refused(home: Path, words: list[str], said: str) -> None:
    refused = interlock("audit", "export", "--out", "pack", *words)

    assert refused.exit_code == 2
    assert said in refused.output
    assert not (home / "pack").exists()


def test_a_pack_that_takes_long_says_on_stderr_how_far_it_is(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    partial_of(home / "pack").mkdir()
    (partial_of(home / "pack") / "entries.jsonl").write_bytes(bytes(3 * 1024 * 1024))
    with growth_told(home / "pack", every=0.01):
        said = ""
        end = time.monotonic() + 60
        while not re.search(r"pack: 3\.0 MiB written after \d+ s", said):
            said += capsys.readouterr().err
            assert time.monotonic() < end
