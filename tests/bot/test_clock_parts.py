"""What the bot does by itself at night is done, also where it is only there by day."""

import json
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from bot.clock_parts import catalog_watch_of, clock_of, self_check_of
from bot.core import Core
from bot.daily_head import NAME as HEAD
from bot.digest import SCHEDULE as DIGEST
from bot.sweeping import NAME as SWEEP
from storage.audit_models import AuditEntryRow
from tests.bot.catalog import Office


def looks(office: Office, core: Core) -> set[str]:
    """Let the clock look once, as it does at the start, and return what it made up for."""
    check = self_check_of(core)
    clock_of(core, office.town, check, catalog_watch_of(core, office.town)).look()
    check.stop()
    return {str(one["schedule"]) for one in told(core, "schedule.fired")}


def told(core: Core, kind: str) -> list[dict[str, object]]:
    with core.memory.database.read() as connection:
        wanted = select(AuditEntryRow.line).where(AuditEntryRow.kind == kind)
        return [json.loads(one)["data"] for one in connection.execute(wanted).scalars()]


def test_what_is_due_at_night_is_done_by_a_bot_that_is_never_there_at_night(
    tmp_path: Path,
) -> None:
    office = Office(tmp_path, has_one_clock=True)
    first = looks(office, office.core)
    office.core.memory.database.close()
    office.clock.forward(timedelta(days=7))
    core = office.start()
    second = looks(office, core)
    core.memory.database.close()

    assert first == set()
    assert {SWEEP, HEAD, DIGEST} <= second


def test_a_bot_that_is_started_again_at_once_has_nothing_to_make_up_for(tmp_path: Path) -> None:
    office = Office(tmp_path, has_one_clock=True)
    office.core.memory.database.close()
    office.clock.forward(timedelta(minutes=10))
    core = office.start()
    fired = looks(office, core)
    core.memory.database.close()

    assert fired == set()
