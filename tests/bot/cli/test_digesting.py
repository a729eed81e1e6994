"""`interlock digest` of any period, and as a page."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from tests.bot.anchors.mailbox import Mailbox, receiving
from tests.journeys.company import SHIPPED


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERLOCK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("INTERLOCK_WORKFLOWS", str(SHIPPED))
    monkeypatch.setenv("INTERLOCK_POLICY", str(SHIPPED / "demo-policy.yaml"))
    CliRunner().invoke(main, ["init"])


def test_a_period_of_the_past_holds_none_of_the_entries_of_today(tmp_path: Path) -> None:
    page = tmp_path / "digest.html"
    past = ["--from", "2026-01-01", "--to", "2026-02-01", "--html", str(page)]
    told = CliRunner().invoke(main, ["digest", *past])
    data = json.loads(CliRunner().invoke(main, ["digest", *past, "--json"]).output)
    today = json.loads(CliRunner().invoke(main, ["digest", "--json"]).output)

    assert "Digest of 2026-01-01 to 2026-02-01: no runs." in told.output
    assert "runs started (as many as before (0))" in told.output
    assert "Digest of 2026-01-01 to 2026-02-01" in page.read_text()
    assert data["head"]["last"] < data["head"]["first"]
    assert data["changes"] == []
    assert today["head"]["first"] == 0
    assert "role granted governor @governors (entry #2)." in today["changes"]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["--from", "2026-02-01", "--to", "2026-01-01"], "ends before it begins"),
        (["--from", "2026-02-01", "--to", "2026-02-01"], "For that day, --to 2026-02-02."),
        (["--post", "--from", "2026-02-01"], "leave out the days"),
        (["--post", "--days", "3"], "leave out the days"),
        (["--from", "2026-02-01", "--days", "3"], "leave out --days"),
        (["--from", "2999-01-01", "--to", "2999-02-01"], "has not begun yet"),
        (["--from", "0001-01-01"], "before 1970"),
        (["--to", "0001-01-02"], "before 1970"),
        (["--to", "1970-01-03"], "before 1970"),
    ],
)
def test_a_period_that_cannot_be_is_refused(typed: list[str], told: str) -> None:
    refused = CliRunner().invoke(main, ["digest", *typed])

    assert refused.exit_code == 2
    assert told in refused.output


def test_a_period_of_decades_has_one_as_long_before_it() -> None:
    told = CliRunner().invoke(main, ["digest", "--from", "1970-01-01"])

    assert told.exit_code == 0
    assert "runs started (as many as before (0))" in told.output


def test_a_period_of_hours_says_which_and_a_day_that_is_not_in_one_is_not_told(
    tmp_path: Path,
) -> None:
    page = tmp_path / "digest.html"
    hour = ["--from", "2026-01-01T09:00", "--to", "2026-01-01T10:00", "--html", str(page)]
    told = CliRunner().invoke(main, ["digest", *hour]).output
    days = json.loads(
        CliRunner()
        .invoke(main, ["digest", "--from", "2026-01-01", "--to", "2026-01-03", "--json"])
        .output
    )["days"]

    assert "Digest of 2026-01-01 09:00 to 2026-01-01 10:00: no runs." in told
    assert "Digest of 2026-01-01 09:00 to 2026-01-01 10:00" in page.read_text()
    assert [one["day"] for one in days] == ["2026-01-01", "2026-01-02"]


def test_a_digest_is_mailed_with_its_page_and_its_data(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving(Mailbox()) as box:
        monkeypatch.setenv("INTERLOCK_SMTP", box.address)
        monkeypatch.setenv("INTERLOCK_SMTP_FROM", "bot@ops.example")
        monkeypatch.setenv("INTERLOCK_SMTP_TLS", "none")
        nobody = CliRunner().invoke(main, ["digest", "--mail"])
        monkeypatch.setenv("INTERLOCK_DIGEST_MAIL", "lead@ops.example, second@ops.example")
        sent = CliRunner().invoke(main, ["digest", "--days", "30", "--mail"])
        told = CliRunner().invoke(main, ["digest", "--days", "30", "--json"])
    gone = CliRunner().invoke(main, ["digest", "--mail"])
    (message,) = box.taken
    text, page = message.get_body(("plain",)), message.get_body(("html",))
    (attached,) = message.iter_attachments()

    assert (nobody.exit_code, sent.exit_code, gone.exit_code) == (2, 0, 2)
    assert "was not taken" in gone.output
    assert message["To"] == "lead@ops.example, second@ops.example"
    assert ": Digest of " in message["Subject"]
    assert text is not None
    assert page is not None
    assert "runs started (as many as before (0))" in text.get_content()
    assert "<h2>Signed head of the log</h2>" in page.get_content()
    assert json.loads(attached.get_content())["days"] == json.loads(told.output)["days"]
