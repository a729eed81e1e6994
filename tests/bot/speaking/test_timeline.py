"""The timeline of a run: which of several requests each line is about."""

from datetime import timedelta

import pytest

from bot.timeline import timeline
from storage.database import Database
from storage.history import read_run
from storage.refusals import read_beside
from storage.store import SqlStore
from tests.workflows.engine.batches import open_ones, paying, say
from tests.world import Clock
from workflows.gate import Verdict

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_what_ends_or_is_refused_says_which_of_several_requests_it_is_about(
    store: SqlStore, clock: Clock, database: Database
) -> None:
    house, run = paying(store, clock, items=2)
    asked = open_ones(house, run)
    say(house, asked[1:], Verdict.DENY)
    say(house, asked[1:], Verdict.APPROVE, by="ben")
    clock.at += timedelta(hours=24)
    house.settle()
    with database.read() as connection:
        entries = read_run(connection, run)
        refused = read_beside(connection, run, of=entries)
    told = {
        one.entry.kind: one.shown
        for one in timeline(entries, refused)
        if one.entry.kind in ("approval.denied", "approval.refused", "approval.expired")
    }

    first, second = (one.index for one in entries if one.kind == "approval.requested")
    assert told == {
        "approval.denied": f"was shown #{second}: change n1 by 2",
        "approval.refused": f"about #{second}: change n1 by 2",
        "approval.expired": f"about #{first}: change n0 by 1",
    }
