"""`interlock audit sweep` and `interlock audit hold`: which payloads go, and which may not."""

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import click

from bot.beside import have_done
from bot.cli.lazy import LazyGroup, Place
from bot.cli.output import answer, as_json_option
from bot.cli.reading import opened
from bot.cli.typed import filled
from bot.policy_in_force import policy_of
from bot.retention_orders import HoldOrder, LiftOrder, SweepOrder, class_data
from bot.settings import read_settings
from bot.wording import plural
from storage.retention.due import due
from storage.retention.holds import ToldHold, told_holds
from workflows.moments import stamp

PLACES = {
    "set": Place("bot.cli.retaining", "hold_set", "Hold payloads back."),
    "list": Place("bot.cli.retaining", "hold_list", "List what is held back."),
    "lift": Place("bot.cli.retaining", "hold_lift", "Let them go."),
}

hold = LazyGroup(name="hold", places=PLACES, help="Keep payloads from being removed.")
REASON = click.option("--reason", required=True, help="Why, for the trail.")


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@as_json_option
def sweep(*, dry_run: bool, as_json: bool) -> None:
    """Remove the payloads whose term is over. `interlock serve` does so each night."""
    settings = read_settings()
    if not dry_run:
        told = have_done(settings, SweepOrder(), user=os.getuid())
        answer(dict(told), _swept(told, "is gone", "are gone"), as_json=as_json)
        return
    with opened(settings) as database, database.read() as connection:
        found = due(connection, policy_of(settings, database).terms, now=datetime.now(UTC))
    foretold: dict[str, Any] = {
        "ok": True,
        "payloads": sum(one.swept + one.erased for one in found),
        "classes": [class_data(one) for one in found],
    }
    answer(foretold, _swept(foretold, "would go", "would go"), as_json=as_json)


@click.command("set")
@click.argument("selector")
@REASON
@as_json_option
def hold_set(*, selector: str, reason: str, as_json: bool) -> None:
    """Keep what SELECTOR selects: run:ID, workflow:NAME, person:@NAME, period:DAY/DAY."""
    order = filled(HoldOrder, selector=selector, reason=reason)
    told = have_done(read_settings(), order, user=os.getuid())
    lines = [f"{told['hold']} holds {told['selector']}.", *_warnings(told)]
    answer(dict(told), lines, as_json=as_json)


@click.command("list")
@as_json_option
def hold_list(*, as_json: bool) -> None:
    """List holds, those that were lifted too."""
    with opened(read_settings()) as database, database.read() as connection:
        found = told_holds(connection)
    lines = [_hold_line(one) for one in found] or ["Nothing is held back."]
    answer({"holds": [_hold_data(one) for one in found]}, lines, as_json=as_json)


@click.command("lift")
@click.argument("name")
@REASON
@as_json_option
def hold_lift(*, name: str, reason: str, as_json: bool) -> None:
    """Let go of what the hold NAME keeps; what is due of it goes with the next sweep."""
    told = have_done(read_settings(), filled(LiftOrder, hold=name, reason=reason), user=os.getuid())
    answer(dict(told), [f"{told['hold']} is lifted."], as_json=as_json)


def _swept(told: Mapping[str, Any], one: str, many: str) -> Iterator[str]:
    count = told["payloads"]
    yield f"{plural(count, 'payload')} {one if count == 1 else many}."
    for each in told["classes"]:
        gone = each["swept"] + each["erased"]
        if gone or each["held"]:
            yield f"  {each['class']}: {gone}, held back {each['held']}"


def _warnings(told: Mapping[str, object]) -> Iterator[str]:
    if "warning" in told:
        yield f"! {told['warning']}"


def _hold_data(one: ToldHold) -> dict[str, object]:
    lifted = one.hold.lifted_at
    return {
        "hold": one.hold.id,
        "selector": str(one.hold.selector),
        "reason": one.reason,
        "set_at": stamp(one.hold.set_at),
        "lifted_at": None if lifted is None else stamp(lifted),
    }


def _hold_line(one: ToldHold) -> str:
    lifted = one.hold.lifted_at
    until = "" if lifted is None else f", lifted {stamp(lifted)}"
    return (
        f"{one.hold.id}  {one.hold.selector}  since {stamp(one.hold.set_at)}{until}: {one.reason}"
    )
