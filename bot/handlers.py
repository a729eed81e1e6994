"""What listeners hand on to, apart from decisions: each part is imported with its first use.

A bot that waits holds none of them. The first to ask for one waits some hundredths of a second
longer; who decides on a card never does.
"""

import importlib
from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, cast

from bot.desk import Desk

if TYPE_CHECKING:
    from bot.answering import Answering
    from bot.breaking import BreakingGlass
    from bot.commands import Commands
    from bot.deciding_batches import DecidingBatches
    from bot.delegating import Delegating
    from bot.digest_replies import DigestReplies
    from bot.moving_runs import MovingRuns
    from bot.scheduling import Scheduling
    from bot.shortcuts import Shortcuts
    from bot.starting import Starting
    from bot.suggesting import Suggesting
    from bot.threads import Threads


class Handlers:
    """The parts behind one app's listeners."""

    def __init__(self, desk: Desk) -> None:
        self.answering = cast("Answering", Later(desk, "bot.answering", "Answering"))
        self.batches = cast(
            "DecidingBatches", Later(desk, "bot.deciding_batches", "DecidingBatches")
        )
        self.breaking = cast("BreakingGlass", Later(desk, "bot.breaking", "BreakingGlass"))
        self.commands = cast("Commands", Later(desk, "bot.commands", "Commands"))
        self.delegating = cast("Delegating", Later(desk, "bot.delegating", "Delegating"))
        self.moving_runs = cast("MovingRuns", Later(desk, "bot.moving_runs", "MovingRuns"))
        self.replies = cast("DigestReplies", Later(desk, "bot.digest_replies", "DigestReplies"))
        self.scheduling = cast("Scheduling", Later(desk, "bot.scheduling", "Scheduling"))
        self.shortcuts = cast("Shortcuts", Later(desk, "bot.shortcuts", "Shortcuts"))
        self.starting = cast("Starting", Later(desk, "bot.starting", "Starting"))
        self.suggesting = cast("Suggesting", Later(desk, "bot.suggesting", "Suggesting"))
        self.threads = cast("Threads", Later(desk, "bot.threads", "Threads"))


class Later:
    """Stands for a part: it has each method of it, and makes it when the first is called."""

    def __init__(self, desk: Desk, module: str, name: str) -> None:
        self._desk = desk
        self._module = module
        self._name = name

    def __getattr__(self, method: str) -> Callable[..., Any]:
        return partial(self._call, method)

    @cached_property
    def made(self) -> object:
        """Return the part."""
        return getattr(importlib.import_module(self._module), self._name)(desk=self._desk)

    def _call(self, method: str, *given: object, **named: object) -> object:
        return getattr(self.made, method)(*given, **named)
