"""What listeners hand on to, apart from decisions: each part is imported with its first use.

A bot that waits holds none of them. The first to ask for one waits some hundredths of a second
longer; who decides on a card never does.
"""

import importlib
from typing import TYPE_CHECKING, cast

from bot.desk import Desk
from bot.later import Later

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
        self.answering = cast("Answering", _later(desk, "bot.answering", "Answering"))
        self.batches = cast(
            "DecidingBatches", _later(desk, "bot.deciding_batches", "DecidingBatches")
        )
        self.breaking = cast("BreakingGlass", _later(desk, "bot.breaking", "BreakingGlass"))
        self.commands = cast("Commands", _later(desk, "bot.commands", "Commands"))
        self.delegating = cast("Delegating", _later(desk, "bot.delegating", "Delegating"))
        self.moving_runs = cast("MovingRuns", _later(desk, "bot.moving_runs", "MovingRuns"))
        self.replies = cast("DigestReplies", _later(desk, "bot.digest_replies", "DigestReplies"))
        self.scheduling = cast("Scheduling", _later(desk, "bot.scheduling", "Scheduling"))
        self.shortcuts = cast("Shortcuts", _later(desk, "bot.shortcuts", "Shortcuts"))
        self.starting = cast("Starting", _later(desk, "bot.starting", "Starting"))
        self.suggesting = cast("Suggesting", _later(desk, "bot.suggesting", "Suggesting"))
        self.threads = cast("Threads", _later(desk, "bot.threads", "Threads"))


def _later(desk: Desk, module: str, name: str) -> Later:
    return Later(lambda: getattr(importlib.import_module(module), name)(desk=desk))
