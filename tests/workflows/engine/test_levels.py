"""A version is on trial until its runs have earned it otherwise, and goes back when they fail."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select

from storage.audit_models import AuditEntryRow
from storage.entries_sql import entry_of
from storage.soak_sql import SoakSql
from storage.store import SqlStore
from tests.workflows.engine.gated import asked, assert_sound, of_kind, policy_of, wait, with_groups
from tests.workflows.engine.trials import (
    BAR,
    WRITES,
    activated,
    fails,
    is_watched,
    policy_with,
    runs,
)
from tests.world import CHANGE, Clock, Working, policy_in
from workflows.entry import Entry
from workflows.errors import NotEligibleError
from workflows.policy_replay import differences, judgement_of
from workflows.soak import Failure


@pytest.fixture
def house(store: SqlStore, clock: Clock) -> Working:
    made = Working(store, clock, definitions=(WRITES,), policy=policy_with(), alerts="ops")
    return activated(with_groups(made))


def changes(house: Working) -> list[Entry]:
    wanted = select(AuditEntryRow.line).where(AuditEntryRow.kind == "workflow.level_changed")
    with house.store.database.read() as connection:
        lines = connection.execute(wanted.order_by(AuditEntryRow.seq)).scalars().all()
    return [entry_of(one, seq=0, index=None, held={}) for one in lines]


def notices(house: Working) -> list[str]:
    with house.store.database.read() as connection:
        wanted = "SELECT body FROM outbox WHERE subject = 'notice' ORDER BY id"
        return [json.loads(one)["text"] for one in connection.exec_driver_sql(wanted).scalars()]


def evidence(house: Working) -> dict[str, object]:
    with house.store.database.read() as connection:
        body = connection.exec_driver_sql(
            "SELECT p.body FROM audit_part p JOIN audit_entry e ON e.seq = p.entry_seq"
            " WHERE e.kind = 'workflow.level_changed' ORDER BY e.seq DESC LIMIT 1"
        ).scalar_one()
    return dict(json.loads(bytes(body)))


def test_on_trial_owner_or_deputy_agree_to_what_is_below_destructive(house: Working) -> None:
    run = asked(house)
    (request,) = of_kind(house, run, "approval.requested")

    assert request.data["rules"] == ["a version on trial"]
    assert [one["from"] for one in request.data["stages"]] == [["@owners", "@deputies"]]
    with pytest.raises(NotEligibleError):
        house.approve(run, by="ana")
    house.approve(run, by="sam")
    house.settle()
    assert house.status(run) == "done"


def test_the_requester_never_watches_their_own_run(house: Working) -> None:
    house.town.groups["@owners"].add("rita")
    run = asked(house)

    with pytest.raises(NotEligibleError, match="You asked for this"):
        house.approve(run, by="rita")


def test_clean_runs_on_varied_inputs_earn_it_and_the_entry_says_by_what(house: Working) -> None:
    first = runs(house, 1)
    runs(house, 1)
    assert changes(house) == []  # Two clean runs, and the same inputs twice.
    runs(house, 2)

    (change,) = changes(house)
    assert change.data["to"] == "unattended"
    assert change.data["reason"] == "earned"
    assert not is_watched(house)
    told = evidence(house)
    assert told["runs"][0] == first  # type: ignore[index]
    assert (told["clean"], told["inputs"], told["varied"]) == (3, 2, {"by": 2})
    assert told["outcomes"] == {"done": 3}
    assert_sound(house.store.database)


def test_a_burnt_budget_takes_it_back_before_the_next_effect(house: Working) -> None:
    runs(house, 1)
    runs(house, 2)
    fails(house)

    assert is_watched(house)
    earned, lost = notices(house)
    assert earned.endswith("runs unattended from now on: 2 clean runs in a row.")
    assert "is on trial again, since too many of its runs failed" in lost
    change = changes(house)[-1]
    assert (change.data["to"], change.data["reason"]) == ("trial", "error_budget")
    assert evidence(house)["pareto"] == [
        {"cause": "http_422", "n": 1, "step": "change", "target": "world.change"}
    ]
    runs(house, 3)
    assert is_watched(house)  # What it had before does not count again.
    runs(house, 4)
    assert not is_watched(house)
    assert_sound(house.store.database)


def test_a_failed_verification_takes_it_back_whatever_the_budget_allows(house: Working) -> None:
    house.policy = policy_in(policy_with(BAR.replace("failures: 0", "failures: 5")))
    runs(house, 1)
    runs(house, 2)
    house.world.trouble = lambda place: undone(house, place)
    runs(house, 3)
    wait(house, hours=1)  # Until nobody expects it to show any more.
    house.world.trouble = lambda _place: None

    assert is_watched(house)
    assert changes(house)[-1].data["reason"] == "verification_failed"


def undone(house: Working, place: str) -> None:
    """Have somebody else take an effect back at once."""
    if place == "after":
        house.world.number = -1000


def test_another_version_begins_on_trial(house: Working) -> None:
    runs(house, 1)
    runs(house, 2)
    house.shelf.put(WRITES.replace("Change the number", "Change a number"))
    activated(house)

    assert is_watched(house)


def test_what_cannot_be_undone_asks_people_however_much_was_earned(
    store: SqlStore, clock: Clock
) -> None:
    policy = policy_of('stages: [{from: ["@leads"]}]', rest=BAR)
    house = with_groups(Working(store, clock, definitions=(CHANGE,), policy=policy))
    activated(house)
    for by in (1, 2, 3):
        run = house.start(inputs={"by": by})
        house.settle()
        house.approve(run, by="ana")
        house.settle()
        house.clock.forward(timedelta(minutes=1))
    assert changes(house)[-1].data["to"] == "unattended"

    run = asked(house)
    (request,) = of_kind(house, run, "approval.requested")
    assert request.data["rules"] == ["rule 1"]
    assert house.status(run) == "waiting"


def test_without_a_bar_nothing_is_watched_and_nothing_recorded(
    store: SqlStore, clock: Clock
) -> None:
    house = Working(store, clock, definitions=(WRITES,), policy=policy_with(""))
    activated(with_groups(house))
    runs(house, 1)
    runs(house, 2)

    assert not is_watched(house)
    assert changes(house) == []


def test_a_replay_knows_who_watched(house: Working) -> None:
    (entry,) = of_kind(house, asked(house), "approval.requested")
    definition = house.shelf.active("change-it")
    judged = judgement_of(entry, definition=definition, inputs={"by": 5}, requester="@rita")

    assert differences(house.policy, judged) == []


def test_the_entries_of_runs_that_have_ended_are_looked_through_once(
    house: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    look = SoakSql._failures  # noqa: SLF001 - how much of the log it reads is the subject.

    def noted(sql: SoakSql, some: Sequence[str]) -> Mapping[str, Sequence[Failure]]:
        looked.extend(some)
        return look(sql, some)

    monkeypatch.setattr(SoakSql, "_failures", noted)
    for _ in range(2):
        runs(house)
    looked.clear()

    assert {asked(house)} == set(looked)
