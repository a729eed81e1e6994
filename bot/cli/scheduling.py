"""`interlock schedule`: list schedules, set one, pause, resume and delete it."""

import os
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import takewhile

import click

from bot.beside import have_done
from bot.cli.output import Exit, answer, as_json_option, leave, refuse_to_ask
from bot.cli.reading import opened
from bot.cli.running import inputs_of
from bot.cli.typed import filled
from bot.firings import next_firing
from bot.moment_words import ask_child
from bot.schedule_draft import schedule_id
from bot.schedule_orders import ChangeScheduleOrder, ScheduleOrder, moment_of
from bot.schedules import KnownSchedule, known_schedules
from bot.settings import read_settings
from bot.stored_texts import read_version
from bot.when_words import moments_told, read_when, rhythm_told
from storage.database import Database
from storage.listing import people_of
from storage.published import active_versions, canonical_of
from storage.schedules import live_schedules
from workflows.definition import Definition
from workflows.entry import Json
from workflows.errors import UnreadableVersionError
from workflows.moments import stamp
from workflows.triggers import Missed, When

PATIENT = 30.0  # Nobody's gesture runs out here.


OF_A_FILE, NOBODY = "the workflow file", "somebody"  # Whoever was erased since.
RETIRED = "  its workflow was retired: nothing starts"


@click.group()
def schedule() -> None:
    """Set schedules, and see, pause, resume or delete them."""


@schedule.command("list")
@as_json_option
def list_all(*, as_json: bool) -> None:
    """List all schedules: those of workflow files, and those that people set."""
    with opened(read_settings()) as database:
        definitions, troubles = _definitions(database)
        known = known_schedules(definitions, live_schedules(database))
        found = [_told(database, one, troubles.get(one.workflow)) for one in known]
    lines = [
        f"{one['schedule']}  {one['state']:<6}  next {one['next'] or '–'}  {one['when']}"  # noqa: RUF001 - the dash of nothing.
        f"  by {one['by'] or (OF_A_FILE if one['from_file'] else NOBODY)}"
        f"{RETIRED if one['is_retired'] else ''}"
        f"{'  ' + str(one['trouble']) if one['trouble'] else ''}"
        for one in found
    ]
    answer({"schedules": found}, lines or ["There are none."], as_json=as_json)


@schedule.command("add")
@click.argument("workflow")
@click.argument("words", nargs=-1, required=True, metavar="WHEN... [FIELD=VALUE]...")
@click.option("--timezone", default="UTC", show_default=True, help="Whose clock WHEN means.")
@click.option("--channel", default="", help="Where its runs' threads stand.")
@click.option("--yes", is_flag=True, help="Set it without asking.")
@as_json_option
def add(
    workflow: str, words: tuple[str, ...], timezone: str, channel: str, *, yes: bool, as_json: bool
) -> None:
    """Set a schedule for WORKFLOW: "tomorrow 9am", "every weekday 9:00", "cron 0 9 * * 1-5"."""
    refuse_to_ask(yes=yes, as_json=as_json)
    said = list(takewhile(lambda word: "=" not in word, words))
    inputs = inputs_of(words[len(said) :])
    when, moments = _read(" ".join(said), timezone)
    if not yes and not _agreed(workflow, when, moments):
        leave(Exit.NO)
    cron, at = moment_of(when)
    order = filled(
        ScheduleOrder,
        id=schedule_id(workflow, secrets.token_hex(16)),
        workflow=workflow,
        inputs=inputs,
        timezone=when.timezone,
        cron=cron,
        at=at,
        channel=channel,
        message=" ".join(["schedule", "add", workflow, *words]),
    )
    told = have_done(read_settings(), order, user=os.getuid())
    answer({**told, "moments": moments}, _set_lines(told, moments), as_json=as_json)


def _read(words: str, timezone: str) -> tuple[When, list[str]]:
    """Return the times that `words` mean, and the next of them as lines."""
    now, ask = datetime.now(UTC), partial(ask_child, seconds=PATIENT)
    meant = read_when(words, timezone=timezone, now=now, missed=Missed.SKIP, ask=ask)
    moments = moments_told(meant.when, now=now, note=meant.note)
    return meant.when, [f"{one.line}{f' ({one.note})' if one.note else ''}" for one in moments]


def _agreed(workflow: str, when: When, moments: Sequence[str]) -> bool:
    click.echo("\n".join([f"{workflow}: {rhythm_told(when)}", *(f"  {one}" for one in moments)]))
    return click.confirm("Set this schedule?")


def _set_lines(told: Mapping[str, Json], moments: Sequence[str]) -> list[str]:
    later = [] if told["served"] else ["Nobody serves now; it fires once `interlock serve` runs."]
    return [
        f"Set schedule {told['schedule']}.",
        *(f"  {one}" for one in moments),
        *_asking(told),
        *later,
    ]


def _asking(told: Mapping[str, Json]) -> list[str]:
    """Return whether people will be asked. A bot of the release before says only whether surely."""
    if told["asks_people"]:
        return ["People will be asked when it fires."]
    return ["People may be asked when it fires."] if told.get("may_ask_people") else []


@schedule.command("pause")
@click.argument("name", metavar="SCHEDULE")
@as_json_option
def pause(name: str, *, as_json: bool) -> None:
    """Let a schedule rest. What comes due meanwhile does not count as missed."""
    _change(filled(ChangeScheduleOrder, id=name, to="paused"), "is paused", as_json=as_json)


@schedule.command("resume")
@click.argument("name", metavar="SCHEDULE")
@as_json_option
def resume(name: str, *, as_json: bool) -> None:
    """Let a paused schedule go on."""
    _change(filled(ChangeScheduleOrder, id=name, to="active"), "goes on", as_json=as_json)


@schedule.command("delete")
@click.argument("name", metavar="SCHEDULE")
@as_json_option
def delete(name: str, *, as_json: bool) -> None:
    """Delete a schedule that somebody set. One of a workflow file can only be paused."""
    _change(filled(ChangeScheduleOrder, id=name, to="deleted"), "is deleted", as_json=as_json)


def _change(order: ChangeScheduleOrder, words: str, *, as_json: bool) -> None:
    told = have_done(read_settings(), order, user=os.getuid())
    already = "" if told["changed"] else " already"
    answer(dict(told), [f"Schedule {order.id} {words}{already}."], as_json=as_json)


def _definitions(database: Database) -> tuple[list[Definition], Mapping[str, str]]:
    """Return the active definitions, and why those that cannot be read cannot."""
    found: list[Definition] = []
    troubles: dict[str, str] = {}
    for workflow, version in active_versions(database).items():
        canonical = canonical_of(database, version)
        try:
            if canonical is not None:
                found.append(read_version(canonical, version))
        except UnreadableVersionError as error:
            troubles[workflow] = error.message
    return found, troubles


def _told(database: Database, known: KnownSchedule, trouble: str | None) -> dict[str, Json]:
    row = None if known.is_definitions else known.row
    people = people_of(database, [row.set_by]) if row is not None and row.set_by else {}
    coming = None if known.is_paused else next_firing(known.when, after=datetime.now(UTC))
    return {
        "schedule": known.id,
        "workflow": known.workflow,
        "when": rhythm_told(known.when),
        "timezone": known.when.timezone,
        "state": "paused" if known.is_paused else "active",
        "next": None if coming is None else stamp(coming),
        "by": next((name or who for who, name in people.values()), None),
        "from_file": known.is_definitions,
        "is_retired": known.definition is None and trouble is None,
        "trouble": trouble,
    }
