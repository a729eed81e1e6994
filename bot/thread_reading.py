"""Reads a conversation from Slack for its summary: everything in a thread, in order.

What cannot be read is refused with what would help; nothing is left out without being counted.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

from bot.delivery import EVENT_TYPE
from bot.directory import Directory
from bot.said import words_of_message
from bot.slack_client import SlackClient
from bot.slack_errors import RateLimitedError, RefusedError, SlackError, UnreadyError
from workflows.errors import InterlockError, PeopleUnreadableError
from workflows.thread_summary import Said

MOST_READ = 2_000
MOST_NAMED = 40  # People whose names are looked up; the others keep their ids.
NOT_HERE = frozenset({"not_in_channel", "channel_not_found", "missing_scope"})


class UnreadableThreadError(InterlockError):
    """A conversation cannot be read, or holds nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """What people said in a thread; `is_cut` where there is more than is ever read."""

    channel: str
    thread: str
    said: tuple[Said, ...]
    is_cut: bool = False

    @property
    def latest(self) -> str:
        """Return the timestamp of the newest message."""
        return self.said[-1].ts if self.said else self.thread

    @property
    def people(self) -> int:
        """Return how many took part."""
        return len({one.author for one in self.said})


class ThreadReader:
    """Reads threads under one token. Safe to share between threads."""

    def __init__(self, client: SlackClient, directory: Directory) -> None:
        self._client = client
        self._directory = directory

    def read(self, channel: str, thread: str, *, latest: str = "") -> Conversation:
        """Return what was said in a thread, up to `latest` where it is given.

        Our own messages are left out: they say what the trail says better.

        Raises:
            UnreadableThreadError: the bot is not there, or the thread is gone.
            SlackError: Slack did not answer, or wants us to wait.
        """
        try:
            found = list(islice(self._client.messages(channel, thread=thread), MOST_READ + 1))
        except (RefusedError, UnreadyError) as error:
            raise _unreadable(error) from error
        kept = [one for one in found[:MOST_READ] if not latest or _at(one) <= float(latest)]
        said = tuple(self._said(kept))
        return Conversation(
            channel=channel, thread=thread, said=said, is_cut=len(found) > MOST_READ
        )

    def name_of(self, user: str) -> str:
        """Return what somebody is called, nothing where Slack does not say."""
        return self._name(user, {})

    def _said(self, messages: list[Mapping[str, Any]]) -> Iterator[Said]:
        names: dict[str, str] = {}
        for one in messages:
            text = words_of_message(one, lambda user: self._name(user, names))
            if text and not _is_ours(one):
                yield Said(
                    ts=str(one["ts"]),
                    author=self._author(one, names),
                    text=text,
                    reactions=sum(int(each.get("count", 0)) for each in one.get("reactions") or ()),
                )

    def _author(self, message: Mapping[str, Any], names: dict[str, str]) -> str:
        profile = message.get("bot_profile") or {}
        named = str(message.get("username") or profile.get("name") or "")
        user = str(message.get("user") or "")
        return named or (self._name(user, names) if user else "") or user or "somebody"

    def _name(self, user: str, names: dict[str, str]) -> str:
        if user not in names and len(names) < MOST_NAMED:
            names[user] = ""
            with suppress(PeopleUnreadableError):
                names[user] = self._directory.find_person(user).person.name
        return names.get(user, "")


def _is_ours(message: Mapping[str, Any]) -> bool:
    return (message.get("metadata") or {}).get("event_type") == EVENT_TYPE


def _at(message: Mapping[str, Any]) -> float:
    return float(message["ts"])


def _unreadable(error: SlackError) -> Exception:
    if error.code in NOT_HERE:
        return UnreadableThreadError(
            "I am not in this channel, so I cannot read it.",
            hint="Invite me here, then ask once more.",
        )
    if isinstance(error, RefusedError):
        return UnreadableThreadError("This thread is not there any more.")
    return error


def words_about(error: SlackError) -> InterlockError:
    """Return the refusal for a thread that could not be read just now."""
    if isinstance(error, RateLimitedError):
        return UnreadableThreadError("Slack asks me to wait.", hint="Try again in a minute.")
    return UnreadableThreadError(
        f"Slack could not be asked just now ({error.code}).", hint="Try again in a moment."
    )
