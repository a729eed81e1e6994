"""Where a message goes: a channel by name or id, or a person, as ids that Slack takes.

Answers are kept for the life of the process: Slack never gives an id to something else.
"""

import re
from collections.abc import Callable

from bot.pacing import Pacer
from bot.slack_client import SlackClient
from bot.slack_errors import RefusedError

_CHANNEL = re.compile(r"[CDG][A-Z0-9]{2,}")
_PERSON = re.compile(r"(?:slack:[A-Z0-9]+:)?([UW][A-Z0-9]{2,})")


class Addresses:
    """Finds channel ids. Safe to share between threads: at worst two ask the same."""

    def __init__(self, client: SlackClient, pacer: Pacer) -> None:
        self._client = client
        self._pacer = pacer
        self._directs: dict[str, str] = {}
        self._named: dict[str, str] = {}

    def postable(self, channel: str) -> str:
        """Return what `chat.postMessage` takes for `channel`, a name, an id or a person.

        Raises:
            SlackError: the conversation with that person cannot be opened now, or at all.
        """
        if person := _PERSON.fullmatch(channel):
            return self._direct(person[1])
        if _CHANNEL.fullmatch(channel):
            return channel
        name = channel.removeprefix("#")
        return self._named.get(name, f"#{name}")

    def remember(self, channel: str, found: str) -> None:
        """Note which id Slack used for a channel that was named."""
        if channel != found and not _PERSON.fullmatch(channel):
            self._named[channel.removeprefix("#")] = found

    def readable(self, postable: str, *, left: Callable[[], float | None] = lambda: None) -> str:
        """Return the id of a channel that may be named; only reading needs it.

        `left` says how long Slack may still be asked, and raises once that is over.

        Raises:
            SlackError: it could not be looked up, or there is none (`channel_not_found`).
        """
        if not postable.startswith("#"):
            return postable
        name = postable.removeprefix("#")
        pages = self._client.channels(timeout=left())
        while name not in self._named:
            left()
            self._pacer.take("conversations.list")
            page = next(pages, None)
            if page is None:
                raise RefusedError("conversations.list", "channel_not_found")
            self._named |= {str(one["name"]): str(one["id"]) for one in page}
        return self._named[name]

    def _direct(self, user: str) -> str:
        if user not in self._directs:
            self._pacer.take("conversations.open")
            self._directs[user] = self._client.open_direct(user)
        return self._directs[user]
