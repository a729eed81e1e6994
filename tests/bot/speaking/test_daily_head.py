"""A head stands in the channel each day that the log has grown, and is kept as an anchor."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from bot.daily_head import SLACK, DailyHeads
from bot.directory import Directory
from bot.firings import firings_between
from bot.rendering import Rendering
from bot.run_reading import RunReader
from bot.slack_client import SlackClient
from sandbox.seen import SeenMessage
from storage.anchors import read_anchors
from storage.checkpoint import read_note
from storage.heads import head
from storage.history import read_entries
from storage.outbox_values import MessagePlace, OutboxRow
from storage.store import SqlStore
from storage.verify import verify_database
from tests.bot.speaking.office import BOTH, Ledger, Office, Shelf
from tests.storage.machines import FACT
from workflows.entry import SYSTEM, Draft, Entry
from workflows.store import Subject

MONDAY = datetime(2026, 3, 2, 6, 17, tzinfo=UTC)
LOOKED: dict[str, int | str] = {
    "size": 1,
    "mode": "quick",
    "exit": 0,
    "failures": 0,
    "unproven": 0,
    "ms": 1,
}


class Keeps(Ledger):
    """Consequences of which those of heads are drawn."""

    def __init__(self, heads: DailyHeads) -> None:
        super().__init__()
        self.heads = heads

    def head_stands(self, row: OutboxRow, place: MessagePlace) -> None:
        self.heads.stands(row, place)


@pytest.fixture
def heads(office: Office, client: SlackClient) -> DailyHeads:
    """Give what makes heads, in an office that draws them and records where they stand."""
    made = DailyHeads(office.store, channel="ops")
    reader = RunReader(
        office.store,
        Shelf(),
        Directory(client, team="T0ACME"),
        workspace_url="https://acme.slack.com/",
    )
    renders = Rendering(office.store, reader)
    office.outbox = office.another_process("one", renders=renders, draws=Keeps(made))
    return made


def grows(store: SqlStore, draft: Draft = FACT) -> None:
    with store.begin() as unit:
        unit.append(draft)


def messages(office: Office) -> list[SeenMessage]:
    return list(office.server.workspace.messages("#ops"))


def anchored(store: SqlStore) -> list[Entry]:
    with store.database.read() as connection:
        found = read_entries(connection, 0, head(connection).size)
    return [one for one in found if one.kind == "checkpoint.anchored"]


@BOTH
def test_a_head_is_posted_once_a_day_linked_to_the_one_before_and_kept(
    office: Office, heads: DailyHeads, database_url: str
) -> None:
    store = office.store
    grows(store)
    replica = DailyHeads(store, channel="ops")
    made = [one.post(MONDAY) for one in (heads, replica, heads)]
    office.deliver()
    (first,) = messages(office)
    grows(store)
    heads.post(MONDAY + timedelta(days=1))
    office.deliver()
    _, second = messages(office)
    report = verify_database(database_url, [], processes=1)
    with store.database.read() as connection:
        newest, oldest = read_anchors(connection, most=9)

    note = read_note(first.metadata["event_payload"]["note"])
    assert made == [True, False, False]
    assert "2 entries, 2 new" in first.words
    assert note.checkpoint.text in first.words
    assert (oldest.type, oldest.size, oldest.ref) == (SLACK, 2, f"{first.channel}/{first.ts}")
    assert newest.size == 4
    assert "4 entries, 2 new" in second.words
    assert f"/p{first.ts.replace('.', '')}" in json.dumps(second.blocks)
    assert [(one.data["type"], one.data["size"]) for one in anchored(store)] == [
        (SLACK, 2),
        (SLACK, 4),
    ]
    assert (report.failures, report.counts["anchors"]) == ([], 2)


def test_a_day_with_nothing_but_routine_gets_no_head(office: Office, heads: DailyHeads) -> None:
    heads.post(MONDAY)
    office.deliver()
    grows(office.store, Draft(kind="verify.run", actor=SYSTEM, data=dict(LOOKED)))

    assert not heads.post(MONDAY + timedelta(days=1))
    assert office.deliver() == 0


def test_a_head_whose_place_is_told_twice_is_one_anchor(office: Office, heads: DailyHeads) -> None:
    heads.post(MONDAY)
    office.deliver()
    row = office.store.outbox.find(Subject.HEAD, "2026-03-02T06:17")
    assert row is not None
    assert row.place is not None
    heads.stands(row, row.place)

    assert len(anchored(office.store)) == 1


def test_heads_are_due_every_day(heads: DailyHeads) -> None:
    due = firings_between(
        heads.schedule("l").trigger, after=MONDAY, until=MONDAY + timedelta(days=14)
    )

    assert len({one.date() for one in due}) == len(due) == 14
