"""Clicks of owner and deputy: what became of an effect in doubt, how an exception goes on."""

from dataclasses import dataclass

from bot.desk import Desk
from bot.payloads import Interaction, UnreadablePayloadError
from workflows.actions.base import Happened
from workflows.entry import RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """The listeners' part in doubts and exceptions."""

    desk: Desk

    def doubt(self, click: Interaction, happened: Happened) -> None:
        """Record what a person found out about an effect."""
        run, step = _named(click.press.said)
        caller = click.caller
        self.desk.engine.settle_doubt(
            run, step, person=caller.person, happened=happened, delivery=caller.delivery
        )

    def exception(self, click: Interaction, answer: str) -> None:
        """Record how a person wants the run to go on: retry, skip or abort."""
        run, step = _named(click.press.said)
        caller = click.caller
        self.desk.engine.settle_exception(
            run, step, person=caller.person, answer=answer, delivery=caller.delivery
        )


def _named(value: str) -> tuple[RunId, str]:
    run, slash, step = value.partition("/")
    if not run or not slash or not step:
        raise UnreadablePayloadError("This button does not say what it is about.")
    return RunId(run), step
