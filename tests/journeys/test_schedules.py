"""Schedules that people set: typed, confirmed, fired, listed, paused, deleted, and refused."""

import os
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.beside import have_done
from bot.clock import Clock
from bot.holder import RefusedThereError
from bot.library import Library
from bot.schedule_orders import ChangeScheduleOrder, ScheduleOrder
from sandbox.seen import SeenMessage
from storage.history import read_entries
from storage.rebuild import check_projections
from storage.schedules import live_schedules
from tests.journeys.company import OPS, PATIENCE, Scene
from tests.journeys.day import Case, approve_label
from workflows.definition import Definition
from workflows.entry import Entry
from workflows.schedule import ScheduleRow

BERLIN = ZoneInfo("Europe/Berlin")  # Where the people of the stage live.
PURGE = "purge-stale-accounts"
CHECK = "nightly-check"


def answer(case: Case, name: str, typed: str) -> SeenMessage:
    person = case.person(name)
    before = len(person.ephemerals)
    person.command(typed, channel=case.channel)
    return case.waits(lambda: next(iter(person.ephemerals[before:]), None), f"an answer to {typed}")


def entries(case: Case, *kinds: str) -> list[Entry]:
    with case.day.bot.core.memory.database.read() as connection:
        return [one for one in read_entries(connection, 0, 100_000) if one.kind in kinds]


def rows(case: Case) -> dict[str, ScheduleRow]:
    return {one.id: one for one in live_schedules(case.day.bot.core.store.database)}


def soon(case: Case, **ahead: float) -> str:
    """Return a time as people write it, some time ahead of the bot's clock, in UTC."""
    at = case.day.time() + timedelta(**ahead)
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def sets(case: Case, name: str, workflow: str, when: str) -> str:
    """Have somebody set a schedule and confirm it; return its id."""
    known = set(rows(case))
    asked = answer(case, name, f"/ops schedule {workflow} {when}")
    case.person(name).click("Confirm", message=asked)
    return case.waits(lambda: next(iter(set(rows(case)) - known), None), "the schedule")


def runs_of(case: Case, schedule: str) -> list[Entry]:
    return [one for one in entries(case, "run.started") if one.data.get("source") == schedule]


def now_shown(case: Case, name: str, message: SeenMessage, words: str) -> SeenMessage:
    """Return a private message once it says `words`."""

    def found() -> SeenMessage | None:
        seen = [one for one in case.person(name).ephemerals if one.ts == message.ts]
        return next((one for one in seen if words in one.words), None)

    return case.waits(found, f"{words!r} in its place")


def test_what_is_typed_is_said_back_in_two_zones_and_stored_only_once_confirmed(
    case: Case,
) -> None:
    at = case.day.time().astimezone(BERLIN) + timedelta(days=90)
    asked = answer(case, "petra", f"/ops schedule {PURGE} {at:%Y-%m-%d} 9:00")

    assert f"{at:%a %-d %b %Y}, 09:00" in asked.words
    assert "UTC" in asked.words
    assert "People will be asked when it fires" in asked.words
    assert asked.buttons == ["Confirm", "Cancel"]
    assert not [one for one in rows(case).values() if one.workflow == PURGE]

    case.person("petra").click("Cancel", message=asked)
    now_shown(case, "petra", asked, "Nothing was set.")
    assert not [one for one in rows(case).values() if one.workflow == PURGE]


def goes_to(case: Case, at: datetime) -> None:
    """Move the bot's clock to a moment, and let what is due then happen."""
    time = case.day.time
    time.ahead += at - time()
    next(one for one in case.day.bot.others if isinstance(one, Clock)).look()


def moment_of(case: Case, schedule: str) -> datetime:
    at = rows(case)[schedule].at
    assert at is not None
    return at


def notices(case: Case, words: str) -> SeenMessage:
    found = case.slack.workspace.messages
    return case.waits(
        lambda: next((one for one in found(case.channel) if words in one.words), None),
        f"a notice with {words!r}",
    )


def test_a_schedule_fires_at_its_moment_and_its_setter_is_the_requester(case: Case) -> None:
    schedule = sets(case, "omar", PURGE, soon(case, hours=3))
    goes_to(case, moment_of(case, schedule) - timedelta(minutes=1))
    assert runs_of(case, schedule) == []

    goes_to(case, moment_of(case, schedule) + timedelta(seconds=1))
    (started,) = case.waits(lambda: runs_of(case, schedule) or None, "the run")
    root = case.waits(lambda: next(iter(case.roots()), None), "the run's first message")
    card = case.card(root)

    assert started.data["trigger"] == "schedule"
    assert "by its schedule" in root.words
    assert "You asked for this" in case.refused("omar", card)
    case.person("ivan").click(approve_label(card), message=card)
    case.waits(lambda: " is done (" in case.now(root).words or None, "the end of the run")
    assert schedule not in rows(case)
    assert [one.data["started"] for one in _told(case, "schedule.fired", schedule)] == [started.run]
    assert check_projections(case.day.bot.core.store.database) == []


def _told(case: Case, kind: str, schedule: str) -> list[Entry]:
    return [one for one in entries(case, kind) if one.data["schedule"] == schedule]


def test_words_are_read_in_the_time_zone_of_whoever_types_them(case: Case) -> None:
    case.slack.workspace.add_person("yuki", real_name="Yuki", tz="Asia/Tokyo")
    case.slack.workspace.join_group("yuki", "platform")
    case.slack.workspace.join("yuki", case.channel.removeprefix("#"))
    case.is_heard()
    asked = answer(case, "yuki", f"/ops schedule {CHECK} every weekday 9:00")

    assert "09:00 JST (Asia/Tokyo)" in asked.words
    assert "00:00 UTC" in asked.words
    assert asked.words.count("UTC") >= 3
    assert "People will be asked" not in asked.words


def test_a_rhythm_by_utc_is_shown_and_set_by_utc(case: Case) -> None:
    schedule = sets(case, "petra", CHECK, "every weekday 9:00 UTC")

    assert (rows(case)[schedule].cron, rows(case)[schedule].timezone) == ("0 9 * * 1-5", "UTC")


def test_the_words_of_a_day_and_a_time_are_read(case: Case) -> None:
    noon = case.day.time().astimezone(BERLIN).replace(hour=12) + timedelta(days=1)
    goes_to(case, noon)  # What tomorrow is does not change while it is asked for.
    here = noon + timedelta(days=1)

    def asked() -> SeenMessage | None:
        told = answer(case, "petra", f"/ops schedule {PURGE} tomorrow 9am")
        # The process that reads words has two seconds, which a busy machine may not give it.
        return None if "could not be read just now" in told.words else told

    assert f"{here:%a %-d %b %Y}, 09:00" in case.waits(asked, "the words to be read").words


def test_confirming_twice_sets_one_schedule(case: Case) -> None:
    asked = answer(case, "petra", f"/ops schedule {CHECK} {soon(case, hours=5)}")
    petra, before = case.person("petra"), len(entries(case, "schedule.set"))

    petra.click("Confirm", message=asked, wait=False)
    petra.click("Confirm", message=asked, stale=True)

    now_shown(case, "petra", asked, "is scheduled")
    assert len(entries(case, "schedule.set")) == before + 1


def test_a_question_that_was_left_open_too_long_sets_nothing(case: Case) -> None:
    asked = answer(case, "petra", f"/ops schedule {CHECK} {soon(case, hours=5)}")
    before = len(entries(case, "schedule.set"))
    case.day.later(timedelta(minutes=16))
    case.person("petra").click("Confirm", message=asked)

    now_shown(case, "petra", asked, "older than 15 minutes")
    assert len(entries(case, "schedule.set")) == before


def test_a_workflow_that_changed_before_the_question_was_answered_is_told_with_what_was_typed(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    petra, rita, known = case.person("petra"), case.person("rita"), set(rows(case))
    typed = f"/ops schedule {CHECK} {soon(case, hours=5)}"
    asked = answer(case, "petra", typed)
    rita.command(f"/ops schedule refund-customer {soon(case, hours=4)}", channel=case.channel)
    form = rita.wait_for_view("Order")
    rita.submit({"Order": case.order, "Amount in cents": "700", "Reason": "Broken"})
    modal = rita.wait_for_view("Set this schedule?", other_than=form)
    active = Library.active

    def changed(shelf: Library, workflow: str) -> Definition:
        return active(shelf, workflow).model_copy(update={"version": "0" * 64})

    monkeypatch.setattr(Library, "active", changed)
    petra.click("Confirm", message=asked)
    told = now_shown(case, "petra", asked, "was changed while this form was open")
    rita.submit()
    again = rita.wait_for_view("Order", other_than=modal)
    rita.close_view(everything=True)

    assert typed in told.words
    assert "was changed while this form was open" in again.words
    assert "700" in str(again.blocks)
    assert set(rows(case)) == known


def test_who_may_not_run_it_may_not_schedule_it_and_unclear_times_are_refused(case: Case) -> None:
    assert "may not run" in answer(case, "rita", f"/ops schedule {PURGE} tomorrow 9:00").words
    assert "guests" in answer(case, "gil", f"/ops schedule {PURGE} tomorrow 9:00").words
    for typed, told in (
        (f"{PURGE} 2020-01-01 9:00", "has passed"),
        (f"{PURGE} tomorrow", "at what time"),
        (f"{PURGE} 03/04/2031 9:00", "can be two days"),
        (PURGE, "Say when"),
        ("purge-stale-acounts tomorrow 9:00", "purge-stale-accounts"),
    ):
        assert told in answer(case, "petra", f"/ops schedule {typed}").words


def test_missing_values_are_asked_for_by_the_form_and_then_confirmed(case: Case) -> None:
    rita, known = case.person("rita"), set(rows(case))
    rita.command(f"/ops schedule refund-customer {soon(case, hours=4)}", channel=case.channel)
    form = rita.wait_for_view("Order")
    rita.submit({"Order": case.order, "Amount in cents": "700", "Reason": "Broken"})
    asked = rita.wait_for_view("Set this schedule?", other_than=form)
    assert "700" in asked.words
    assert set(rows(case)) == known
    rita.submit()
    rita.wait_for_view("Scheduled", other_than=asked)
    schedule = case.waits(lambda: next(iter(set(rows(case)) - known), None), "the schedule")

    goes_to(case, moment_of(case, schedule) + timedelta(seconds=1))
    card = case.card(case.waits(lambda: next(iter(case.roots()), None), "the first message"))
    assert "700" in card.words


def test_a_schedule_is_paused_resumed_and_deleted_by_its_buttons(case: Case) -> None:
    hour = case.day.time().astimezone(BERLIN) + timedelta(hours=12)  # Not about now.
    schedule = sets(case, "petra", CHECK, f"every day {hour:%-H}:00")
    listed = answer(case, "petra", "/ops schedule")
    assert schedule in listed.words
    petra = case.person("petra")

    petra.click("Pause", message=listed, block_id=_block(listed, schedule))
    listed = now_shown(case, "petra", listed, "paused")
    assert rows(case)[schedule].state == "paused"
    first = case.day.time() + timedelta(days=1)
    goes_to(case, first)
    assert runs_of(case, schedule) == []

    petra.click("Resume", message=listed, block_id=_block(listed, schedule))
    case.waits(lambda: rows(case)[schedule].state == "active" or None, "the schedule goes on")
    goes_to(case, case.day.time() + timedelta(minutes=1))
    assert runs_of(case, schedule) == []
    assert _told(case, "schedule.missed", schedule) == []

    listed = answer(case, "petra", "/ops schedule list")
    petra.click("Delete", message=listed, block_id=_block(listed, schedule))
    case.waits(lambda: schedule not in rows(case) or None, "the schedule is gone")
    petra.click("Delete", message=listed, block_id=_block(listed, schedule), stale=True)
    petra.wait_for_ephemeral("has ended")
    assert len(_told(case, "schedule.deleted", schedule)) == 1
    assert check_projections(case.day.bot.core.store.database) == []


def test_a_workflow_that_cannot_be_read_here_is_not_called_retired(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = sets(case, "petra", CHECK, soon(case, hours=30))
    readable = [one for one in case.day.bot.core.library.definitions() if one.workflow != CHECK]
    monkeypatch.setattr(Library, "definitions", lambda _: readable)
    listed = answer(case, "petra", "/ops schedule")
    monkeypatch.undo()

    assert "its workflow cannot be read here" in listed.words
    case.person("petra").click("Delete", message=listed, block_id=_block(listed, schedule))
    case.waits(lambda: schedule not in rows(case) or None, "the schedule is gone")


def _block(listed: SeenMessage, schedule: str) -> str:
    """Return the block that holds the buttons of a schedule."""
    for block in listed.blocks:
        buttons = block.get("elements", []) if block["type"] == "actions" else []
        if any(str(one.get("value", "")).endswith(schedule) for one in buttons):
            return str(block["block_id"])
    raise AssertionError(f"no buttons for {schedule}")


def test_only_setter_owner_and_deputy_see_buttons_and_files_keep_their_schedules(
    case: Case,
) -> None:
    schedule = sets(case, "omar", PURGE, "every monday 8am")

    assert schedule in answer(case, "rita", "/ops schedule").words
    assert answer(case, "rita", "/ops schedule").buttons == []
    mine = answer(case, "ivan", "/ops schedule")  # Deputy of both.
    assert _labels(mine, schedule) == ["Pause", "Delete"]
    file = next(one for one in _ids(mine) if one.startswith(f"{CHECK}/") and one not in rows(case))
    assert _labels(mine, file) == ["Pause"]

    case.person("ivan").click("Pause", message=mine, block_id=_block(mine, file))
    paused = now_shown(case, "ivan", mine, "paused")
    assert rows(case)[file].state == "paused"
    assert _labels(paused, file) == ["Resume"]
    case.person("ivan").click("Resume", message=paused, block_id=_block(paused, file))
    case.waits(lambda: rows(case)[file].state == "active" or None, "it goes on")
    assert check_projections(case.day.bot.core.store.database) == []


def _ids(listed: SeenMessage) -> list[str]:
    values = [
        str(one.get("value", ""))
        for block in listed.blocks
        if block["type"] == "actions"
        for one in block["elements"]
    ]
    return [one.partition(" ")[2] for one in values]


def _labels(listed: SeenMessage, schedule: str) -> list[str]:
    block = next(one for one in listed.blocks if one.get("block_id") == _block(listed, schedule))
    return [one["text"]["text"] for one in block["elements"]]


def test_a_deactivated_setter_starts_nothing_and_channel_and_owner_are_told(case: Case) -> None:
    workspace = case.slack.workspace
    workspace.add_person("nina", real_name="Nina")
    workspace.join_group("nina", "data-stewards")
    workspace.join("nina", case.channel.removeprefix("#"))
    case.is_heard()
    schedule = sets(case, "nina", PURGE, soon(case, hours=2))
    workspace.deactivate("nina")
    case.is_heard()

    goes_to(case, moment_of(case, schedule) + timedelta(seconds=1))

    told = notices(case, "could not start")
    assert "may not run purge-stale-accounts now" in told.words
    assert runs_of(case, schedule) == []
    assert schedule not in rows(case)
    case.person("omar").wait_for_message("could not start", channel="@interlock", timeout=PATIENCE)


def test_a_missed_moment_is_skipped_where_something_is_destroyed_and_else_made_up_for(
    case: Case,
) -> None:
    purge = sets(case, "petra", PURGE, soon(case, hours=6))
    check = sets(case, "petra", CHECK, soon(case, hours=6))

    goes_to(case, moment_of(case, purge) + timedelta(days=1))

    notices(case, "it is skipped")
    notices(case, "a run makes up for it")
    assert runs_of(case, purge) == []
    assert len(runs_of(case, check)) == 1
    assert {purge, check}.isdisjoint(rows(case))
    goes_to(case, case.day.time() + timedelta(days=1))
    assert len(runs_of(case, check)) == 1
    assert check_projections(case.day.bot.core.store.database) == []


def test_a_schedule_outlives_the_bot_and_the_command_line_hands_its_orders_over(
    scene: Scene,
) -> None:
    def typed(words: str) -> SeenMessage:
        petra = scene.person("petra")
        before = len(petra.ephemerals)
        petra.command(words, channel=OPS)
        return scene.waits(lambda: next(iter(petra.ephemerals[before:]), None), "an answer")

    with scene.serving() as bot:
        asked = typed(f"/ops schedule {CHECK} every monday 8am")
        scene.person("petra").click("Confirm", message=asked)
        rows = bot.core.store.database
        (row,) = scene.waits(lambda: live_schedules(rows) or None, "the schedule")

    with scene.serving():
        assert row.id in typed("/ops schedule").words
        order = ScheduleOrder(
            id=f"{CHECK}/0123456789ab", workflow=CHECK, inputs={}, timezone="UTC", cron="0 9 * * *"
        )
        told = have_done(scene.settings, order, user=os.getuid())
        assert (told["served"], told["is_new"], told["asks_people"]) == (True, True, False)
        assert order.id in typed("/ops schedule").words
        again = have_done(scene.settings, order, user=os.getuid())
        assert again["is_new"] is False
        change = ChangeScheduleOrder(id=row.id, to="deleted")
        with pytest.raises(RefusedThereError, match="whoever set the schedule"):
            have_done(scene.settings, change, user=os.getuid())
