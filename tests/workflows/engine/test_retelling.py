"""Where there is a model, the story of an ended run is told anew; until then it restates."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from storage.history import read_entries
from storage.rebuild import check_projections
from storage.retention.person import erase
from storage.search import find
from storage.search_runs import Sought
from storage.sequencing import sequence_pending
from storage.store import SqlStore
from storage.summaries import Summary, read_summary
from tests.world import Clock, Working
from workflows.entry import Entry, Ref, RunId
from workflows.house import House
from workflows.retelling import LEASE, Retold
from workflows.store import Due, DueKind, Store
from workflows.summary import Sentence


class Desk(Working):
    """An engine in a house with a model; `orders` are the runs that it is to tell of."""

    orders: list[Due]

    def _house(self, store: Store) -> House:
        self.orders = []
        return replace(super()._house(store), retells=self.orders.append)


@pytest.fixture
def desk(store: SqlStore, clock: Clock) -> Desk:
    return Desk(store, clock)


def told(house: Working) -> list[Entry]:
    sequence_pending(house.store.database, house.store.journal.sequencer)
    with house.store.database.read() as connection:
        found = read_entries(connection, 0, 100_000)
    return [one for one in found if one.kind == "summary.written"]


def ended(house: Working) -> RunId:
    run = house.start()
    house.settle()
    house.approve(run)
    house.settle()
    return run


def summary(house: Working, run: RunId) -> Summary:
    with house.store.database.read() as connection:
        return read_summary(connection, run, of=house.entries(run))


def tells(_run: RunId, facts: Sequence[Sentence]) -> Retold:
    approved = next(one for one in facts if "approved" in one.text)
    mine = Sentence(text="Somebody agreed, gladly.", basis=approved.basis)
    return Retold(sentences=(mine,), model="openai/small")


def test_a_story_is_told_anew_with_the_entries_it_rests_on(desk: Desk) -> None:
    run = ended(desk)
    (order,) = desk.orders
    first = summary(desk, run)
    assert desk.engine.retell(order, tells)
    now = summary(desk, run)
    extract, model = told(desk)
    part = model.parts["summary"]
    found = [
        find(desk.store.database, Sought(words=words)).total for words in ("approved", "gladly")
    ]

    assert (first.model, len(first.told) > 4) == ("", True)
    assert (now.model, [one.text for one in now.told]) == (
        "openai/small",
        ["Somebody agreed, gladly."],
    )
    assert now.told[0].entries != ()
    assert [one.data["method"] for one in (extract, model)] == ["extract", "model"]
    assert model.data["basis"] == [
        one.rseq for one in desk.entries(run) if one.kind == "approval.granted"
    ]
    assert json.loads(part.value or b"")["model"] == "openai/small"
    assert found == [1, 0]  # A hit never shows a model's words.
    assert desk.due(run) == []
    assert check_projections(desk.store.database) == []


def test_what_was_erased_while_a_model_told_it_is_not_written_again(desk: Desk) -> None:
    run = ended(desk)
    store, requester = desk.store, Ref(desk.entries(run)[0].actor.ref)

    def tells_late(found: RunId, facts: Sequence[Sentence]) -> Retold:
        erase(store, requester, policy="p" * 64, by_run="gone")
        return tells(found, facts)

    assert not desk.engine.retell(desk.orders[0], tells_late)
    assert find(store.database, Sought(words="approved")).total == 0
    assert desk.due(run) == []


def test_what_was_deleted_while_a_model_told_it_is_not_written_again(desk: Desk) -> None:
    run = ended(desk)
    with desk.store.begin() as unit:
        unit.add_thread_message(run, "1.1", author=Ref("s:" + "a" * 32), text="A marmot ate it.")

    def tells_late(found: RunId, facts: Sequence[Sentence]) -> Retold:
        with desk.store.begin() as unit:
            unit.drop_thread_message(run, "1.1")
        return tells(found, facts)

    assert not desk.engine.retell(desk.orders[0], tells_late)
    assert find(desk.store.database, Sought(words="marmot")).total == 0


def test_without_an_answer_the_story_that_restates_stands(desk: Desk) -> None:
    run = ended(desk)

    assert not desk.engine.retell(desk.orders[0], lambda _run, _facts: None)
    assert summary(desk, run).model == ""
    assert desk.due(run) == []


def test_what_a_process_leaves_undone_is_handed_on_and_told_once(desk: Desk, clock: Clock) -> None:
    run = ended(desk)
    (lost,) = desk.orders
    assert [one.kind for one in desk.due(run)] == [DueKind.RETELL]
    clock.forward(LEASE)
    desk.settle()
    late, again = lost, desk.orders[1]

    assert desk.engine.retell(again, tells)
    assert not desk.engine.retell(late, tells)
    assert len(told(desk)) == 2


def test_where_there_is_no_model_nothing_is_due(house: Working) -> None:
    run = ended(house)

    assert house.due(run) == []
    assert summary(house, run).model == ""
