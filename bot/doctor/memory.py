"""The database: reached, written to, of this release, of this log; who serves; what waits."""

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import timedelta

from sqlalchemy import update

from bot.cli.reading import opened_as_it_is
from bot.doctor.around import Around
from bot.doctor.findings import Finding, fail, ok, refused, unknown, warn
from bot.settings import Settings
from bot.wording import duration, joined, plural
from storage.audit_models import AuditTreeRow
from storage.database import Database
from storage.gauges import Waiting, connected_from, read_waiting, read_workers
from storage.lock_file import ServeLock
from storage.migrate import (
    is_current,
    is_empty,
    is_usable,
    newest,
    revision_of,
    tables_elsewhere,
)
from storage.server_clock import clock_of
from workflows.errors import StorageError

LOCK_MS = 2_000
SKEWED = timedelta(seconds=10)
LATE = timedelta(minutes=10)  # Slack's limits explain minutes; more than that, something is wrong.
TAKE_PART = "Start `interlock serve` or `interlock worker` here, if it should."
NOTHING_RECORDED = "Nothing can be recorded, so nothing is done."


class TakenBackError(Exception):
    """Ends a unit that was only meant to find out whether one is possible."""


def open_memory(around: Around, stack: ExitStack) -> tuple[Database | None, list[Finding]]:
    """Return the database if this release can work on it, with what opening it showed."""
    try:
        database = stack.enter_context(opened_as_it_is(around.settings))
    except StorageError as refusal:
        return None, [refused("database", refusal, costs=NOTHING_RECORDED)]
    try:
        found = [_writable(database), _migrations(database)]
        return (database if is_usable(database.engine) else None), found
    except StorageError as refusal:
        return None, [refused("database", refusal, costs=NOTHING_RECORDED)]


def look_at_memory(around: Around, database: Database) -> Iterator[Finding]:
    """Yield the server's clock, who works on the log, and whether messages get out."""
    settings = around.settings
    if not settings.is_sqlite:
        yield _clock(around, database)
    with database.read() as connection:
        waiting = read_waiting(connection)
        alive = None if settings.is_sqlite else read_workers(connection)
        places = [] if settings.is_sqlite else connected_from(connection)
    yield _serving(settings, elsewhere=alive or 0, places=places)
    if alive is not None:
        yield _workers(alive)
    yield _messages(around, waiting)


def _writable(database: Database) -> Finding:
    """Begin to write, and take it back."""
    try:
        with suppress(TakenBackError), database.begin(lock_timeout_ms=LOCK_MS) as tx:
            if not is_empty(database.engine):
                tx.connection.execute(update(AuditTreeRow).values(size=AuditTreeRow.size))
            raise TakenBackError
    except StorageError as refusal:
        return refused("database", refusal, costs=NOTHING_RECORDED)
    kind = "SQLite" if database.dialect == "sqlite" else "Postgres"
    return ok("database", f"{kind}, open for writing.")


def _migrations(database: Database) -> Finding:
    engine = database.engine
    if is_current(engine):
        return ok("migrations", f"The tables are those of this release ({newest()}).")
    found = revision_of(engine)
    if not found:
        if (elsewhere := tables_elsewhere(engine)) is not None:
            return refused("migrations", elsewhere, costs="The bot does not start.")
        return fail(
            "migrations",
            "The database has no tables yet.",
            costs="No log has begun, so the bot does not start.",
            do="Run `interlock init`.",
        )
    saw = f"The tables are of revision {found}; this release has {newest()}."
    if is_usable(engine):
        return warn(
            "migrations",
            saw,
            costs="A run that only the newer release can read waits for it.",
            do="Finish the upgrade: bring every process to the newer release.",
        )
    newer = found > newest()
    return fail(
        "migrations",
        saw,
        costs="The bot does not start.",
        do="Use the newer release." if newer else "Make a copy, then run `interlock migrate`.",
    )


def _clock(around: Around, database: Database) -> Finding:
    """Hold the server's clock against this machine's; expiries count by the server's."""
    apart = around.now() - clock_of(database)()
    direction = "behind" if apart < timedelta(0) else "ahead of"
    saw = f"This machine's clock is {duration(abs(apart))} {direction} the database's."
    if abs(apart) <= SKEWED:
        return ok("database clock", saw)
    return warn(
        "database clock",
        saw,
        costs="Requests expire by the database's clock, at other times than people here expect.",
        do="Have both clocks set by NTP.",
    )


def _serving(settings: Settings, *, elsewhere: int, places: list[str]) -> Finding:
    holder = ServeLock.holder(settings.home)
    if holder is not None:
        return ok("serving", f"{holder} works on {settings.home}.")
    if elsewhere:
        others = plural(elsewhere, "process of other homes", "processes of other homes")
        return warn(
            "serving",
            f"Nobody works on {settings.home}; {others} on this database.",
            costs="Runs go on there; this machine takes no part.",
            do=TAKE_PART,
        )
    if places:
        return warn(
            "serving",
            f"Nobody works on {settings.home}; others are connected to this database from"
            f" {joined(places, 'and')}.",
            costs="People are answered if one of them serves; this machine takes no part.",
            do=TAKE_PART,
        )
    return warn(
        "serving",
        f"Nobody works on {settings.home}.",
        costs="Runs stand still, and nobody is answered.",
        do="Start `interlock serve`, by a supervisor that starts it again when it ends.",
    )


def _workers(alive: int) -> Finding:
    if alive:
        many = plural(alive, "process continues", "processes continue")
        return ok("workers", f"{many} runs.")
    return warn(
        "workers",
        "No process continues runs.",
        costs="Runs are accepted and stand still.",
        do="Start `interlock worker`, or `interlock serve` without --no-worker.",
    )


def _messages(around: Around, waiting: Waiting) -> Finding:
    if waiting.messages_since is None:
        return ok("messages", "Nothing waits to be delivered.")
    age = around.now() - waiting.messages_since
    saw = f"{plural(waiting.messages, 'message')} to deliver; the oldest is due for"
    saw = f"{saw} {duration(max(age, timedelta(0)))}."
    if age <= LATE:
        return ok("messages", saw)
    return warn(
        "messages",
        saw,
        costs="People do not see what they are asked.",
        do="Look at the bot's log for `Slack refuses` or `ratelimited`.",
    )


def unseen(check: str) -> Finding:
    """Return what is said of a check that needs a database that could not be read."""
    return unknown(check, "The log could not be read.", do="Put the database right first.")
