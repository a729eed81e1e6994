"""What Prometheus reads: the figures are right on both databases, and the text is its format."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from slack_bolt import App, BoltRequest, BoltResponse
from slack_sdk import WebClient
from sqlalchemy import event
from sqlalchemy import text as sql

from bot.arrival import ARRIVED, Timed
from bot.core import Core
from bot.doors import receiver_of
from bot.http import HttpServer
from bot.metrics import events
from bot.metrics.catalogue import FIGURES, several
from bot.metrics.collecting import Collector
from bot.metrics.events import MOST_WORKFLOWS, EventCounts
from bot.metrics.exposition import written
from bot.metrics.meters import Meters
from bot.readiness import Readiness
from bot.settings import Settings
from bot.watched_routes import watched_routes
from bot.watching import Watching
from sandbox.ports import free_port
from storage.anchors import Evidence, TurnSql, keep_anchor
from storage.database import Database, open_database
from storage.gauges import Event, read_events, read_grown
from storage.log_setup import init_log
from storage.pushing import PushRows
from storage.store import SqlStore
from tests.exposition import Scrape, read
from tests.world import Clock, Working
from workflows.entry import SYSTEM, Draft
from workflows.store import Message, Subject

# A row for each that keeps heads or takes entries, one a day of what they keep; of our own heads
# the newest alone is read.
SMALL = {"anchor_turn", "audit_anchor", "audit_checkpoint", "push_cursor"}
TOKEN = "a-token-of-prometheus"
ADDRESS = "127.0.0.1:9464"


class Watched:
    """A collector over a store on which runs were made."""

    def __init__(self, database: Database, home: Path) -> None:
        self.clock = Clock()
        journal = init_log(database, home, origin="acme.example/audit", now=self.clock)
        self.store = SqlStore(database, journal, now=self.clock)
        self.meters = Meters()
        self.readiness = Readiness(database)
        self.ticks = 0.0
        self.collector = Collector(
            database, self.meters, self.readiness, now=self.clock, ticks=lambda: self.ticks
        )

    @property
    def path(self) -> Path:
        return Path(str(self.store.database.engine.url.database))

    def scrape(self) -> Scrape:
        self.ticks += 60
        return read(self.collector.text())


@pytest.fixture
def watched(database_url: str, tmp_path: Path) -> Iterator[Watched]:
    database = open_database(database_url)
    yield Watched(database, tmp_path / "home")
    database.close()


def test_it_tells_what_waits_what_happened_and_how_old_things_are(watched: Watched) -> None:
    house = Working(watched.store, watched.clock)
    waiting, done, denied = (house.start() for _ in range(3))
    house.settle()
    watched.clock.forward(timedelta(minutes=10))
    house.approve(done)
    house.deny(denied)
    house.settle()
    watched.clock.forward(timedelta(minutes=5))
    found = watched.scrape()

    assert house.status(waiting) == "waiting"
    assert found.value("interlock_runs", workflow="change-it", status="waiting") == 1
    assert found.value("interlock_oldest_run_age_seconds", status="waiting") == 900
    assert found.value("interlock_approval_requests_open") == 1
    assert found.value("interlock_approval_request_oldest_age_seconds") == 900
    assert found.value("interlock_outbox_messages") > 0
    assert found.value("interlock_outbox_oldest_due_seconds") == 900
    assert found.value("interlock_runs_started_total", workflow="change-it") == 3
    ended = {
        dict(labels)["outcome"]: n for labels, n in found.of("interlock_runs_ended_total").items()
    }
    assert ended == {"done": 1, "denied": 1}
    assert found.value("interlock_approvals_total", event="granted") == 1
    assert found.value("interlock_approvals_total", event="denied") == 1
    assert found.value("interlock_effects_total", outcome="executed") == 1
    assert found.value("interlock_break_glass_total") == 0
    assert found.value("interlock_log_entries") > 10
    assert found.value("interlock_checkpoint_age_seconds") == 300
    assert set(found.types) <= set(FIGURES)


def test_what_is_counted_once_is_not_counted_again_and_grows(watched: Watched) -> None:
    house = Working(watched.store, watched.clock)
    house.start()
    first = watched.scrape().value("interlock_runs_started_total", workflow="change-it")
    again = watched.scrape().value("interlock_runs_started_total", workflow="change-it")
    house.start()

    assert (first, again) == (1, 1)
    assert watched.scrape().value("interlock_runs_started_total", workflow="change-it") == 2


def test_after_a_long_silence_it_counts_page_by_page_what_the_database_has_added_up(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        Working(watched.store, watched.clock).start()
    with watched.store.database.read() as connection:
        size = read_grown(connection).size
        (started,) = read_events(connection, ["run.started"], places=range(size))
        monkeypatch.setattr(events, "MOST_EVENTS", 1)
        monkeypatch.setattr(events, "MOST_PAGES", size // 2)
        counts = EventCounts(after=0)
        counts.take_up(connection, size=size)
        half = counts_of(counts)
        counts.take_up(connection, size=size)
        counts.take_up(connection, size=size)

    assert (started.workflow, started.count) == ("change-it", 3)
    assert half != counts_of(counts)
    assert counts_of(counts)["interlock_runs_started_total"] == 3


def counts_of(counts: EventCounts) -> dict[str, float]:
    return {one.name: sum(sample.value for sample in one.samples) for one in counts.families()}


def test_who_asks_again_within_seconds_is_given_the_same_answer(watched: Watched) -> None:
    first = watched.collector.text()
    Working(watched.store, watched.clock).start()
    watched.ticks += 4.9

    assert watched.collector.text() == first
    watched.ticks += 0.2
    assert watched.collector.text() != first


def test_anchors_verification_and_workers_are_told_of(watched: Watched) -> None:
    now, database = watched.clock(), watched.store.database
    data = {"size": 1, "mode": "full", "exit": 1, "failures": 2, "unproven": 0, "ms": 5}
    evidence = Evidence(type="mail", ref="1", content=b"x", at=now - timedelta(hours=2))
    with database.begin() as tx:
        watched.store.journal.append(tx, Draft(kind="verify.run", actor=SYSTEM, data=data))
        keep_anchor(tx, 1, evidence)
        TurnSql(tx).claim("mail", now=now, until=now)
        TurnSql(tx).failed("mail", "refused", at=now, next_at=now)
    pushed = PushRows(database, "https://siem.example", name="one")
    pushed.take(now=now)
    pushed.failed("it answered with status 503", now=now)
    if database.dialect != "sqlite":
        with database.engine.begin() as connection:
            connection.execute(sql("INSERT INTO procrastinate_workers DEFAULT VALUES"))
    watched.clock.forward(timedelta(hours=1))
    found = watched.scrape()

    assert found.value("interlock_verification_failures") == 2
    assert found.value("interlock_verification_age_seconds") == 3600
    assert found.value("interlock_anchor_age_seconds", type="mail") == 3 * 3600
    assert found.value("interlock_anchor_failures", name="mail") == 1
    assert found.value("interlock_push_failing_seconds") == 3600
    if database.dialect != "sqlite":
        assert found.value("interlock_workers_alive") == 1
        assert set(found.types) == set(FIGURES) - {"interlock_disk_free_bytes"}


@pytest.fixture
def on_sqlite(sqlite_url: str, tmp_path: Path) -> Iterator[Watched]:
    database = open_database(sqlite_url)
    yield Watched(database, tmp_path / "home")
    database.close()


def test_what_the_process_measures_is_told_beside_it(on_sqlite: Watched) -> None:
    on_sqlite.store.on_committed(on_sqlite.meters.commits.observe)
    with on_sqlite.store.begin() as unit:
        unit.send(Message(subject=Subject.NOTICE, key="k", channel="ops", body={"text": "Hi"}))
    for seconds in (0.004, 0.2, 7.0):
        on_sqlite.meters.acks.observe(seconds)
    on_sqlite.meters.limited("chat.postMessage", 3.0)
    on_sqlite.meters.limited("chat.postMessage", 2.0)
    found = on_sqlite.scrape()

    assert found.value("interlock_commit_seconds_count") == 1
    assert found.value("interlock_click_ack_seconds_bucket", le="0.01") == 1
    assert found.value("interlock_click_ack_seconds_bucket", le="0.25") == 2
    assert found.value("interlock_click_ack_seconds_count") == 3
    assert found.value("interlock_slack_rate_limited_total", method="chat.postMessage") == 2
    waits = "interlock_slack_rate_limit_wait_seconds_total"
    assert found.value(waits, method="chat.postMessage") == 5
    assert found.value("process_resident_memory_bytes") > 2**20


def test_no_figure_is_read_by_going_through_a_whole_table(on_sqlite: Watched) -> None:
    engine = on_sqlite.store.database._readers  # type: ignore[attr-defined]  # noqa: SLF001
    said: list[tuple[str, Any]] = []

    def listen(_c: object, _d: object, words: str, values: object, *_: object) -> None:
        said.append((words, values))

    event.listen(engine, "before_cursor_execute", listen)
    Working(on_sqlite.store, on_sqlite.clock).start()
    on_sqlite.scrape()
    with closing(sqlite3.connect(on_sqlite.path)) as connection:
        plans = [
            row[3]
            for words, values in said
            for row in connection.execute(f"EXPLAIN QUERY PLAN {words}", values)
        ]
    scans = {one for one in plans if one.startswith("SCAN")}

    assert len(said) > 10
    assert {one.split()[1] for one in scans if " INDEX " not in one} <= SMALL


def test_while_the_database_is_away_the_process_still_tells_of_itself(on_sqlite: Watched) -> None:
    on_sqlite.meters.acks.observe(0.1)
    path = on_sqlite.path
    on_sqlite.store.database.close()
    path.write_bytes(b"nothing of a database" * 500)
    for rest in (f"{path}-wal", f"{path}-shm"):
        Path(rest).unlink(missing_ok=True)
    found = on_sqlite.scrape()

    assert found.value("interlock_ready", part="database") == 0
    assert found.value("interlock_click_ack_seconds_count") == 1
    assert "interlock_runs" not in found.types


def test_a_full_disk_is_not_ready_and_how_much_room_there_is_is_shown(on_sqlite: Watched) -> None:
    full = Readiness(on_sqlite.store.database, free=lambda _: 4_096)
    room = on_sqlite.scrape().value("interlock_disk_free_bytes")

    assert room > 4_096
    assert on_sqlite.readiness.look()["database"] is None
    assert full.look()["database"] == "The disk is full."


def test_a_hundred_workflows_have_a_name_and_all_others_share_one() -> None:
    counts = EventCounts(after=0)
    for number in range(MOST_WORKFLOWS + 50):
        counts.count(Event("run.started", f"w{number}", ""))
    started = next(one for one in counts.families() if one.name == "interlock_runs_started_total")

    assert len(started.samples) == MOST_WORKFLOWS + 1
    assert next(one.value for one in started.samples if one.labels["workflow"] == "other") == 50


def test_signs_of_the_format_in_a_label_stay_what_they_are() -> None:
    name = 'a"b\\c\nd'
    found = read(written([several("interlock_anchor_failures", {(name,): 1.5})]))

    assert list(found.of("interlock_anchor_failures").values()) == [1.5]
    assert (("name", 'a\\"b\\\\c\\nd'),) in found.of("interlock_anchor_failures")


def test_the_time_to_an_answer_counts_from_the_wire_also_when_it_fails() -> None:
    class Broken:
        def dispatch(self, request: BoltRequest, /) -> BoltResponse:
            del request
            raise RuntimeError("a defect")

    told: list[float] = []
    timed = Timed(Broken(), told.append, clock=lambda: 12.0)
    with pytest.raises(RuntimeError):
        timed.dispatch(BoltRequest(body="", mode="socket_mode", context={ARRIVED: 9.5}))

    assert told == [2.5]


@pytest.fixture
def address(on_sqlite: Watched) -> Iterator[str]:
    port = free_port()
    more = list(watched_routes(on_sqlite.readiness, on_sqlite.collector, token=TOKEN))
    server = HttpServer(None, host="127.0.0.1", port=port, more=more)
    server.start()
    yield f"http://127.0.0.1:{port}"
    server.stop()


def test_figures_are_shown_to_whoever_brings_the_token_only(address: str) -> None:
    without = httpx.get(f"{address}/metrics", timeout=60)
    other = httpx.get(f"{address}/metrics", headers={"Authorization": "Bearer other"}, timeout=60)
    shown = httpx.get(
        f"{address}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60
    )

    assert [without.status_code, other.status_code, shown.status_code] == [401, 401, 200]
    assert shown.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "interlock_build_info" in read(shown.text).types
    assert "interlock" not in without.text


def core_of(watched: Watched, **settings: str) -> Core:
    """Return as much of a core as its doors and those who watch ask for."""
    found = SimpleNamespace(
        settings=Settings.model_validate(settings),
        memory=SimpleNamespace(database=watched.store.database),
        store=watched.store,
        means=SimpleNamespace(is_stopping=lambda: False, clock=watched.clock),
    )
    return cast("Core", found)


@pytest.mark.parametrize(("beside", "is_own"), [((ADDRESS,), False), (("", ""), True)])
def test_who_listens_there_anyway_needs_no_second_server(
    on_sqlite: Watched, beside: tuple[str, ...], *, is_own: bool
) -> None:
    # A worker may be given the settings of the bot, and listens at none of its addresses.
    core = core_of(on_sqlite, metrics=ADDRESS, api=ADDRESS)
    server = Watching(core, head=None).server(beside=beside)

    assert (server is not None) is is_own


def test_where_slack_delivers_it_is_told_whether_the_bot_is_ready(on_sqlite: Watched) -> None:
    address = f"127.0.0.1:{free_port()}"
    core = core_of(on_sqlite, http=address)
    app = App(signing_secret="secret", client=WebClient("xoxb-1"), token_verification_enabled=False)
    receiver = receiver_of(app, core, WebClient(), Watching(core, head=None))
    receiver.start()
    ready = httpx.get(f"http://{address}/readyz", timeout=60).json()
    figures = httpx.get(f"http://{address}/metrics", timeout=60).status_code
    receiver.stop()

    assert ready == {"ready": True, "database": "ok", "head": "ok"}  # There Slack connects.
    assert figures == 404


def test_readiness_names_the_part_that_is_not_ready(address: str, on_sqlite: Watched) -> None:
    ready = httpx.get(f"{address}/readyz", timeout=60)
    on_sqlite.readiness.watch("slack", lambda: "There is no connection to Slack.")
    unready = httpx.get(f"{address}/readyz", timeout=60)
    alive = httpx.get(f"{address}/healthz", timeout=60)

    assert (ready.status_code, ready.json()) == (
        200,
        {"ready": True, "database": "ok", "head": "ok"},
    )
    assert unready.status_code == 503
    assert unready.json()["slack"] == "There is no connection to Slack."
    assert unready.json()["ready"] is False
    assert alive.status_code == 200
