"""Looks up the people, groups, channels and files that values name, in Slack.

Fills `workflows.references.References`. Whoever fills in a form waits for the answer, so each
look has a second, and all of one answer what is left of that person's patience.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from bot.addresses import Addresses
from bot.directory import CLICK_LIMIT, Directory, NobodyKnownError, in_time
from bot.pacing import Pacer, TooSoonError
from bot.slack_client import SlackClient
from bot.slack_errors import RefusedError, SlackError
from workflows.errors import PeopleUnreadableError
from workflows.references import FileReference, Reference

GONE = frozenset({"tombstone", "hidden_by_limit"})

T = TypeVar("T")


class SlackReferences:
    """What Slack knows by a name. Safe to share between threads."""

    def __init__(self, directory: Directory, client: SlackClient, addresses: Addresses) -> None:
        self._directory = directory
        self._client = client
        self._addresses = addresses

    def user(self, named: str) -> Reference:
        try:
            found = self._directory.find_person(named)
        except NobodyKnownError as error:
            raise ValueError(error.message.removesuffix(".")) from error
        who = found.person
        if who.is_bot or who.is_deactivated or who.is_foreign:
            kind = "a bot" if who.is_bot else "somebody of another workspace"
            raise ValueError(f"is {'a deactivated account' if who.is_deactivated else kind}")
        return Reference(id=found.user, name=who.handle or who.name)

    def group(self, named: str) -> Reference:
        try:
            found = self._directory.find_group(named)
        except NobodyKnownError as error:
            raise ValueError(error.message.removesuffix(".")) from error
        if found.is_disabled:
            raise ValueError("is a user group that is disabled")
        return Reference(id=found.id, name=found.handle)

    def channel(self, named: str) -> Reference:
        try:
            ident = self._asked(lambda: self._addresses.readable(named, left=_left))
            found = self._asked(lambda: self._client.channel(ident, timeout=_left()))
        except RefusedError as error:
            raise ValueError(
                "is a channel that I do not know; invite me if it is private"
            ) from error
        if found.get("is_im") or found.get("is_mpim"):
            raise ValueError("is a conversation, not a channel")
        if found.get("is_archived"):
            raise ValueError("is a channel that is archived")
        name = str(found.get("name") or found["id"])
        if named.startswith("#") and name != named.removeprefix("#"):
            raise ValueError(f"is called #{name} now")
        return Reference(id=str(found["id"]), name=name)

    def file(self, named: str) -> FileReference:
        try:
            found = self._asked(lambda: self._client.file(named, timeout=_left()))
        except RefusedError as error:
            raise ValueError("is a file that I cannot see; upload it in the form") from error
        if found.get("mode") in GONE or found.get("is_external"):
            raise ValueError("is a file that Slack does not keep")
        return _file(found)

    @staticmethod
    def _asked(call: Callable[[], T]) -> T:
        try:
            return call()
        except RefusedError:
            raise
        except (SlackError, TooSoonError) as error:
            raise PeopleUnreadableError(
                "Slack could not be asked about this just now.", hint="Try again in a moment."
            ) from error


def references_of(
    client: SlackClient, directory: Directory, *, ticks: Callable[[], float] = time.monotonic
) -> SlackReferences:
    """Return what looks names up under one token."""
    return SlackReferences(directory, client, Addresses(client, Pacer(ticks)))


def _left() -> float:
    return in_time(CLICK_LIMIT)


def _file(found: Mapping[str, Any]) -> FileReference:
    name = str(found.get("name") or found["id"])
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    return FileReference(
        id=str(found["id"]), name=name, size=int(found.get("size") or 0), type=ending
    )
