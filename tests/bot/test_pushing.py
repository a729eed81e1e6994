"""Entries reach a system that watches, each at least once and in order, whatever it does."""

import json
import logging
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pydantic import SecretStr

from bot.cli import main
from bot.clock_parts import pushing_of
from bot.core import Means, NobodyReadable, build_core
from bot.logs import QUIET
from bot.opening import open_memory
from bot.push_syslog import SyslogTarget, syslog_message
from bot.push_target import Push, PushError, Target, Told, push_of, target_of
from bot.pushing import FIRST_SECONDS, LOOK_SECONDS, MOST_SECONDS, Pushing
from bot.settings import Settings, SettingsError, read_settings
from storage.database import Database, open_database
from storage.evidence.derived.cloudevents import cloud_event
from storage.evidence.derived.ocsf import ocsf_event
from storage.evidence.derived.sealed import in_short, sealed
from storage.evidence.derived.written import Event
from storage.pushing import HELD, MOST, PushRows
from tests.storage.trail import ORIGIN, Trail, begin_trail, outside
from workflows.references import NoReferences

TOKEN = "hush-hush-token"
PATIENCE = 60.0


@dataclass
class Siem:
    """A receiver of JSON lines that misbehaves as told: a status, or None to drop the line."""

    answers: list[int | None] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    came: threading.Event = field(default_factory=threading.Event)
    promised: int = 0  # Bytes beside the status, none of which comes.
    most: int = 10**9  # Bytes that it takes at once.
    after: str = ""  # When to come again.
    url: str = ""

    @property
    def places(self) -> list[list[int]]:
        """Which entries came with each request."""
        return [
            [int(json.loads(line)["sequence"]) for line in body.splitlines()]
            for body in self.bodies
        ]


@pytest.fixture
def siem() -> Iterator[Siem]:
    told = Siem()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            told.headers.append(dict(self.headers))
            told.came.set()  # Before the answer: whoever has that may wait for the next.
            status = told.answers.pop(0) if told.answers else 204
            status = 413 if len(told.bodies[-1]) > told.most else status
            if status is None:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(status)
            self.send_header("Content-Length", str(told.promised))
            if told.after:
                self.send_header("Retry-After", told.after)
            self.end_headers()
            if told.promised:
                self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, *_words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}/in?key={TOKEN}"
    yield told
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Desk:
    """A log, and whoever pushes it."""

    trail: Trail

    def rows(self, name: str = "one", target: str = "t") -> PushRows:
        return PushRows(self.trail.database, target, name=name)

    def pushing(self, target: Target, *, name: str = "one", form: Event = cloud_event) -> Pushing:
        push = Push(url="https://siem.example/in", name="t", authorization="", event=form)
        return Pushing(self.rows(name), push, now=self.trail.clock, target=target)

    def add(self, count: int) -> None:
        with self.trail.database.begin() as tx:
            for number in range(count):
                draft = outside("hold.lifted", {"hold": f"h{number}", "reason": "over"})
                self.trail.journal.append(tx, draft)


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Desk]:
    database: Database = open_database(database_url)
    yield Desk(begin_trail(database_url, database, tmp_path / "home"))
    database.close()


def settings(**given: Any) -> Settings:  # noqa: ANN401  as the environment gives them
    return Settings.model_validate(given)


def http_target(siem: Siem) -> Target:
    push = push_of(settings(push_url=siem.url, push_token=TOKEN))
    assert push is not None
    return target_of(push)


def test_a_receiver_that_takes_less_at_once_gets_less_at_once(desk: Desk, siem: Siem) -> None:
    desk.add(7)
    pushing = desk.pushing(http_target(siem))
    size = desk.rows().state().size
    siem.most = 2000
    while pushing.look() == 0.0:
        continue
    taken = [
        places
        for places, body in zip(siem.places, siem.bodies, strict=True)
        if len(body) <= siem.most
    ]

    assert list(chain.from_iterable(taken)) == list(range(size))
    assert (desk.rows().state().behind, desk.rows().state().trouble) == (0, "")


def test_one_entry_that_is_too_large_for_the_receiver_is_told(desk: Desk, siem: Siem) -> None:
    siem.most = 10
    pushing = desk.pushing(http_target(siem))
    pauses = []
    while not pauses or pauses[-1] == 0.0:
        pauses.append(pushing.look())

    assert pauses[-1] == FIRST_SECONDS
    assert desk.rows().state().trouble == "it answered with status 413"
    assert desk.rows().state().next_idx == 0


@pytest.mark.parametrize("form", [cloud_event, ocsf_event])
def test_an_entry_that_is_too_large_goes_in_short_and_those_behind_it_whole(
    desk: Desk, siem: Siem, form: Event
) -> None:
    desk.add(2)
    with desk.trail.database.begin() as tx:
        data = {"hold": "h9", "reason": "x" * 8000}
        desk.trail.journal.append(tx, outside("hold.lifted", data))
    desk.add(2)
    siem.most = 6000
    pushing = desk.pushing(http_target(siem), form=form)
    while pushing.look() == 0.0:
        continue
    with desk.trail.database.read() as connection:
        whole = list(sealed(connection, 0, 6))
    events = [
        json.loads(line)
        for body in siem.bodies
        if len(body) <= siem.most
        for line in body.splitlines()
    ]
    (short,) = [one for one in events if "left_out" in json.dumps(one)]
    state = desk.rows().state()
    desk.add(1)
    pushing.look()

    assert [one for one in events if one != short] == [
        json.loads(form(one, ORIGIN)) for one in whole if one.idx != 3
    ]
    assert short == json.loads(form(in_short(whole[3]), ORIGIN))
    assert whole[3].id in json.dumps(short)
    assert f'"left_out": {len(whole[3].line)}' in json.dumps(short)
    assert (state.behind, state.failing_since) == (0, None)
    assert state.trouble == "entry #3 was too large for it and went without what it tells"
    assert desk.rows().state().trouble == state.trouble  # What goes well is no reason to forget it.


@pytest.mark.parametrize(
    ("after", "pause"),
    [("120", 120.0), ("1", FIRST_SECONDS), ("999999", 3600.0), ("soon", FIRST_SECONDS), ("", 2.0)],
)
def test_a_receiver_says_when_to_come_again(
    desk: Desk, siem: Siem, after: str, pause: float
) -> None:
    siem.answers, siem.after = [429], after

    assert desk.pushing(http_target(siem)).look() == pause


def test_every_entry_arrives_in_order_whatever_the_receiver_does(
    desk: Desk, siem: Siem, caplog: pytest.LogCaptureFixture
) -> None:
    for name in QUIET:  # As `configure_logs` does.
        caplog.set_level(logging.WARNING, name)
    caplog.set_level(logging.DEBUG)
    siem.answers = [500, None, 302]
    pushing = desk.pushing(http_target(siem))
    pauses = [pushing.look() for _ in range(3)]
    standing = desk.rows().state()
    desk.add(3)

    # What was taken without an answer comes again, and nothing comes before it.
    assert pauses == [FIRST_SECONDS, 2 * FIRST_SECONDS, 4 * FIRST_SECONDS]
    assert (standing.next_idx, standing.trouble) == (0, "it answered with status 302")
    assert standing.failing_since is not None
    assert pushing.look() == LOOK_SECONDS
    assert siem.places == [[0], [0], [0], [0, 1, 2, 3]]
    assert siem.headers[-1]["Authorization"] == f"Bearer {TOKEN}"
    after = desk.rows().state()
    assert (after.behind, after.trouble, after.failing_since) == (0, "", None)
    assert TOKEN not in "".join(str(vars(one)) for one in caplog.records)
    assert [one.message for one in caplog.records if one.name == "bot.pushing"] == [
        "entries cannot be pushed",
        "entries are pushed again",
    ]


def test_who_breaks_off_was_reached(siem: Siem) -> None:
    siem.answers = [None]
    with pytest.raises(PushError, match="it broke off"):
        http_target(siem).send([Told(kind="log.init", ts="", event=b"{}")])


def test_the_status_alone_says_whether_a_batch_was_taken(siem: Siem) -> None:
    siem.promised = 1 << 40
    http_target(siem).send([Told(kind="log.init", ts="", event=b'{"sequence":"0"}')])

    assert siem.places == [[0]]


def test_a_long_log_goes_in_batches_without_waiting(desk: Desk, siem: Siem) -> None:
    desk.add(MOST + 10)
    pushing = desk.pushing(http_target(siem))

    assert pushing.look() == 0.0
    assert pushing.look() == LOOK_SECONDS
    assert [len(one) for one in siem.places] == [MOST, 11]
    assert list(chain.from_iterable(siem.places)) == list(range(MOST + 11))
    assert pushing.look() == LOOK_SECONDS
    assert len(siem.bodies) == 2


def test_pauses_grow_up_to_five_minutes(desk: Desk) -> None:
    class Deaf:
        def send(self, events: Sequence[Told]) -> None:
            raise PushError(f"{len(events)} are too many")

    pushing = desk.pushing(Deaf())

    assert [pushing.look() for _ in range(10)][-1] == MOST_SECONDS


def test_a_process_that_dies_after_sending_leaves_entries_that_come_twice(desk: Desk) -> None:
    first, second = desk.rows("first"), desk.rows("second")
    now = desk.trail.clock()
    batch = first.take(now=now)

    assert batch is not None
    assert second.take(now=now) is None
    late = second.take(now=now + HELD + timedelta(seconds=1))
    assert late is not None
    assert [one.idx for one in late.entries] == [one.idx for one in batch.entries]
    assert not first.sent(batch, now=now)
    assert second.sent(late, now=now)
    assert second.state().next_idx == 1


def test_a_process_that_stops_lets_go(desk: Desk) -> None:
    came = threading.Event()

    class Ear:
        def send(self, events: Sequence[Told]) -> None:
            assert events
            came.set()

    pushing = desk.pushing(Ear())
    pushing.start()
    assert came.wait(PATIENCE)
    pushing.stop()
    desk.add(1)

    assert desk.rows("other").take(now=desk.trail.clock()) is not None


def test_another_target_begins_at_the_first_entry(desk: Desk, siem: Siem) -> None:
    desk.pushing(http_target(siem)).look()

    assert desk.rows(target="t").state().next_idx == 1
    assert desk.rows(target="elsewhere").state().next_idx == 0


def _until_space(connection: socket.socket) -> bytes:
    read = b""
    while not read.endswith(b" "):
        read += connection.recv(1)
    return read


@contextmanager
def syslog_sink(*manners: str) -> Iterator[tuple[SyslogTarget, list[bytes]]]:
    """Give a sink that treats each connection as told: `reads` it, or `resets` it half-way.

    One that `ends` says so before it reads anything, one that `greets` after a greeting; one that
    reads `one` message closes then.
    """
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for manner in manners:
                connection, _ = listener.accept()
                with connection:
                    if manner == "resets":
                        heard.append(connection.recv(10))
                        linger = struct.pack("ii", 1, 0)
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                        continue
                    if manner == "one":
                        size = int(_until_space(connection))
                        heard.append(connection.recv(size, socket.MSG_WAITALL))
                        continue
                    if manner == "greets":
                        connection.sendall(b"220 ready\r\n")
                    if manner in ("ends", "greets"):
                        connection.shutdown(socket.SHUT_WR)
                    read = b""
                    while block := connection.recv(65536):
                        read += block
                    heard.append(read)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield SyslogTarget("127.0.0.1", listener.getsockname()[1]), heard
        thread.join(PATIENCE)


def frames(stream: bytes) -> list[bytes]:
    """Return the messages of a stream in which each is led by its length."""
    found = []
    while stream:
        size, _, rest = stream.partition(b" ")
        found.append(rest[: int(size)])
        stream = rest[int(size) :]
    return found


def test_syslog_messages_count_once_the_receiver_has_read_them_all(desk: Desk) -> None:
    desk.add(2)
    with syslog_sink("resets", "reads") as (target, heard):
        pushing = desk.pushing(target)

        assert pushing.look() == FIRST_SECONDS
        assert desk.rows().state().next_idx == 0
        assert pushing.look() == LOOK_SECONDS
    messages = frames(heard[-1])
    header, event = messages[0].split(b" - ", 2)[0], json.loads(messages[0].split(b" - ")[-1])

    assert len(messages) == 3
    assert desk.rows().state().behind == 0
    assert header.startswith(b"<109>1 2026-03-02T09:00:")
    assert event["type"] == "interlock.log.init"


@pytest.mark.parametrize("manner", ["ends", "greets"])
def test_who_ends_before_reading_has_taken_nothing(manner: str) -> None:
    told = Told("run.started", "2026-03-02T09:00:00.000Z", b'{"a":1}')
    with syslog_sink(manner) as (target, _), pytest.raises(PushError, match="broke off"):
        # More than both sides keep for each other, so the end has come before we are through.
        target.send([told, Told(told.kind, told.ts, b"x" * (1 << 24))])


def test_who_closes_after_each_message_never_counts_as_having_read_two() -> None:
    told = Told("run.started", "2026-03-02T09:00:00.000Z", b'{"a":1}')
    tries = 50
    refused = 0
    with syslog_sink(*["one"] * tries) as (target, heard):
        for _ in range(tries):
            try:
                target.send([told, told])
            except PushError:
                refused += 1

    assert (refused, len(heard)) == (tries, tries)


def test_a_time_that_is_none_is_left_out_of_the_header() -> None:
    assert syslog_message(Told("run.started", "None x", b"{}"), hostname="h").startswith(
        b"<109>1 - h interlock "
    )


def test_a_message_of_something_bad_is_a_warning_and_its_header_is_printable() -> None:
    told = Told("break_glass.used", "2026-03-02T09:00:00.000Z", b'{"a":1}')
    message = syslog_message(told, hostname="h\u00f6st name")

    assert message == (
        b'<108>1 2026-03-02T09:00:00.000Z h_st_name interlock - break_glass.used - {"a":1}'
    )


@pytest.mark.parametrize(
    "url",
    ["ftp://h/x", "syslog://h", "https://u:p@h/in", "https:///in", "syslog://h:1/x", "siem"],
)
def test_an_address_that_is_none_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings({"INTERLOCK_PUSH_URL": url})

    assert "push_url" in str(refused.value).lower()
    assert "u:p" not in str(refused.value)


def test_a_token_never_goes_over_the_network_in_the_clear() -> None:
    given = settings(push_url="http://siem.example/in", push_token=SecretStr(TOKEN))
    with pytest.raises(SettingsError, match="in the clear"):
        push_of(given)

    fine = push_of(settings(push_url="https://siem.example/in?q=1", push_token=f"Splunk {TOKEN}"))
    assert fine is not None
    assert (fine.name[:23], fine.authorization) == ("https://siem.example/… ", f"Splunk {TOKEN}")
    assert "in" not in fine.name[20:]
    assert TOKEN not in repr(fine)


def test_the_command_says_how_far_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, siem: Siem
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("INTERLOCK_HOME", str(home))
    assert CliRunner().invoke(main, ["init"]).exit_code == 0
    unset = CliRunner().invoke(main, ["audit", "push"])
    monkeypatch.setenv("INTERLOCK_PUSH_URL", siem.url)
    before = CliRunner().invoke(main, ["audit", "push"])
    siem.answers = [503]
    settings = read_settings()
    memory = open_memory(settings)
    core = build_core(
        settings, memory, people=NobodyReadable(), means=Means(), references=NoReferences()
    )
    (pushing,) = pushing_of(core)
    assert isinstance(pushing, Pushing)
    pushing.look()
    failing = CliRunner().invoke(main, ["audit", "push", "--json"])
    siem.came.clear()
    pushing.start()  # As `interlock serve` does with it.
    assert siem.came.wait(PATIENCE)
    pushing.stop()
    memory.database.close()
    after = CliRunner().invoke(main, ["audit", "push", "--json"])

    assert (unset.exit_code, "is not set" in unset.output) == (2, True)
    assert (before.exit_code, "Nothing was pushed yet." in before.output) == (0, True)
    assert failing.exit_code == 1
    assert json.loads(failing.stdout)["trouble"] == "it answered with status 503"
    assert (after.exit_code, json.loads(after.stdout)["behind"]) == (0, 0)
    assert TOKEN not in before.output + failing.output + after.output
