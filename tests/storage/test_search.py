"""Summaries are found by their words, whatever people type, on both databases."""

import json
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from storage import search, search_runs
from storage.database import Database
from storage.outbox_values import MessagePlace
from storage.search import Hits
from storage.search import find as find_sought
from storage.search_runs import Sought, begun_last
from storage.search_words import read_words
from storage.store import SqlStore
from storage.unit import SqlUnit
from tests.storage.run_drafts import (
    ANA,
    BEN,
    NOON,
    RITA,
    HandClock,
    finished,
    new_run,
    requested,
    started,
    verdict,
)
from workflows.entry import INTERLOCK, Actor, Draft, Part, PartClass, RunId
from workflows.run import Status
from workflows.store import Message, Subject


def find(
    database: Database, typed: str, *, limit: int = 10, offset: int = 0, **conditions: object
) -> Hits:
    sought = Sought(words=typed, **cast(Any, conditions))
    return find_sought(database, sought, limit=limit, offset=offset)


def write(unit: SqlUnit, run: str, text: str, *, channel: str = "C0OPS", by: Actor = RITA) -> None:
    unit.add_run(new_run(run, channel=channel))
    unit.append(started(run, actor=by))
    if run == "r4":
        unit.append(requested(run, request="q4"))
        unit.append(verdict("denied", run, request="q4", by=BEN))
    unit.append(finished(run, outcome="denied" if run == "r4" else "done"))
    story = json.dumps({"sentences": [{"text": text, "basis": [0]}]}).encode()
    data = {"by_run": run, "method": "extract", "basis": [0, 1]}
    part = Part(value=story, cls=PartClass.DERIVED)
    unit.append(Draft(kind="summary.written", actor=INTERLOCK, data=data, parts={"summary": part}))


@pytest.fixture
def written(store: SqlStore) -> SqlStore:
    stories = {
        "r1": "Rita asked to refund order ord_8841, the parcel arrived broken.",
        "r2": "Ana rolled back release v1.4 because refunds failed on checkout.",
        "r3": "Nightly check found 412 stale accounts; nothing was deleted of Müller's.",
        "r4": "Refund of order ord_9000 was denied: the parcel was not broken at all.",
    }
    with store.begin() as unit:
        for run, text in stories.items():
            channel = "C0SECRET" if run == "r4" else "C0OPS"
            write(unit, run, text, channel=channel, by=ANA if run == "r2" else RITA)
    return store


def runs(hits: Hits) -> set[str]:
    return {hit.run for hit in hits.page}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("refund", {"r1", "r2", "r4"}),  # Both stem: refunds is found, too.
        ("refund broken", {"r1", "r4"}),
        ("REFUND Parcel", {"r1", "r4"}),
        ('"arrived broken"', {"r1"}),
        ('"broken arrived"', set()),
        ("refund -denied", {"r1", "r2"}),
        ("stale OR checkout", {"r2", "r3"}),
        ("check*", {"r2", "r3"}),
        ("refund AND broken", {"r1", "r4"}),
        ("refund NOT denied", {"r1", "r2"}),
        ("AND refund NOT", {"r1", "r2", "r4"}),
        ("refund AND NOT denied", {"r1", "r2"}),
        ("ord_8841", {"r1"}),
        ("8841", {"r1"}),
        ("v1.4", {"r2"}),
        ("mu\u0308ller", {"r3"}),  # As a Mac's file names spell it.
        ("nowhere", set()),
        ("-refund", set()),
        ("", set()),
        ("?!.,;:()", set()),
    ],
)
def test_words_are_found(written: SqlStore, typed: str, expected: set[str]) -> None:
    assert runs(find(written.database, typed)) == expected


def test_an_accent_that_is_a_character_of_its_own_is_found_as_it_is_typed(store: SqlStore) -> None:
    with store.begin() as unit:
        write(unit, "r1", "The cafe\u0301 is closed.")

    assert runs(find(store.database, "caf\u00e9")) == {"r1"}
    assert runs(find(store.database, "cafe\u0301")) == {"r1"}


@pytest.mark.parametrize(
    "typed",
    [
        '"',
        '""',
        "AND",
        "OR OR OR",
        "NOT refund",
        "refund NEAR(broken)",
        "body:refund",
        "summary_fts",
        "refund*broken",
        "* * *",
        "a' OR '1'='1",
        "'; DROP TABLE summary; --",
        "&&& ||| !!! <-> :*",
        "\\",
        "refund\x00broken",
        "\ud800",
        "💸 refund",
        "(" * 500,
        "x" * 5_000,
        "word " * 5_000,
        "-" * 50,
        "_",
    ],
)
def test_nothing_that_people_type_is_an_error(written: SqlStore, typed: str) -> None:
    find(written.database, typed)

    assert runs(find(written.database, "stale")) == {"r3"}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(typed=st.text(alphabet=st.sampled_from("ab*-\"' OR()&|!:<>\\%_é"), max_size=30))
@example(typed='a "b')
def test_no_mixture_of_operators_is_an_error(written: SqlStore, typed: str) -> None:
    find(written.database, typed)


def test_a_hit_shows_its_words_and_leads_to_its_proof_and_its_thread(written: SqlStore) -> None:
    with written.begin() as unit:
        unit.send(Message(subject=Subject.ROOT, key="r1", run=RunId("r1")))
    [row] = written.outbox.claim_messages(by="here", limit=5)
    place = MessagePlace(channel="C0OPS", ts="1.2")
    written.outbox.mark_delivered(row.id, done=row.wanted, place=place)

    [hit] = find(written.database, "ord_8841 broken").page

    assert {one.text.lower() for one in hit.snippet if one.is_found} >= {"broken"}
    assert "".join(one.text for one in hit.snippet).startswith("Rita asked to refund")
    assert (hit.index, hit.place, hit.workflow) == (3, place, "refund-customer")


def test_runs_of_other_channels_are_left_out_and_not_counted(written: SqlStore) -> None:
    found = find(written.database, "refund", channels={"C0OPS"})

    assert runs(found) == {"r1", "r2"}
    assert found.total == 2
    assert runs(find(written.database, "refund", channels=set())) == set()


def test_a_run_is_seen_where_its_thread_stands_whatever_its_definition_calls_the_place(
    written: SqlStore,
) -> None:
    with written.begin() as unit:
        unit.send(Message(subject=Subject.ROOT, key="r3", run=RunId("r3")))
    [row] = written.outbox.claim_messages(by="here", limit=5)
    written.outbox.mark_delivered(
        row.id, done=row.wanted, place=MessagePlace(channel="C0ELSEWHERE", ts="1.2")
    )

    assert runs(find(written.database, "stale", channels={"C0ELSEWHERE"})) == {"r3"}
    assert runs(find(written.database, "stale", channels={"C0OPS"})) == set()


@pytest.mark.parametrize(
    ("typed", "conditions", "expected"),
    [
        ("refund", {"requesters": {ANA.ref}}, {"r2"}),
        ("refund", {"approvers": {BEN.ref}}, {"r4"}),
        ("refund", {"approvers": {ANA.ref}}, set()),  # She asked, and decided nothing.
        ("refund", {"outcomes": {Status.DENIED}}, {"r4"}),
        ("refund", {"workflows": {"refund-customer"}}, {"r1", "r2", "r4"}),
        ("refund", {"workflows": {"other"}}, set()),
        ("refund", {"after": NOON}, {"r1", "r2", "r4"}),
        ("refund", {"before": NOON}, set()),
        ("", {"requesters": {ANA.ref, RITA.ref}}, {"r1", "r2", "r3", "r4"}),
        ("", {"outcomes": {Status.DENIED}, "requesters": {RITA.ref}}, {"r4"}),
        ("refund", {"among": {"refund-customer"}, "channels": {"C0OPS"}}, {"r1", "r2"}),
        ("refund", {"among": {"other"}}, set()),
        ("refund", {"among": frozenset()}, set()),
        ("refund", {"channels": set(), "audited": {"refund-customer"}}, {"r1", "r2", "r4"}),
        ("refund", {"channels": {"C0SECRET"}, "audited": {"other"}}, {"r4"}),
        ("-refund", {"requesters": {RITA.ref}}, {"r3"}),
        ("-parcel -stale", {"requesters": {RITA.ref, ANA.ref}}, {"r2"}),
        ('-"arrived broken"', {"requesters": {RITA.ref}}, {"r3", "r4"}),
        ("-refund", {"channels": {"C0OPS"}}, set()),
        ("?!", {"requesters": {RITA.ref}}, set()),
        ("", {"channels": {"C0OPS"}}, set()),  # Where one may look is nothing to look for.
    ],
)
def test_conditions_narrow_what_is_found(
    written: SqlStore, typed: str, conditions: dict[str, Any], expected: set[str]
) -> None:
    found = find(written.database, typed, **conditions)

    assert (runs(found), found.total) == (expected, len(expected))


def test_without_words_the_newest_come_first_and_begin_their_story(written: SqlStore) -> None:
    found = find(written.database, "", workflows={"refund-customer"}, limit=2)

    assert [one.run for one in found.page] == ["r4", "r3"]
    assert found.page[0].snippet[0].text.startswith("Refund of order ord_9000")
    assert found.total == 4


def test_without_words_no_more_is_looked_at_than_some_pages_hold(
    written: SqlStore, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "AHEAD", 1)
    clock.forward(minutes=5)
    with written.begin() as unit:
        write(unit, "r0", "The newest, whatever it is called.", by=ANA)
    people = {"requesters": {RITA.ref, ANA.ref}}

    first = find(written.database, "", limit=2, **people)
    last = find(written.database, "", limit=2, offset=4, **people)

    assert ([one.run for one in first.page], first.total, first.is_cut) == (["r0", "r4"], 3, True)
    assert ([one.run for one in last.page], last.total, last.is_cut) == (["r1"], 5, False)


# Postgres chooses by what its tables hold.
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_one_condition_is_walked_in_its_index_until_the_page_is_full(written: SqlStore) -> None:
    for conditions in (
        Sought(workflows=frozenset({"refund-customer"})),
        Sought(requesters=frozenset({ANA.ref}), channels={"C0OPS"}),
        Sought(outcomes=frozenset({Status.DENIED, Status.DONE}), channels={"C0OPS"}),
        Sought(after=NOON, among=frozenset({"refund-customer"})),
    ):
        query = str(
            begun_last(conditions, 10).compile(
                dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}
            )
        )
        with written.database.read() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}").all()

        walks = [one.detail for one in plan if "_started_at" in one.detail]
        sorts = [one.detail for one in plan if "TEMP B-TREE" in one.detail]
        assert walks
        assert len(sorts) == (len(walks) > 1)  # Of the few that several walks give, if any.


def test_few_runs_that_are_looked_up_first_give_what_all_of_them_give(
    written: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, object]] = [
        {"requesters": {RITA.ref}},
        {"approvers": {BEN.ref}},
        {"outcomes": {Status.DONE}, "channels": {"C0OPS"}},
        {"after": NOON},
    ]
    looked_up = [find(written.database, "refund", **one) for one in asked]
    monkeypatch.setattr(search_runs, "FEW", 0)

    assert looked_up == [find(written.database, "refund", **one) for one in asked]
    assert all(one.page for one in looked_up)


@pytest.mark.parametrize("most_walked", [0, 3, 1_000])
@pytest.mark.parametrize("most", [1, 4, 7, 100])
def test_hits_that_are_met_in_portions_are_those_that_are_met_at_once(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, most: int, most_walked: int
) -> None:
    with store.begin() as unit:
        for number in range(36):
            word = "broken" if number % 3 else "whole"
            write(unit, f"n{number:02}", f"The {word} parcel.", channel=f"C{number % 5}")
    monkeypatch.setattr(search, "PORTION", 3)
    monkeypatch.setattr(search, "RECENT", most_walked)
    monkeypatch.setattr(search, "MOST_WALKED", most_walked)
    monkeypatch.setattr(search, "RANKED", most)
    monkeypatch.setattr(search_runs, "FEW", 0)

    for channels in ({"C1"}, {"C1", "C2", "C4"}, {"C9"}, set(), None):
        newest = [
            f"n{number:02}"
            for number in reversed(range(36))
            if number % 3 and (channels is None or f"C{number % 5}" in channels)
        ][:most]
        found = find(store.database, "broken", limit=100, channels=channels)

        assert (runs(found), found.total) == (set(newest), len(newest))


def test_pages_follow_each_other_without_gap_or_repeat(written: SqlStore) -> None:
    pages = [find(written.database, "refund", limit=1, offset=number) for number in range(4)]

    assert [len(one.page) for one in pages] == [1, 1, 1, 0]
    assert set.union(*map(runs, pages)) == {"r1", "r2", "r4"}
    assert {one.total for one in pages} == {3}


def test_only_the_newest_hits_are_ranked(store: SqlStore) -> None:
    """An old summary made of nothing but the word would be the best one by rank."""
    with store.begin() as unit:
        write(unit, "old", "refund refund refund", by=ANA)
    for batch in range(4):
        with store.begin() as unit:
            for number in range(500):
                write(unit, f"r{batch}-{number}", f"A long story about one more refund {number}.")

    best = find(store.database, "refund", limit=5)

    assert len(best.page) == 5
    assert (best.total, best.is_cut) == (2_000, True)
    assert "old" not in runs(best)
    assert runs(find(store.database, "refund", requesters={ANA.ref})) == {"old"}


def test_a_summary_written_anew_replaces_the_words_of_the_old_one(written: SqlStore) -> None:
    data = {"by_run": "r3", "method": "extract", "basis": [0]}
    part = Part(value=b"Entirely different words.", cls=PartClass.DERIVED)
    with written.begin() as unit:
        unit.append(
            Draft(kind="summary.written", actor=INTERLOCK, data=data, parts={"summary": part})
        )

    assert runs(find(written.database, "stale")) == set()
    assert runs(find(written.database, "different")) == {"r3"}


def test_words_are_read_as_groups_phrases_and_exclusions() -> None:
    words = read_words('refund "arrived broken" -denied stale OR old check*')

    assert [[term.typed for term in group] for group in words.groups] == [
        ["refund"],
        ["arrived broken"],
        ["stale", "old"],
        ["check"],
    ]
    assert [term.typed for term in words.without] == ["denied"]
    assert [len(group[0].words) for group in words.groups] == [1, 2, 1, 1]
    assert words.groups[-1][0].is_prefix
