"""Which buttons and modals of batches are whose, for `listeners` to bind."""

from collections.abc import Callable, Mapping
from typing import Any

from bot.deciding_batches import DecidingBatches
from bot.desk import Desk
from bot.payloads import Interaction
from bot.views import batch_card, batch_modals


def batch_clicks(desk: Desk) -> Mapping[str, Callable[[Interaction], None]]:
    """Return what each button does."""
    batches = DecidingBatches(desk=desk)
    return {
        batch_card.APPROVE_ALL: batches.approve,
        batch_card.DECIDE_EACH: batches.decide,
        batch_card.REJECT_ALL: batches.reject,
        batch_card.REVIEW_ALL: batches.review,
        batch_modals.TURN_PAGE: batches.turn_page,
        batch_modals.TURN_BACK: batches.turn_page,
    }


def batch_forms(
    desk: Desk,
) -> Mapping[str, Callable[[Interaction, Mapping[str, Any]], Mapping[str, Any]]]:
    """Return what each modal does when it is sent."""
    batches = DecidingBatches(desk=desk)
    return {
        batch_modals.APPROVE_FORM: batches.approve_by_modal,
        batch_modals.REVIEW_FORM: batches.approve_by_modal,
        batch_modals.REJECT_FORM: batches.reject_by_modal,
        batch_modals.DECIDE_FORM: batches.decide_by_modal,
    }
