"""`interlock doctor` against a Slack, a home and a database in which something is wrong."""

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from bot.cli import main
from bot.doctor.around import Around
from bot.doctor.examination import examine
from bot.doctor.findings import Finding, State, worst
from bot.doctor.published import look_at_published
from bot.opening import begin_log, open_memory
from bot.push_target import push_of
from bot.settings import Settings, read_settings
from bot.workspaces.scopes import SCOPES
from sandbox.faults import refuse, reset
from sandbox.seed import seed
from sandbox.server import SandboxServer
from sandbox.settings import AppSettings, SandboxSettings
from storage.anchors import Evidence, TurnSql, keep_anchor
from storage.database import open_database
from storage.lock_file import ServeLock
from storage.moving import move_log
from storage.pushing import PushRows
from tests.bot.catalog import PLAIN, Office
from workflows.entry import SYSTEM, Draft

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
POLICY = """
defaults: {expires: 24h}
roles: {governors: ["@governors"]}
rules:
  - name: destructive
    when: effect == "destructive"
    stages: [{from: ["@finance-leads"], approve: 1}]
"""
SECRET = """
services:
  shop: {base_url: "https://shop.example", secret_header: {secret: shop_token}}
"""
WEBHOOK = """
webhooks: {shop: {secret: hook_key, requester: "@rita"}}
"""
WORKFLOW = """
workflow: say-hello
title: Say hello
owner: "@finance-ops"
deputy: "@support-leads"
run_by: ["@support"]
steps:
  - id: say
    uses: slack.post
    with: {text: Hello}
"""


class Patient:
    """A bot's home, its Slack and its settings, all well until a test spoils something."""

    def __init__(self, home: Path, slack: SandboxServer, backups: Path) -> None:
        self.home = home
        self.slack = slack
        self.now = NOON
        self.free = 50 * 2**30
        self.variables = {
            "INTERLOCK_HOME": str(home),
            "INTERLOCK_CHANNEL": "ops",
            "INTERLOCK_BACKUP_DIR": str(backups),
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_API_URL": slack.api_url,
        }

    @property
    def database(self) -> Path:
        return self.home / "interlock.db"

    def found(self) -> list[Finding]:
        settings = read_settings(self.variables)
        around = Around(
            settings=settings,
            environment=self.variables,
            now=lambda: self.now,
            free=lambda _: self.free,
        )
        return examine(around)

    def of(self, check: str) -> Finding:
        return next(one for one in self.found() if one.check == check)

    def execute(self, statement: str) -> None:
        with closing(sqlite3.connect(self.database)) as connection, connection:
            connection.execute(statement)


@pytest.fixture(scope="module")
def slack() -> Iterator[SandboxServer]:
    app = AppSettings(scopes=frozenset(SCOPES))
    settings = SandboxSettings(app=app, rate_scale=None, clock=NOON.timestamp)
    with SandboxServer(settings) as running:
        seed(running.workspace)
        yield running


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("template") / "home"
    begin_log(Settings(home=home)).database.close()
    (home / "policy.yaml").write_text(POLICY)
    (home / "workflows" / "say-hello.yaml").write_text(WORKFLOW)
    return home


@pytest.fixture
def patient(template: Path, slack: SandboxServer, tmp_path: Path) -> Iterator[Patient]:
    backups = tmp_path / "backups"
    backups.mkdir()
    (backups / "monday.db").write_text("a copy")
    at = (NOON - timedelta(hours=3)).timestamp()
    os.utime(backups / "monday.db", (at, at))
    yield Patient(shutil.copytree(template, tmp_path / "home"), slack, backups)
    slack.faults.clear()


def test_of_a_bot_that_is_well_only_what_nobody_set_up_is_remarked(patient: Patient) -> None:
    found = {one.check: one for one in patient.found()}

    assert {name for name, one in found.items() if one.state is not State.OK} == {
        "serving",
        "publications",
        "second key",
        "anchors",
        "verification",
    }
    assert worst(found.values()) is State.WARN
    assert found["scopes"].saw == f"All {len(SCOPES)} that the bot needs, and no more."


def test_it_looks_beside_a_bot_that_serves(patient: Patient) -> None:
    with ServeLock.take(patient.home, now=NOON):
        serving = patient.of("serving")

    assert serving.state is State.OK
    assert f"Process {os.getpid()}" in serving.saw


def test_it_says_what_of_the_files_is_not_in_force_yet(patient: Patient) -> None:
    with ServeLock.take(patient.home, now=NOON):
        found = patient.of("in force")

    assert found.state is State.WARN
    assert found.saw.endswith(": say-hello, the policy.")


def test_a_gate_that_begins_with_the_next_start_is_no_missing_one(patient: Patient) -> None:
    (patient.home / "policy.yaml").write_text(POLICY + "publish: {}\n")
    found = {one.check: one for one in patient.found()}

    assert found["publications"].state is State.OK
    assert found["publications"].saw.startswith("From the next start on people agree")
    assert "workflow files once people agreed" in found["in force"].saw


def test_where_people_have_to_agree_it_says_how_to_ask_them(tmp_path: Path) -> None:
    office = Office(tmp_path)
    around, database = Around(settings=office.settings), office.core.memory.database
    office.write("files/tidy-up.yaml", PLAIN)
    gate, waiting = look_at_published(around, database)
    with database.begin() as tx:
        tx.driver.execute("DELETE FROM policy_version")
    (altered,) = look_at_published(around, database)
    database.close()

    assert (gate.state, gate.saw) == (State.OK, "People agree before a changed file counts.")
    assert waiting.saw.endswith(": tidy-up.")
    assert "`interlock publish`" in waiting.do
    assert (altered.state, altered.costs) == (State.FAIL, "The bot does not start.")


def test_it_changes_nothing(patient: Patient) -> None:
    def everything() -> list[str]:
        with closing(sqlite3.connect(patient.database)) as connection:
            return [*connection.iterdump()]

    before = everything(), sorted(patient.home.rglob("*"))
    patient.found()

    assert (everything(), sorted(patient.home.rglob("*"))) == before


def test_every_finding_that_is_not_well_says_what_it_costs_and_what_to_do(
    patient: Patient,
) -> None:
    shutil.rmtree(patient.home / "keys")
    patient.variables["SLACK_BOT_TOKEN"] = "xoxb-of-somebody-else"
    amiss = [one for one in patient.found() if one.state is not State.OK]

    assert len(amiss) > 5
    assert all(one.costs and one.do for one in amiss)


Spoil = Callable[[Patient], object]


def old_migration(patient: Patient) -> None:
    patient.execute("UPDATE alembic_version SET version_num = '0002'")


def newer_migration(patient: Patient) -> None:
    patient.execute("UPDATE alembic_version SET version_num = '9999'")
    patient.execute("UPDATE schema_floor SET revision = '9998'")


def moved_log(patient: Patient) -> None:
    there = str(patient.home.parent / "there.db")
    move_log(str(patient.database), there, now=lambda: NOON, tell=lambda *_: None)


def loose_key(patient: Patient) -> None:
    (patient.home / "keys" / "writer.pem").chmod(0o644)


def foreign_key(patient: Patient) -> None:
    log, writer = patient.home / "keys" / "log.pem", patient.home / "keys" / "writer.pem"
    shutil.copy(log, writer)


def failed_night(patient: Patient) -> None:
    settings = read_settings(patient.variables)
    memory = open_memory(settings, now=lambda: NOON)
    data = {"size": 1, "mode": "full", "exit": 1, "failures": 2, "unproven": 0, "ms": 5}
    with memory.database.begin() as tx:
        memory.journal.append(tx, Draft(kind="verify.run", actor=SYSTEM, data=data))
    memory.database.close()


def failing_anchor(patient: Patient) -> None:
    patient.variables["INTERLOCK_ANCHOR_DIR"] = str(patient.home / "outside")
    database = open_database(str(patient.database))
    with database.begin() as tx:
        TurnSql(tx).claim("folder", now=NOON, until=NOON)
        TurnSql(tx).failed("folder", "No such folder", at=NOON, next_at=NOON)
    database.close()


def failing_push(patient: Patient) -> None:
    patient.variables["INTERLOCK_PUSH_URL"] = "https://siem.example.com/collect"
    wanted = push_of(read_settings(patient.variables))
    assert wanted is not None
    database = open_database(str(patient.database))
    rows = PushRows(database, wanted.name, name="there")
    rows.take(now=NOON)
    rows.failed("it answered with status 500", now=NOON - timedelta(hours=3))
    database.close()


def old_anchor(patient: Patient) -> None:
    patient.variables["INTERLOCK_ANCHOR_DIR"] = str(patient.home / "outside")
    at = NOON - timedelta(days=5)
    database = open_database(str(patient.database))
    with database.begin() as tx:
        keep_anchor(tx, 1, Evidence(type="folder", ref="head", content=b"note", at=at))
    database.close()


def waiting_message(patient: Patient) -> None:
    patient.execute(
        "INSERT INTO outbox (subject, key, channel, rank, wanted, done, state, is_posting,"
        " next_at, attempts) VALUES ('notice', 'k', 'ops', 1, 1, 0, 'pending', 0,"
        " '2026-03-02 09:00:00.000000', 3)"
    )


def no_scope(patient: Patient) -> None:
    patient.slack.faults.next("conversations.list", refuse("missing_scope"))


def database_elsewhere(patient: Patient) -> None:
    elsewhere = patient.home.parent / "data" / "data.db"
    elsewhere.parent.mkdir(mode=0o755)
    shutil.move(patient.database, elsewhere)
    elsewhere.chmod(0o644)
    patient.variables["INTERLOCK_DATABASE_URL"] = f"sqlite:///{elsewhere}"


def setting(name: str, value: str) -> Spoil:
    return lambda patient: patient.variables.__setitem__(name, value)


def file(name: str, text: str) -> Spoil:
    return lambda patient: (patient.home / name).write_text(text)


FAULTS: list[tuple[str, State, str, Spoil]] = [
    ("bot token", State.FAIL, "invalid_auth", setting("SLACK_BOT_TOKEN", "xoxb-other")),
    ("bot token", State.FAIL, "not start with xoxb-", setting("SLACK_BOT_TOKEN", "xapp-1")),
    ("bot token", State.FAIL, "not set", lambda one: one.variables.pop("SLACK_BOT_TOKEN")),
    ("app token", State.FAIL, "invalid_auth", setting("SLACK_APP_TOKEN", "xapp-1-other")),
    ("signing secret", State.FAIL, "not set", setting("INTERLOCK_HTTP", "127.0.0.1:3000")),
    ("slack", State.FAIL, "unreachable", setting("SLACK_API_URL", "http://127.0.0.1:9/api/")),
    ("scopes", State.UNKNOWN, "could not be asked", lambda one: one.slack.faults.next(
        "auth.test", reset())),
    ("groups", State.FAIL, "@nobody", file("policy.yaml", POLICY.replace("finance-l", "nobody-"))),
    ("groups", State.WARN, "Only one person is in @ivan.", file(
        "policy.yaml", POLICY.replace("@governors", "@ivan") + "publish: {}\n")),
    ("groups", State.UNKNOWN, "fatal_error", lambda one: one.slack.faults.next(
        "usergroups.list", refuse("fatal_error"), times=9)),
    ("channels", State.FAIL, "not_in_channel", setting("INTERLOCK_CHANNEL", "general")),
    ("channels", State.FAIL, "archived", setting("INTERLOCK_CHANNEL", "archive")),
    ("channels", State.FAIL, "channel_not_found", setting("INTERLOCK_CHANNEL", "nowhere")),
    ("channels", State.FAIL, "general (not_in_channel), say-hello", file(
        "workflows/say-hello.yaml", WORKFLOW + 'channel: "#general"\n')),
    ("channels", State.UNKNOWN, "refuses to say it (missing_scope)", no_scope),
    ("channels", State.WARN, "not set", lambda one: one.variables.pop("INTERLOCK_CHANNEL")),
    ("clock", State.FAIL, "5 min ahead", lambda one: setattr(
        one, "now", NOON + timedelta(minutes=5, seconds=1))),
    ("clock", State.WARN, "behind", lambda one: setattr(one, "now", NOON - timedelta(seconds=20))),
    ("policy", State.FAIL, "policy.yaml", file("policy.yaml", "rules: []")),
    ("workflows", State.FAIL, "say-hello.yaml:", file("workflows/say-hello.yaml", "workflow: x")),
    ("workflows", State.WARN, "no workflow", lambda one: shutil.rmtree(one.home / "workflows")),
    ("secrets", State.FAIL, "shop_token", file("policy.yaml", POLICY + SECRET)),
    ("secrets", State.FAIL, "fewer than 8", setting("INTERLOCK_SECRET_SHOP_TOKEN", "short")),
    ("secrets", State.FAIL, "hook_key of the webhook shop cannot be used", lambda one: (
        file("policy.yaml", POLICY + WEBHOOK)(one),
        setting("INTERLOCK_SECRET_HOOK_KEY", "whsec_tooshort")(one))),
    ("database", State.FAIL, "There is no log", lambda one: one.database.unlink()),
    ("database", State.FAIL, "not an intact", lambda one: one.database.write_bytes(b"x" * 4096)),
    ("migrations", State.FAIL, "of revision 0002", old_migration),
    ("migrations", State.FAIL, "of revision 9999", newer_migration),
    ("log", State.FAIL, "not other.example", setting("INTERLOCK_ORIGIN", "other.example/a")),
    ("log", State.FAIL, "moved to sqlite:///", moved_log),
    ("file modes", State.FAIL, "writer.pem", loose_key),
    ("file modes", State.WARN, "home", lambda one: one.home.chmod(0o755)),
    ("file modes", State.WARN, "data.db", database_elsewhere),
    ("writer key", State.FAIL, "Others may read", loose_key),
    ("writer key", State.FAIL, "not enrolled", foreign_key),
    ("log key", State.FAIL, "missing", lambda one: (one.home / "keys" / "log.pem").unlink()),
    ("anchors", State.FAIL, "No such folder", failing_anchor),
    ("anchors", State.FAIL, "5 d old", old_anchor),
    ("verification", State.FAIL, "2 failures", failed_night),
    ("push", State.FAIL, "none for 3 h: it answered with status 500", failing_push),
    ("push", State.WARN, "nobody pushes now", setting(
        "INTERLOCK_PUSH_URL", "syslog://127.0.0.1:514")),
    ("messages", State.WARN, "3 h", waiting_message),
    ("disk", State.FAIL, "20 MB", lambda one: setattr(one, "free", 20 * 2**20)),
    ("disk", State.WARN, "500 MB", lambda one: setattr(one, "free", 500 * 2**20)),
    ("backups", State.FAIL, "2 d 3 h old", lambda one: setattr(one, "now", NOON + timedelta(2))),
    ("backups", State.FAIL, "cannot be read", setting("INTERLOCK_BACKUP_DIR", "nowhere")),
    ("model", State.FAIL, "not installed", lambda one: one.variables.update(
        INTERLOCK_MODEL="openai/gpt-5", INTERLOCK_MODEL_PRICE="1/1", INTERLOCK_MODEL_BUDGET="9")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("check", "state", "words", "spoil"), FAULTS, ids=[f"{one[0]}: {one[2]}" for one in FAULTS]
)
def test_it_names_what_is_wrong(
    patient: Patient, check: str, state: State, words: str, spoil: Spoil
) -> None:
    spoil(patient)
    found = patient.of(check)

    assert found.state is state, found
    assert words in found.saw
    assert found.costs
    assert found.do


def test_a_backup_may_be_a_folder_and_a_channel_may_be_a_person(patient: Patient) -> None:
    (backups,) = patient.home.parent.glob("backups")
    (backups / "tuesday" / "base").mkdir(parents=True)
    (backups / "monday.db").rename(backups / "tuesday" / "base" / "monday.db")
    patient.variables["INTERLOCK_CHANNEL"] = "U0RITA"

    assert patient.of("backups").saw.endswith("is 3 h old.")
    assert patient.of("channels").state is State.OK


def test_a_backup_that_was_cut_short_is_none(patient: Patient) -> None:
    (backups,) = patient.home.parent.glob("backups")
    (backups / "tuesday.dump").touch()  # What `pg_dump` leaves where it could not connect.
    (backups / "tuesday.db.partial").write_text("half a copy")

    assert patient.of("backups").saw == f"The newest of 1 file in {backups} is 3 h old."


def test_a_scope_that_is_missing_is_named_with_what_needs_it(patient: Patient) -> None:
    granted = patient.slack.hub.state.scopes
    patient.slack.hub.state.scopes = granted - {"usergroups:read"}
    missing = patient.of("scopes")
    patient.slack.hub.state.scopes = granted - {"files:write"}
    spared = patient.of("scopes")
    patient.slack.hub.state.scopes = granted | {"reactions:write"}
    more = patient.of("scopes")
    patient.slack.hub.state.scopes = granted

    assert missing.state is State.FAIL
    assert "usergroups:read (who may run and approve)" in missing.saw
    assert more.state is State.WARN
    assert "reactions:write" in more.saw
    assert spared.state is State.WARN
    assert "files:write (the files in a digest's thread)" in spared.saw


def test_a_database_that_another_program_holds_is_named(patient: Patient) -> None:
    held = sqlite3.connect(patient.database)
    held.execute("BEGIN IMMEDIATE")
    found = patient.of("database")
    held.close()

    assert found.state is State.FAIL
    assert "locked" in found.saw


def test_the_command_ends_with_what_it_found_and_prints_no_secret(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in patient.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-1-a-token-of-somebody-else")
    told = CliRunner().invoke(main, ["doctor"])
    monkeypatch.delenv("SLACK_APP_TOKEN")
    patient.slack.faults.next("auth.test", reset())
    data = json.loads(CliRunner().invoke(main, ["doctor", "--json"]).stdout)

    assert told.exit_code == 1
    assert "FAIL  app token" in told.stdout
    assert "→ " in told.stdout
    assert data["state"] == "fail"
    assert {one["check"]: one["state"] for one in data["checks"]}["scopes"] == "unknown"
    for secret in ("xapp-1-a-token", patient.slack.bot_token):
        assert secret not in told.stdout + json.dumps(data)


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ((State.OK, State.WARN), 0),
        ((State.UNKNOWN, State.WARN), 3),
        ((State.FAIL, State.UNKNOWN), 1),
    ],
)
def test_the_worst_finding_gives_the_exit_code(
    states: tuple[State, ...],
    code: int,
    patient: Patient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = [Finding(check="one", state=state, saw="It.") for state in states]
    monkeypatch.setattr("bot.cli.doctor.examine", lambda _around: found)
    monkeypatch.setenv("INTERLOCK_HOME", str(patient.home))

    assert CliRunner().invoke(main, ["doctor"]).exit_code == code


def test_on_postgres_it_sees_the_server_s_clock_and_its_workers(
    patient: Patient, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient.variables["INTERLOCK_DATABASE_URL"] = postgres_url
    shutil.rmtree(patient.home / "keys")
    begin_log(read_settings(patient.variables)).database.close()
    found = {one.check: one for one in patient.found()}
    database = open_database(postgres_url)
    with database.begin() as tx:
        with monkeypatch.context() as patch:
            patch.setattr("storage.gauges.SETTLED", timedelta(0))
            connected = {one.check: one for one in patient.found()}["serving"]
        tx.connection.execute(text("INSERT INTO procrastinate_workers DEFAULT VALUES"))
    database.close()
    beside = {one.check: one for one in patient.found()}

    assert (found["serving"].costs, beside["serving"].costs) == (
        "Runs stand still, and nobody is answered.",
        "Runs go on there; this machine takes no part.",
    )
    assert "others are connected to this database from its own machine" in connected.saw
    assert "if one of them serves" in connected.costs
    assert found["in force"].state is State.OK
    assert "say-hello" in beside["in force"].saw
    assert beside["workers"].saw == "1 process continues runs."
    assert found["database"].saw == "Postgres, open for writing."
    assert found["database clock"].state is State.WARN  # It is not noon of that day there.
    assert found["workers"].state is State.WARN
    assert found["writer key"].state is State.OK
