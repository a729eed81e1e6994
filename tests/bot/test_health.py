"""The health of approvals from recorded entries to the words people read, on both databases."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import delete

from bot.cli import main
from bot.digest import Digests
from bot.digest_figures import shown_from
from bot.health import HealthReport, finding_from, finding_json, read_health
from bot.health_words import finding_words, names_of
from storage.audit_models import AuditSubjectRow
from storage.database import Database
from storage.listing import people_of
from storage.store import SqlStore
from tests.approvals import Case, calm_history, for_each_other, stamps
from tests.bot.payload_checks import text_of
from tests.bot.shown import no_version
from tests.storage.recorded_approvals import person, record
from tests.storage.run_drafts import HandClock
from tests.stores import begun
from workflows.approval_findings import Finding, Sign
from workflows.failure_modes import FailureMode

SECOND = timedelta(seconds=1)
NOW = datetime.now(UTC)  # The command counts from the moment at which it is called.
IVO = "Ivo approved 38 of 38, median 2 s."
PAIR = (
    "Fay and Gus decide for each other: Gus decided 7 of the 7 requests of Fay, and Fay 7 of"
    " the 7 of Gus."
)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def store(database: Database, tmp_path: Path, clock: HandClock) -> SqlStore:
    return begun(database, tmp_path, clock, origin="interlock.example/audit")


def honest() -> list[Case]:
    return calm_history(until=NOW)


def planted() -> list[Case]:
    return [
        *honest(),
        *stamps("Ivo", 38, took=2 * SECOND, until=NOW),
        *for_each_other("Fay", "Gus", 14, until=NOW),
    ]


def read(store: SqlStore) -> HealthReport:
    with store.database.read() as connection:
        return read_health(connection, until=NOW)


def same(workflow: str) -> str:
    return workflow


def words(store: SqlStore) -> list[str]:
    report = read(store)
    name = names_of(people_of(store.database, report.people))
    return sorted(finding_words(one, name, same) for one in report.findings)


def forget(store: SqlStore, name: str) -> None:
    """Erase who is behind a pseudonym, as an erasure does."""
    with store.database.begin() as tx:
        found = AuditSubjectRow.external_id == person(name)
        tx.connection.execute(delete(AuditSubjectRow).where(found))


def test_planted_rubber_stamping_is_reported_by_name_and_number_and_nothing_else(
    store: SqlStore, clock: HandClock
) -> None:
    record(store, clock, planted())
    told = words(store)
    forget(store, "Ivo")

    # Who of a pair is named first depends on their pseudonyms, which are random.
    other_way = PAIR.replace("Fay", "?").replace("Gus", "Fay").replace("?", "Gus")
    assert told in (sorted([IVO, PAIR]), sorted([IVO, other_way]))
    assert "somebody approved 38 of 38, median 2 s." in words(store)


def test_a_calm_history_reports_nothing(store: SqlStore, clock: HandClock) -> None:
    record(store, clock, honest())

    assert read(store).health.total.now.decisions == len(honest())
    assert words(store) == []


def test_the_command_tells_all_and_says_no_while_something_stands_out(
    store: SqlStore, clock: HandClock, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(store, clock, planted())
    monkeypatch.setenv("INTERLOCK_DATABASE_URL", database_url)
    told = CliRunner().invoke(main, ["health", "--since", "30d"])
    data = json.loads(CliRunner().invoke(main, ["health", "--json"]).stdout)
    week = json.loads(CliRunner().invoke(main, ["health", "--since", "1h", "--json"]).stdout)

    assert told.exit_code == 1
    assert f"! {IVO}" in told.output
    assert "Ivo: 38 decisions (0 before), 100 % approved, median 2 s" in told.output
    assert [one["sign"] for one in data["findings"]] == ["rubber_stamp", "mutual"]
    assert data["findings"][0]["who"] == ["Ivo"]
    assert data["total"]["now"]["decisions"] == len(planted())
    assert sum(data["total"]["now"]["buckets"].values()) == len(planted())
    assert data["total"]["now"]["under_5s"] == 38 + 9
    ivo = next(one for one in data["approvers"] if one["approver"] == "Ivo")
    assert (ivo["now"]["median_ms"], ivo["now"]["approvals"]) == (2000, 38)
    assert (week["total"]["now"]["decisions"], week["findings"]) == (0, [])


def test_the_digest_tells_what_stands_out_and_no_name_outlives_its_erasure(
    store: SqlStore, clock: HandClock
) -> None:
    record(store, clock, planted())
    clock.at = NOW
    digests = Digests(store, list, version=no_version, now=clock, channel="ops")
    made = digests.post()
    letter = digests.letter(made.id)
    forget(store, "Ivo")
    later = digests.letter(made.id)

    assert letter is not None
    assert later is not None
    parent = text_of({"text": letter.content.text, "blocks": letter.content.blocks})
    assert "*Health of approvals*, last 30d" in parent
    assert "2 things stand out: in the thread." in parent
    assert "Ivo" not in json.dumps(made.figures)
    assert IVO in json.dumps([one.blocks for one in letter.replies])
    assert "somebody approved 38 of 38" in json.dumps([one.blocks for one in later.replies])


def test_a_digest_of_an_earlier_release_has_no_such_chapter(
    store: SqlStore, clock: HandClock
) -> None:
    clock.at = NOW
    made = Digests(store, list, version=no_version, now=clock, channel="ops").look()
    kept = {name: one for name, one in made.figures.items() if name != "health"}

    assert made.shown.health is not None
    assert shown_from(kept).health is None


def test_what_stopped_runs_is_kept_with_a_digest_by_step_target_and_version(
    store: SqlStore, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    mode = FailureMode(workflow="pay", version="9f" * 32, step="send", target="bank", cause="died")
    monkeypatch.setattr("bot.health.read_failures", lambda *_, **__: Counter({mode: 2}))
    clock.at = NOW
    made = Digests(store, list, version=no_version, now=clock, channel="ops").post()
    health = shown_from(json.loads(json.dumps(made.figures))).health

    assert health is not None
    assert [(by, [one.words for one in shares]) for by, shares in health.modes] == [
        ("cause", ["died: 2 times, 100 % of all so far"]),
        ("step", ["pay/send: 2 times, 100 % of all so far"]),
        ("target", ["bank: 2 times, 100 % of all so far"]),
        ("version", ["pay 9f9f9f9f: 2 times, 100 % of all so far"]),
    ]


@pytest.mark.parametrize("sign", Sign)
def test_a_finding_is_kept_as_json_and_has_its_own_sentence(sign: Sign) -> None:
    found = Finding(
        sign=sign,
        who=("s:1", "s:2"),  # type: ignore[arg-type]  # Two pseudonyms.
        workflow="refund-customer",
        count=12,
        of=20,
        back=8,
        back_of=9,
        took=timedelta(hours=4),
        before=timedelta(hours=1),
    )
    told = finding_words(found, lambda ref: {"s:1": "Ana", "s:2": "Ben"}[ref], same)

    assert finding_from(json.loads(json.dumps(finding_json(found)))) == found
    assert told == SENTENCES[sign]


SENTENCES = {
    Sign.RUBBER_STAMP: "Ana approved 12 of 20, median 4 h.",
    Sign.HASTY: "Ana decided 12 of 20 in under 5 s.",
    Sign.MUTUAL: (
        "Ana and Ben decide for each other: Ben decided 12 of the 20 requests of Ana, and Ana 8"
        " of the 9 of Ben."
    ),
    Sign.LOAD: "Ana decided 1 a day: 12 in 20 days.",
    Sign.EXPIRED: "refund-customer: 12 of 20 requests expired without a decision.",
    Sign.NAGGED: "refund-customer: 12 reminders for 20 decisions.",
    Sign.SLOWER: (
        "refund-customer: decisions take longer, median 4 h after 1 h in the period before."
    ),
}
