"""Lets in what arrives for one workspace: the last of its parts to start, the first to stop."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from starlette.routing import BaseRoute, Router

from bot.app import Bot
from bot.doors import programs_of
from workflows.errors import InterlockError

LEAVE_SECONDS = 3.0


class NotServedError(InterlockError):
    """A workspace that is installed, and for which nothing can be done just now."""


class Door:
    """The way to one bot. `entered` holds it open for what has come in, for three seconds.

    `app` takes up what Slack delivers, `routes` are for programs, `watched` for those who watch.
    """

    def __init__(self, bot: Bot, *, opened: Callable[[], None]) -> None:
        self.bot = bot
        self._told = opened
        self._programs = programs_of(bot.core)
        self.routes = Router(routes=list(self._programs.routes), redirect_slashes=False)
        self._watching = bot.watching
        self.watched = Router(routes=self._watched_routes(), redirect_slashes=False)
        self.app = bot.app if self._watching is None else self._watching.timed(bot.app)
        self._is_open = False
        self._inside = 0
        self._changed = threading.Condition()

    @property
    def is_open(self) -> bool:
        """Whether what arrives is let in."""
        return self._is_open

    def _watched_routes(self) -> Sequence[BaseRoute]:
        if self._watching is None:
            return ()
        return self._watching.routes(self.bot.core.settings.metrics)

    def start(self) -> None:
        """Let in what arrives."""
        with self._changed:
            self._is_open = True
        self._told()

    def stop(self) -> None:
        """Let nothing in any more, and wait a moment for what is inside."""
        with self._changed:
            self._is_open = False
            self._programs.polls.close()
            self._changed.wait_for(lambda: not self._inside, LEAVE_SECONDS)

    @contextmanager
    def entered(self) -> Iterator["Door"]:
        """Give what arrives a place inside.

        Raises:
            NotServedError: the door is closed.
        """
        with self._changed:
            if not self._is_open:
                raise closed()
            self._inside += 1
        try:
            yield self
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()


def closed() -> NotServedError:
    """Return the refusal of a workspace that is not served just now."""
    return NotServedError(
        "I am not at work for this workspace just now; nothing was done.",
        hint="Try again in a minute. If it stays so, tell whoever runs me.",
    )
