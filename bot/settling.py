"""Clicks of owner and deputy: what became of an effect in doubt, how an exception goes on."""

from dataclasses import dataclass

from bot.desk import Desk
from bot.payloads import Interaction, UnreadablePayloadError
from workflows.actions.base import Happened
from workflows.message_keys import CardName, read_answer_value


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """The listeners' part in doubts and exceptions."""

    desk: Desk

    def doubt(self, click: Interaction, happened: Happened) -> None:
        """Record what a person found out about an effect."""
        about, caller = card_of(click.press.said), click.caller
        self.desk.engine.settle_doubt(
            about.run,
            about.step,
            person=caller.person,
            happened=happened,
            asked_by=about.entry,
            delivery=caller.delivery,
        )

    def exception(self, click: Interaction, answer: str) -> None:
        """Record how a person wants the run to go on: retry, skip, abort or undo."""
        about, caller = card_of(click.press.said), click.caller
        self.desk.engine.settle_exception(
            about.run,
            about.step,
            person=caller.person,
            answer=answer,
            asked_by=about.entry,
            delivery=caller.delivery,
        )


def card_of(value: str) -> CardName:
    """Return which card the button of that value stands on.

    Raises:
        UnreadablePayloadError: it does not say.
    """
    named = read_answer_value(value)
    # Where only the end of a run is left, its card is about no step.
    if not named.run or not (named.step or named.entry):
        raise UnreadablePayloadError("This button does not say what it is about.")
    return named
