"""Whoever has to settle an exception or a doubt is reminded until it is settled, and then not."""

from datetime import timedelta

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import text

from storage.database import Database
from storage.migrate import configuration
from storage.store import SqlStore
from tests.world import LOST, POLICY, Clock, Working, World, failing, id_of
from workflows.actions.base import Happened
from workflows.chasing import asked, passed, wait_of
from workflows.entry import Entry, RunId
from workflows.errors import (
    ActionFailedError,
    DefinitionError,
    InDoubtError,
    NotAllowedError,
    UnknownWorkflowError,
)
from workflows.loading import load_policy
from workflows.replay import replay
from workflows.store import DueKind, Subject
from workflows.trouble import troubles

REFUSED = ActionFailedError("refused", error_class="http_422")
GOVERNED = POLICY + 'roles: {governors: ["@directors"]}\n'
HOURS = tuple(timedelta(hours=one) for one in (1, 4, 24))
OWN, BOTH, ALL = ["@owners"], ["@owners", "@deputies"], ["@owners", "@deputies", "@directors"]


@pytest.fixture
def house(store: SqlStore, clock: Clock) -> Working:
    return Working(store, clock, policy=GOVERNED)


def stopped(house: Working) -> RunId:
    house.world.trouble = failing("before", REFUSED)
    run = house.start()
    house.settle()
    house.approve(run)
    house.settle()
    assert house.status(run) == "exception"
    return run


def in_doubt(house: Working) -> RunId:
    house.world.can_probe = False
    house.world.trouble = failing("before", LOST)
    run = house.start()
    house.settle()
    house.approve(run)
    house.settle()
    assert house.status(run) == "in_doubt"
    return run


def wait(house: Working, *, hours: float) -> None:
    house.clock.forward(timedelta(hours=hours))
    house.settle()


def reminders(house: Working, run: RunId) -> list[Entry]:
    return [one for one in house.entries(run) if one.kind == "exception.reminded"]


def told(house: Working, run: RunId) -> list[object]:
    return [one.data["to"] for one in reminders(house, run)]


def test_the_owner_then_the_deputy_then_the_governors_and_from_then_on_daily(
    house: Working,
) -> None:
    run = stopped(house)
    counts = []
    for hours in (0.5, 0.5, 3, 19, 1, 23, 1, 24):
        wait(house, hours=hours)
        counts.append(len(reminders(house, run)))

    assert counts == [0, 1, 2, 2, 3, 3, 4, 5]
    assert told(house, run) == [OWN, BOTH, ALL, ALL, ALL]
    assert [one.data["n"] for one in reminders(house, run)] == [1, 2, 3, 4, 5]


def test_a_doubt_is_reminded_of_too(house: Working) -> None:
    run = in_doubt(house)
    wait(house, hours=1)
    wait(house, hours=3)

    assert told(house, run) == [OWN, BOTH]
    assert house.status(run) == "in_doubt"


def test_a_reminder_is_told_in_the_thread_and_finds_a_card_there(house: Working) -> None:
    run = stopped(house)
    (trouble,) = troubles(replay(run, house.entries(run)), house.entries(run))
    before = house.store.outbox.find(Subject.TROUBLE, trouble.card.key)
    wait(house, hours=1)
    (reminder,) = reminders(house, run)
    after = house.store.outbox.find(Subject.TROUBLE, trouble.card.key)

    assert house.store.outbox.find(Subject.STEP, reminder.id) is not None
    assert before is not None
    assert after is not None
    assert after.wanted == before.wanted + 1


def test_a_reminder_moves_nothing_and_wakes_nobody(house: Working) -> None:
    run = stopped(house)
    before = replay(run, house.entries(run))
    house.clock.forward(timedelta(hours=1))
    for due in house.store.due(until=house.clock(), limit=10):
        house.engine.handle_due(due)
    after = replay(run, house.entries(run))

    assert house.queue.runs == []
    assert house.status(run) == "exception"
    assert after.steps == before.steps
    assert after.rseq == before.rseq + 1


def test_after_a_long_sleep_people_are_reminded_once_and_all_of_them(house: Working) -> None:
    run = stopped(house)
    wait(house, hours=100)

    assert told(house, run) == [ALL]


@pytest.mark.parametrize("answer", ["retry", "skip", "abort"])
def test_nobody_is_reminded_of_what_is_settled(house: Working, answer: str) -> None:
    run = stopped(house)
    house.engine.settle_exception(run, "change", person=id_of("omar"), answer=answer)
    wait(house, hours=30)

    assert reminders(house, run) == []
    assert [one for one in house.due(run) if one.kind is DueKind.CHASE] == []


def test_nobody_is_reminded_of_a_doubt_that_is_settled(house: Working) -> None:
    run = in_doubt(house)
    wait(house, hours=1)
    house.engine.settle_doubt(run, "change", person=id_of("omar"), happened=Happened.NO)
    wait(house, hours=20)

    assert told(house, run) == [OWN]


def test_what_stops_again_begins_again_with_the_owner(house: Working) -> None:
    run = stopped(house)
    wait(house, hours=30)
    house.world.trouble = failing("before", REFUSED)
    house.engine.settle_exception(run, "change", person=id_of("omar"), answer="retry")
    house.settle()
    house.approve(run)
    house.settle()
    wait(house, hours=1)

    assert told(house, run) == [ALL, OWN]
    assert [one.data["n"] for one in reminders(house, run)] == [1, 1]


def test_the_policy_says_when_and_a_new_one_counts_at_once(house: Working) -> None:
    run = stopped(house)
    wait(house, hours=1)
    assert told(house, run) == [OWN]

    house.policy = load_policy(
        GOVERNED.replace("expires: 24h", "expires: 24h, exceptions: {remind: [2h]}")
    )
    wait(house, hours=3)
    wait(house, hours=22)

    assert told(house, run) == [OWN, ALL, ALL]


def test_without_governors_owner_and_deputy_go_on_being_reminded(
    store: SqlStore, clock: Clock
) -> None:
    house = Working(store, clock)
    run = stopped(house)
    for _ in range(3):
        wait(house, hours=24)

    assert told(house, run) == [BOTH, BOTH, BOTH]


def test_a_run_whose_definition_is_gone_is_put_to_the_governors(
    house: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = stopped(house)

    def gone(_digest: str) -> None:
        raise UnknownWorkflowError("It was never published here.")

    monkeypatch.setattr(house.shelf, "version", gone)
    wait(house, hours=1)

    assert told(house, run) == [["@directors"]]


def test_a_governor_may_settle_what_nobody_else_does(house: Working) -> None:
    run = stopped(house)
    with pytest.raises(NotAllowedError, match="governors"):
        house.engine.settle_exception(run, "change", person=id_of("ana"), answer="skip")
    house.engine.settle_exception(run, "change", person=id_of("dora"), answer="skip")
    house.settle()

    assert house.status(run) == "done"


def test_a_governor_who_asked_for_it_does_not_say_what_became_of_it(house: Working) -> None:
    house.town.groups["@directors"].add("rita")
    run = in_doubt(house)

    with pytest.raises(NotAllowedError, match="someone else"):
        house.engine.settle_doubt(run, "change", person=id_of("rita"), happened=Happened.YES)


def test_the_reason_of_an_answer_stays_on_record(house: Working) -> None:
    run = stopped(house)
    house.engine.settle_exception(
        run, "change", person=id_of("omar"), answer="skip", reason=" by hand ", via="cli"
    )
    skipped = next(one for one in house.entries(run) if one.data.get("decision") == "skip")

    assert skipped.parts["reason"].value == b"by hand"
    assert skipped.data["via"] == "cli"


def test_the_late_word_that_some_of_it_happened_makes_an_exception_with_a_card(
    house: Working,
) -> None:
    run = overtaken(house, ActionFailedError("half", error_class="http_500", partly=True))
    (trouble,) = troubles(replay(run, house.entries(run)), house.entries(run))

    assert house.status(run) == "exception"
    assert not trouble.is_doubt
    assert house.store.outbox.find(Subject.TROUBLE, trouble.card.key) is not None


def test_a_late_worker_that_does_not_know_either_leaves_the_doubt_with_its_card(
    house: Working,
) -> None:
    run = overtaken(house, InDoubtError("no answer", error_class="timeout"))
    (trouble,) = troubles(replay(run, house.entries(run)), house.entries(run))

    assert house.status(run) == "in_doubt"
    assert trouble.is_doubt
    assert house.store.outbox.find(Subject.DOUBT, trouble.card.key) is not None


def overtaken(house: Working, error: Exception) -> RunId:
    """Have another process take a run over during its effect, which then ends with `error`."""
    taken: list[str] = []

    def taken_over(place: str) -> None:
        if place == "before" and not taken:
            taken.append(place)
            other = Working(house.store, house.clock, world=World(can_probe=False))
            other.queue.hint(house.store_runs()[0])
            other.settle()
            raise error

    house.world.can_probe = False
    house.world.trouble = taken_over
    run = house.start()
    house.settle()
    house.approve(run)
    house.settle()
    assert taken
    return run


def test_what_stood_before_there_were_reminders_is_reminded_of_after_the_upgrade(
    house: Working, database: Database
) -> None:
    run, waiting = stopped(house), house.start()
    house.settle()
    with database.begin() as tx:
        tx.connection.execute(text("DELETE FROM due"))
    upgrade_once_more(database, "0005")

    assert [(one.kind, one.run) for one in house.due(run)] == [(DueKind.CHASE, run)]
    assert house.due(waiting) == []
    wait(house, hours=1)
    assert told(house, run) == [OWN]


def upgrade_once_more(database: Database, revision: str) -> None:
    """Go through one migration again, as if it were new here."""
    config = configuration()
    before = ScriptDirectory.from_config(config).get_revision(revision).down_revision
    with database.begin() as tx:
        tx.connection.execute(
            text("UPDATE alembic_version SET version_num = :before"), {"before": before}
        )
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()


def test_the_moments_are_those_of_the_policy_and_then_daily() -> None:
    assert [passed(timedelta(hours=one), HOURS) for one in (0, 1, 3, 4, 24, 47, 48, 72)] == [
        *(0, 1, 1, 2, 3, 3, 4, 5)
    ]
    for number in range(1, 9):
        assert passed(wait_of(number, HOURS), HOURS) == number
        assert passed(wait_of(number, HOURS) - timedelta(seconds=1), HOURS) == number - 1


def test_one_reminder_alone_goes_to_everybody(house: Working) -> None:
    policy = load_policy(GOVERNED.replace("24h}", "24h, exceptions: {remind: [2h]}}"))

    assert list(asked(1, policy, house.shelf.active("change-it"))) == ALL


@pytest.mark.parametrize("waits", ["[]", "[4h, 1h]", "[1h, 1h]", "[30s]", "[40d]"])
def test_a_policy_with_other_moments_is_refused(waits: str) -> None:
    with pytest.raises(DefinitionError):
        load_policy(POLICY.replace("24h}", f"24h, exceptions: {{remind: {waits}}}}}"))


def test_a_policy_that_says_nothing_of_it_keeps_its_digest() -> None:
    policy = load_policy(POLICY)

    assert policy.chase == HOURS
    assert b"exceptions" not in policy.canonical
