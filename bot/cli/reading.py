"""`interlock runs` and `show`: look, beside whoever serves."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from bot.cli.moments import moment_data, moment_lines
from bot.cli.output import answer, as_json_option
from bot.entry_words import words_about
from bot.error_words import error_words
from bot.exception_queue import Queued, queued
from bot.settings import Settings, read_settings, require_one
from bot.summary_words import summary_words
from bot.timeline import actors_in, timeline
from storage.checkpoint import MalformedNoteError
from storage.database import Database, open_database, sqlite_path
from storage.database_errors import storage_refusals
from storage.entry_bytes import MalformedEntryError
from storage.history import read_run
from storage.listing import MOST, ListedRun, Wanted, list_runs, listed_run, people_of
from storage.migrate import require_usable
from storage.move_marks import read_mark
from storage.published import active_version, canonical_of
from storage.refusals import read_beside
from storage.summaries import read_summary
from workflows.definition import Definition
from workflows.entry import Entry, RunId
from workflows.errors import UnknownRunError, UnusableDatabaseError
from workflows.moments import stamp
from workflows.run import Status

# The values that programs read, and the one that people are told in another word.
STATUSES = {one.value: one for one in Status} | {Status.DENIED.words: Status.DENIED}
NEWER = "A newer version is active: {}. Owner and deputy can have the run go by it: `move-run`."


@click.command()
@click.option("--workflow", default="", help="Only runs of this workflow.")
@click.option("--status", type=click.Choice(list(STATUSES)), help="Only these.")
@click.option("--exceptions", is_flag=True, help="Only what waits for a person, oldest first.")
@click.option(
    "--most", default=20, type=click.IntRange(1, MOST), show_default=True, help="How many."
)
@as_json_option
def runs(workflow: str, status: str | None, most: int, *, exceptions: bool, as_json: bool) -> None:
    """List runs, the newest first."""
    if exceptions:
        _exceptions(workflow, most, as_json=as_json)
        return
    statuses = frozenset({STATUSES[status]}) if status else frozenset[Status]()
    with opened(read_settings()) as database:
        wanted = Wanted(workflow=workflow, statuses=statuses)
        found = [_run(one) for one in list_runs(database, wanted, most=most)]
    lines = [
        f"{one['run']}  {STATUSES[str(one['status'])].words:<9} {one['started_at']}"
        f"  {one['workflow']}  {one['by']}"
        for one in found
    ]
    answer({"runs": found}, lines or ["There are none."], as_json=as_json)


NO_STEP = '""'  # As a shell takes it: what stopped is the end of the run.


def _exceptions(workflow: str, most: int, *, as_json: bool) -> None:
    wanted = Wanted(workflow=workflow, is_troubled=True)
    with opened(read_settings()) as database:

        def definition_of(version: str) -> Definition:
            return Definition.from_canonical((canonical_of(database, version) or "").encode())

        found = [_queued(one) for one in queued(database, definition_of, wanted=wanted, most=most)]
    lines = [line for one in found for line in _queued_lines(one)]
    answer({"exceptions": found}, lines or ["Nothing waits for a person."], as_json=as_json)


def _queued_lines(one: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"{one['run']}  {one['step'] or NO_STEP}  {one['error_class']}  since {one['since']}"
        f"  {one['workflow']}"
    )
    yield f"    {one['words']}. Asked: {', '.join(one['asked']) or 'nobody'}."
    yield f"    So far: {one['so_far']}."


def _queued(one: Queued) -> dict[str, Any]:
    trouble = one.trouble
    return {
        **_run(one.run),
        "step": trouble.step,
        "waits": "doubt" if trouble.is_doubt else "exception",
        "error_class": trouble.error_class,
        "words": error_words(trouble.error_class),
        "since": stamp(trouble.since),
        "asked": list(one.asked),
        "tries": one.so_far.tries,
        "cannot_be_undone": list(one.so_far.final),
        "can_be_undone": list(one.so_far.undoable),
        "may_have_happened": list(one.so_far.unclear),
        "ran_on_their_own": list(one.so_far.called),
        "so_far": one.so_far.words,
    }


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--timeline", "as_timeline", is_flag=True, help="Who did what, on whose approval.")
@as_json_option
def show(run_id: str, *, as_timeline: bool, as_json: bool) -> None:
    """Tell the story of one run, entry by entry, with their numbers in the log."""
    with opened(read_settings()) as database:
        listed = listed_run(database, RunId(run_id))
        if listed is None:
            raise UnknownRunError(f"There is no run {run_id}.", hint="See `interlock runs`.")
        with database.read() as connection:
            read = read_run(connection, run_id)
            told_so_far = read_summary(connection, run_id, of=read)
            beside = read_beside(connection, run_id, of=read) if as_timeline else []
        active = active_version(database, listed.workflow)
        moments = timeline(read, beside) if as_timeline else []
        known = people_of(database, actors_in(moments)) if moments else {}
    if as_timeline:
        told = {**_run(listed), "timeline": [moment_data(one, known) for one in moments]}
        lines = [line for one in moments for line in moment_lines(one, known)]
        answer(told, [_title(listed), *lines], as_json=as_json)
        return
    newer = None if listed.status.is_end else _newer(active, listed)
    entries = [_entry(one) for one in read]
    summary = [{"text": one.text, "entries": list(one.entries)} for one in told_so_far.told]
    by = {"summary": summary, "summary_model": told_so_far.model or None}
    data = {**_run(listed), "entries": entries, **by, "newer": newer}
    told_newer = [NEWER.format(newer[:8])] if newer else []
    lines = [_title(listed), *told_newer, *summary_words(told_so_far).splitlines()]
    lines += [f"  #{one['index']}  {one['at']}  {one['words']}" for one in entries]
    answer(data, lines, as_json=as_json)


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """Open the database for reading; one that was never begun is not made.

    Raises:
        UnusableDatabaseError: there is none, or one of another release.
    """
    with opened_as_it_is(settings) as database:
        require_usable(database.engine)
        _remark_moved(database)
        yield database


def _remark_moved(database: Database) -> None:
    """Tell whoever reads a copy whose log goes on elsewhere, beside what the command prints."""
    with database.read() as connection:
        mark = read_mark(connection)
    if mark is not None:
        click.echo(f"{mark.words} What is told here is as it stood then.", err=True)


@contextmanager
def opened_as_it_is(settings: Settings) -> Iterator[Database]:
    """Open the database for reading, whatever release made it.

    Raises:
        UnusableDatabaseError: there is none, or what was read of it is nothing of ours.
    """
    require_one(settings)
    if settings.is_sqlite and not sqlite_path(settings.database_url).exists():
        raise UnusableDatabaseError(
            f"There is no log in {settings.memory} yet.", hint="Begin one with `interlock init`."
        )
    database = open_database(settings.database_url)
    try:
        with storage_refusals():
            yield database
    except (MalformedEntryError, MalformedNoteError) as error:
        raise UnusableDatabaseError(
            f"The log cannot be read: {error}",
            hint="Somebody wrote to the database; run `interlock audit verify`.",
        ) from error
    finally:
        database.close()


def _newer(active: str | None, listed: ListedRun) -> str | None:
    """Return the version that new runs take, if it is another one than this run's."""
    return None if active == listed.version else active


def _title(listed: ListedRun) -> str:
    who = listed.requester_name or listed.requester
    return f"{listed.workflow}: {listed.status.words}, started by {who}"


def _run(listed: ListedRun) -> dict[str, str | None]:
    return {
        "run": listed.id,
        "workflow": listed.workflow,
        "version": listed.version,
        "status": listed.status.value,
        "by": listed.requester_name or listed.requester,
        "started_at": stamp(listed.started_at),
        "finished_at": stamp(listed.finished_at) if listed.finished_at else None,
    }


def _entry(entry: Entry) -> Mapping[str, object]:
    return {
        "id": entry.id,
        "index": entry.index,
        "at": stamp(entry.at),
        "kind": entry.kind,
        "words": words_about(entry),
        "data": dict(entry.data),
    }
