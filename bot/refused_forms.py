"""What becomes of a form whose submission was refused.

Where sending it again may help it stays, with what was typed into it: a submission of the same
form starts or decides once, however often it is sent.
"""

from collections.abc import Mapping
from typing import Any

from bot import limits
from bot.arrival import TooLateError
from bot.hurried import PlacesUnreadableError
from bot.refusals import refusal, refusal_words
from bot.views.request_modals import refused_modal
from bot.wording import clip
from workflows.errors import InterlockError, PeopleUnreadableError, StorageUnavailableError

PASSING = (TooLateError, PeopleUnreadableError, PlacesUnreadableError, StorageUnavailableError)


def refused_form(body: Mapping[str, Any], refused: InterlockError) -> Mapping[str, Any]:
    """Return the answer: the reason at the form's first field, or in the place of the form."""
    first = _first_input(body)
    if first is not None and isinstance(refused, PASSING):
        told = clip(refusal_words(refused), limits.HINT)
        return {"response_action": "errors", "errors": {first: told}}
    return {"response_action": "update", "view": refused_modal(refusal(refused)).to_dict()}


def _first_input(body: Mapping[str, Any]) -> str | None:
    """Return the block of the first field; only at fields does Slack show errors."""
    blocks = body["view"].get("blocks", ())
    return next((str(one["block_id"]) for one in blocks if one["type"] == "input"), None)
