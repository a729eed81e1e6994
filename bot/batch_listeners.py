"""Which buttons and modals of batches are whose, for `listeners` to bind."""

from collections.abc import Callable, Mapping
from typing import Any

from bot.handlers import Handlers
from bot.payloads import Interaction
from bot.views import batch_card, batch_modals


def batch_clicks(on: Handlers) -> Mapping[str, Callable[[Interaction], None]]:
    """Return what each button does."""
    return {
        batch_card.APPROVE_ALL: on.batches.approve,
        batch_card.DECIDE_EACH: on.batches.decide,
        batch_card.REJECT_ALL: on.batches.reject,
        batch_card.REVIEW_ALL: on.batches.review,
        batch_card.TAKE_ALL_BACK: on.batches.take_back,
        batch_modals.TURN_PAGE: on.batches.turn_page,
        batch_modals.TURN_BACK: on.batches.turn_page,
    }


def batch_forms(
    on: Handlers,
) -> Mapping[str, Callable[[Interaction, Mapping[str, Any]], Mapping[str, Any]]]:
    """Return what each modal does when it is sent."""
    return {
        batch_modals.APPROVE_FORM: on.batches.approve_by_modal,
        batch_modals.REVIEW_FORM: on.batches.approve_by_modal,
        batch_modals.REJECT_FORM: on.batches.reject_by_modal,
        batch_modals.DECIDE_FORM: on.batches.decide_by_modal,
    }
