"""Compares the log with what Slack remembers of it, before anything is done.

A restored backup looks whole from inside: it verifies, and has only forgotten its newest
entries, effects among them. Slack still shows them: runs that this database does not hold,
and receipts and digests under a larger head than the log has, or another one of that size.
"""

import logging
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from bot.addresses import Addresses
from bot.delivery import EVENT_TYPE
from bot.opening import log_id_of
from bot.pacing import PatientPacer
from bot.settings import Settings
from bot.slack_client import SlackClient
from bot.slack_errors import RefusedError, SlackError
from storage.database import Database
from storage.heads import head
from storage.listing import Wanted, list_runs, listed_run
from storage.outside import OwnPast
from workflows.entry import RunId
from workflows.errors import UnusableDatabaseError
from workflows.store import Subject

RECEIPT = re.compile(r"#\d+ · leaf [0-9a-f]{8} · head (\d{1,18})/([0-9a-f]{8})")
CHANNELS, MESSAGES, THREADS = 3, 50, 3
NEWEST_RUNS = 20

log = logging.getLogger(__name__)

Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """Slack, as far as it remembers this log."""

    client: SlackClient
    addresses: Addresses
    bot: str  # The bot's user id: what others post is no witness.
    channel: str


def witness_of(client: SlackClient, settings: Settings, *, user: str) -> Witness:
    """Return Slack as far as `user`, the bot, remembers the log there."""
    addresses = Addresses(client, PatientPacer(time.monotonic))
    return Witness(client=client, addresses=addresses, bot=user, channel=settings.channel)


def check_head(database: Database, witness: Witness) -> bool:
    """Return if Slack shows nothing newer than the log; False if it cannot be read just now.

    A channel that is closed to the bot is no witness, but one at least has to be open.

    Raises:
        UnusableDatabaseError: the database is older than what Slack shows.
    """
    if _is_new(database):
        return True
    channels = _channels(database, witness)
    try:
        read = [one for one in channels if _compare(database, witness, one)]
    except SlackError as error:
        log.warning("the head was not compared with Slack", extra={"error": error.code})
        return False
    if channels and not read:
        log.warning("the head was not compared with Slack: every channel is closed to the bot")
    return bool(read) or not channels


def _is_new(database: Database) -> bool:
    """Say whether the log has only begun, so that no bot has ever told anything of it."""
    with database.read() as connection:
        return head(connection).size <= 1


def _channels(database: Database, witness: Witness) -> list[str]:
    """Return where the newest runs stand, and the bot's own channel."""
    runs = list_runs(database, Wanted(), most=NEWEST_RUNS)
    found = dict.fromkeys(one.place.channel for one in runs if one.place is not None)
    if witness.channel:
        found[witness.channel] = None
    return list(found)[:CHANNELS]


def _compare(database: Database, witness: Witness, named: str) -> bool:
    """Return if a channel shows nothing newer than the log, False if it is closed to the bot."""
    ours = log_id_of(database)
    try:
        channel = witness.addresses.readable(witness.addresses.postable(named))
        told = list(_ours(witness, channel, None, ours))
        roots = [one for one in told if _is_root(one)]
        _refuse_unknown(database, roots)
        for root in roots[:THREADS]:
            told += _ours(witness, channel, str(root["ts"]), ours)
        _refuse_other_past(database, told)
    except RefusedError as error:
        log.warning("a channel cannot be read", extra={"channel": named, "error": error.code})
        return False
    return True


def _ours(witness: Witness, channel: str, thread: str | None, ours: str) -> Iterator[Message]:
    """Yield what the bot posted of this log, among the newest messages of a place."""
    messages = witness.client.messages(channel, thread=thread)
    for message in islice(messages, MESSAGES):
        told = _payload(message)
        if message.get("user") == witness.bot and told.get("log") == ours:
            yield message


def _payload(message: Message) -> Mapping[str, Any]:
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload") if metadata.get("event_type") == EVENT_TYPE else None
    return payload if isinstance(payload, dict) else {}


def _is_root(message: Message) -> bool:
    return _payload(message).get("subject") == Subject.ROOT


def _refuse_unknown(database: Database, roots: Iterable[Message]) -> None:
    for root in roots:
        run = RunId(str(_payload(root).get("key", "")))
        if listed_run(database, run) is None:
            raise _restored(f"Slack shows the run {run}, which this database does not hold.")


def _refuse_other_past(database: Database, messages: Iterable[Message]) -> None:
    """Refuse a log that is not the one of which these messages show receipts and heads."""
    with database.read() as connection:
        past = OwnPast(connection)
        for message in messages:
            for found in RECEIPT.finditer(str(message.get("blocks", ""))):
                past.require(int(found[1]), found[2], where="Slack")
            note = _payload(message).get("note")
            if isinstance(note, str):
                past.require_note(note, where="Slack")


def _restored(what: str) -> UnusableDatabaseError:
    return UnusableDatabaseError(
        f"{what} It is an older copy, and effects it has forgotten would be done twice.",
        hint="Bring back the newest copy; docs/operations says how to begin a successor log.",
    )
