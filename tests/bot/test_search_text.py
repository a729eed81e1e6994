"""What is typed to be searched for, read into conditions; a mistake is said, never searched."""

import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.search_text import NOBODY, Asker, UnclearSearchError, read_search
from storage.database import Database, open_database
from storage.log_setup import init_log, open_journal
from storage.search_runs import Sought
from storage.store import SqlStore
from tests.storage.run_drafts import NOON, HandClock
from workflows.entry import INTERLOCK, Draft, Ref
from workflows.people import PersonId
from workflows.run import Status

RITA = PersonId("slack:T0ACME:U0RITA")


@pytest.fixture
def known(database_url: str, tmp_path: Path) -> Iterator[tuple[Database, Ref]]:
    """Give a log in which one person and one workflow are known."""
    database = open_database(database_url)
    clock = HandClock()
    journal = init_log(database, tmp_path / "home", origin="test.example/log", now=clock)
    with SqlStore(database, journal, now=clock).begin() as unit:
        ref = Ref(unit.ref(RITA, "Rita Moreno"))
        for kind, more in (
            ("published", {"owner": "@ops", "deputy": "@sup", "actions": "a" * 64}),
            ("activated", {"replaces": None, "level": "trial"}),
        ):
            named = {"workflow": "refund-customer", "version": "v", **more}
            unit.append(Draft(kind=f"workflow.{kind}", actor=INTERLOCK, data=named))
    yield database, ref
    database.close()


def read(database: Database, typed: str, *, person: PersonId | None = RITA) -> Sought:
    return read_search(typed, database, asker=Asker(person=person), now=NOON)


def test_conditions_are_read_apart_from_words(known: tuple[Database, Ref]) -> None:
    database, ref = known
    sought = read(
        database,
        'arrived by:me "v:1.4 broken" outcome:rejected workflow:REFUND-customer -late'
        " after:2026-01-31 before:7d https://a.example/x:1",
    )

    assert sought == Sought(
        words='arrived "v:1.4 broken" -late https://a.example/x:1',
        workflows=frozenset({"refund-customer"}),
        requesters=frozenset({ref}),
        outcomes=frozenset({Status.DENIED}),
        after=datetime(2026, 1, 31, tzinfo=UTC),
        before=datetime(2026, 2, 23, 12, 0, tzinfo=UTC),
    )


def test_a_person_is_meant_by_mention_id_or_name(known: tuple[Database, Ref]) -> None:
    database, ref = known
    for written in ("<@U0RITA|rita>", "U0RITA", RITA, '"rita moreno"', '"@Rita Moreno"'):
        assert read(database, f"approver:{written}").approvers == {ref}, written

    stranger = PersonId("slack:T0ACME:U0NEW")
    assert read(database, "by:me", person=stranger).requesters == {NOBODY}


@pytest.mark.parametrize("name", ["Álvaro Núñez", "Zoë Müller-Weiß", "Ольга Іванова", "İnci"])
def test_a_name_with_any_letters_is_meant_in_either_case(
    known: tuple[Database, Ref], tmp_path: Path, name: str
) -> None:
    database, _ = known
    journal = open_journal(database, tmp_path / "home", now=HandClock())
    with SqlStore(database, journal, now=HandClock()).begin() as unit:
        ref = Ref(unit.ref(PersonId("slack:T0ACME:U0OTHER"), name))

    for written in (name, name.upper(), unicodedata.normalize("NFD", name)):
        assert read(database, f'by:"{written}"').requesters == {ref}, written


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("workfow:x", "Did you mean “workflow:”?"),
        ("status:done", "Did you mean “outcome:”?"),
        ("aproved:me", "Did you mean “approver:”?"),
        ("outcome:deneid", "Did you mean “denied”?"),
        ("outcome:waiting", "No run ends “waiting”"),
        ("workflow:refund-custmer", "Did you mean “refund-customer”?"),
        ("by:ritta", "Nobody called “ritta”"),
        ('by:"rita moren"', "Did you mean “rita moreno”?"),
        ("by:me%", "Nobody called"),
        ("after:yesterday", "is no day"),
        ("after:999999d", "is no day"),
        ("by: me", "needs a value right behind it"),
        ("kettle -outcome:done", "“outcome:” takes no minus"),
        ("-status:done", "“status:” takes no minus"),
        ("--by:me", "“by:” takes no minus"),  # What a phone makes of a dash.
    ],
)
def test_a_mistake_is_told_with_what_was_meant(
    known: tuple[Database, Ref], typed: str, told: str
) -> None:
    with pytest.raises(UnclearSearchError, match=told.replace("?", r"\?")):
        read(known[0], typed)


@pytest.mark.parametrize(
    "typed",
    [
        "order:8841",
        "error: timeout",
        '"status:done"',
        "v1:2",
        "::",
        "-order:8841",
        '-"status:done"',
    ],
)
def test_other_words_with_a_colon_are_looked_for(known: tuple[Database, Ref], typed: str) -> None:
    assert read(known[0], typed).words == typed


@pytest.mark.parametrize("typed", ["workflow:refund-customer", "workflow:refund-custmer"])
def test_a_workflow_that_the_asker_may_not_see_is_not_named(
    known: tuple[Database, Ref], typed: str
) -> None:
    asker = Asker(person=RITA, among=frozenset({"nightly-check"}))

    with pytest.raises(UnclearSearchError, match="No workflow is called") as refused:
        read_search(typed, known[0], asker=asker, now=NOON)
    assert "Did you mean" not in str(refused.value)
