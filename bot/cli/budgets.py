"""`interlock policy budgets`: how much of each budget is used, by whom, and when room comes."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import click

from bot.cli.output import answer, as_json_option
from bot.cli.reading import opened
from bot.policy_in_force import policy_of
from bot.settings import read_settings
from storage.budget_sql import BudgetSql, UsedBudget
from storage.database import Database
from storage.journal import utc_now
from storage.listing import people_of
from workflows.duration import duration_text
from workflows.moments import stamp
from workflows.policy_budgets import Budget


@click.command("budgets")
@as_json_option
def policy_budgets(*, as_json: bool) -> None:
    """Say how much of each budget is used, and when room comes back."""
    settings = read_settings()
    with opened(settings) as database:
        policy = policy_of(settings, database)
        found = [_state(database, one, now=utc_now()) for one in policy.budgets or ()]
    lines = [line for one in found for line in _lines(one)]
    answer({"budgets": found}, lines or ["The policy has no budgets."], as_json=as_json)


def _state(database: Database, budget: Budget, *, now: datetime) -> dict[str, Any]:
    with database.glance() as tx:
        used = BudgetSql(tx).by_key(budget.name, since=now - budget.window)
    people = people_of(database, [one.key for one in used if one.key.startswith("s:")])
    if budget.per is None and not used:
        used = [UsedBudget(key="", value="", used=0, oldest=None)]
    return {
        "name": budget.name,
        "limit": budget.limit,
        "window": duration_text(budget.window),
        "per": budget.per,
        "uses": [_use(one, budget, people.get(one.key, ("", ""))[1]) for one in used],
    }


def _use(one: UsedBudget, budget: Budget, name: str) -> dict[str, Any]:
    comes = None if one.oldest is None else one.oldest + budget.window
    return {
        "key": one.key,
        "for": one.value or name or one.key,
        "used": one.used,
        "left": max(0, budget.limit - one.used),
        "more_at": None if comes is None else stamp(comes),
    }


def _lines(state: dict[str, Any]) -> Iterator[str]:
    each = f" for each {state['per']}" if state["per"] is not None else ""
    yield f"{state['name']}: {state['limit']:,} in any {state['window']}{each}"
    if not state["uses"]:
        yield "    nothing is used"
    for one in state["uses"]:
        whom = f"{one['for']}: " if one["for"] else ""
        more = "" if one["more_at"] is None else f"; more comes back at {_minute(one['more_at'])}"
        yield f"    {whom}{one['used']:,} used, {one['left']:,} left{more}"


def _minute(text: str) -> str:
    """Return the minute after a stamp, by when what it names has come back."""
    at = datetime.fromisoformat(text) + timedelta(minutes=1)
    return f"{at:%Y-%m-%d %H:%M} UTC"
