"""Schedules that people set: typed, confirmed, fired, listed, paused, deleted, and refused."""

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.seen import SeenMessage
from storage.history import read_entries
from storage.rebuild import check_projections
from storage.schedules import live_schedules
from tests.journeys.day import Case, Day
from workflows.entry import Entry
from workflows.schedule import ScheduleRow

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
    asked = answer(case, "petra", f"/ops schedule {PURGE} 2027-03-01 9:00")

    assert "Mon 1 Mar 2027, 09:00" in asked.words
    assert "UTC" in asked.words
    assert "People will be asked when it fires" in asked.words
    assert asked.buttons == ["Confirm", "Cancel"]
    assert not [one for one in rows(case).values() if one.workflow == PURGE]

    case.person("petra").click("Cancel", message=asked)
    now_shown(case, "petra", asked, "Nothing was set.")
    assert not [one for one in rows(case).values() if one.workflow == PURGE]
