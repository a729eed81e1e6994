"""What makes the log worth something: its keys, who keeps heads outside, its own verification."""

from collections.abc import Iterator
from datetime import timedelta

from bot.anchor_words import by, failing_json, failing_words
from bot.anchors.calling import AnchorError
from bot.anchors.second_key import second_signer
from bot.doctor.around import Around
from bot.doctor.findings import Finding, fail, ok, refused, unknown, warn
from bot.doctor.slack import Reached
from bot.head_check import check_head
from bot.settings import Settings
from bot.wording import duration, plural
from storage.anchors import newest_of_each, read_turns
from storage.checkpoint import read_vkey
from storage.database import Database
from storage.enrolment import LogKeys
from storage.gauges import read_verified
from storage.keys import LOG_KEY, WRITER_KEY, LogKey, WriterKey, load_key
from storage.log_setup import keys_of, require_log_key, require_writer
from storage.move_marks import refuse_moved
from workflows.errors import SigningKeyError, StorageError, UnusableDatabaseError

NIGHTS = timedelta(days=2)
NO_START = "The bot does not start: what it records could not be signed."
OUTSIDE = ("witness_url", "timestamp_url", "anchor_dir", "anchor_mail")


def look_at_trust(around: Around, database: Database) -> Iterator[Finding]:
    """Yield how keys, anchors and the nightly verification stand."""
    try:
        known = keys_of(database)
    except StorageError as refusal:
        yield refused("log", refusal, costs="Nothing in this database can be taken on trust.")
        return
    yield _log(around.settings, known, database)
    yield _writer(around.settings, known)
    yield _log_key(around.settings, known)
    yield _second(around, known)
    yield _anchors(around, database)
    yield _verified(around, database)


def look_at_head(around: Around, reached: Reached, database: Database) -> Finding:
    """Compare the log with what Slack shows of it, as the bot does when it starts."""
    try:
        is_sure = check_head(database, reached.witness(around.settings))
    except UnusableDatabaseError as refusal:
        return refused("head", refusal, costs="The bot does not start.")
    if not is_sure:
        words = "The log could not be compared with what Slack shows of it."
        return unknown("head", words, do="See that the bot is in its channel, then look again.")
    return ok("head", "Slack shows nothing newer than this log.")


def _log(settings: Settings, known: LogKeys, database: Database) -> Finding:
    try:
        with database.read() as connection:
            refuse_moved(connection)
    except UnusableDatabaseError as moved:
        return refused("log", moved, costs="The bot does not start.")
    if "origin" in settings.model_fields_set and known.origin != settings.origin:
        return fail(
            "log",
            f"The database holds the log {known.origin}, not {settings.origin}.",
            costs="The bot does not start.",
            do="Check INTERLOCK_ORIGIN and INTERLOCK_DATABASE_URL.",
        )
    return ok("log", f"It is {known.origin}.")


def _writer(settings: Settings, known: LogKeys) -> Finding:
    try:
        writer = WriterKey.of(load_key(settings.home, WRITER_KEY))
        require_writer(known, writer)
    except SigningKeyError as refusal:
        return refused("writer key", refusal, costs=NO_START)
    return ok("writer key", f"{writer.id} is enrolled.")


def _log_key(settings: Settings, known: LogKeys) -> Finding:
    try:
        key = LogKey.of(load_key(settings.home, LOG_KEY), known.origin)
        require_log_key(known, key)
    except SigningKeyError as refusal:
        return refused("log key", refusal, costs=NO_START)
    return ok("log key", f"{key.key.id} signs heads.")


def _second(around: Around, known: LogKeys) -> Finding:
    signer = second_signer(around.settings, origin=known.origin, now=around.now)
    if signer is None:
        return warn(
            "second key",
            "No second key is set.",
            costs="Whoever steals keys/log.pem can sign heads that look like yours.",
            do="Set INTERLOCK_KMS_KEY, then `interlock keys second`; docs/witnesses says how.",
        )
    try:
        key = read_vkey(signer.vkey)
    except AnchorError as refusal:
        return unknown("second key", refusal.message, do=refusal.hint or "Look again later.")
    if any(one.id == key.id for one in known.in_force("log")):
        return ok("second key", f"{key.id} signs heads that leave for outside.")
    return fail(
        "second key",
        f"The log does not know {key.id}, or has ended it.",
        costs="It signs nothing, so heads outside bear one signature only.",
        do="Run `interlock keys second`.",
    )


def _anchors(around: Around, database: Database) -> Finding:
    settings = around.settings
    with database.read() as connection:
        newest, turns = newest_of_each(connection), read_turns(connection)
    costs = "Whoever owns the database could show a shorter or another log, and nobody could tell."
    if not any(getattr(settings, name) for name in OUTSIDE):
        do = "Name somebody who keeps heads outside: INTERLOCK_ANCHOR_MAIL is quickest."
        return warn("anchors", "No setting names anybody outside.", costs=costs, do=do)
    failing = [failing_words(one) for one in failing_json(turns) if isinstance(one, dict)]
    if failing:
        do = "Put that right; `interlock audit anchors` lists all of them."
        return fail("anchors", "; ".join(failing), costs=costs, do=do)
    if not newest:
        do = "Start `interlock serve`; it hands a head out within minutes."
        return warn("anchors", "No head was handed out yet.", costs=costs, do=do)
    last = max(newest, key=lambda one: one.at)
    age = max(around.now() - last.at, timedelta(0))
    saw = f"The newest head outside is kept by {by(last.type)}, {duration(age)} old."
    if age > 2 * settings.anchor_every:
        do = "Look whether the bot serves, and what its log says of anchors."
        return fail("anchors", saw, costs=costs, do=do)
    return ok("anchors", saw)


def _verified(around: Around, database: Database) -> Finding:
    """Say what the nightly look found; verifying here would take as long as the log is."""
    with database.read() as connection:
        found = read_verified(connection)
    do = "Run `interlock audit verify` with a key and a head that were kept elsewhere."
    costs = "A change of the database is noticed late."
    if found is None:
        return warn("verification", "The log has not verified itself yet.", costs=costs, do=do)
    age = max(around.now() - found.at, timedelta(0))
    saw = f"The last look was {duration(age)} ago"
    if found.failures:
        return fail(
            "verification",
            f"{saw} and found {plural(found.failures, 'failure')}.",
            costs="What is shown of the past is not what was recorded.",
            do=f"{do} Keep a copy of the database as it is.",
        )
    if age > NIGHTS:
        return warn("verification", f"{saw}.", costs=costs, do=do)
    return ok(
        "verification", f"{saw}; nothing was wrong with {plural(found.size, 'entry', 'entries')}."
    )
