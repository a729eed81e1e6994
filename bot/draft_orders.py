"""Asking the language model for the words of a draft: the order of `interlock adopt`."""

import hashlib
from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from bot.core import Core
from bot.model_summaries import OutsideRuns
from bot.order_form import OrderForm
from workflows.entry import Json
from workflows.model.port import Question
from workflows.people import PersonId

TIMEOUT, TOKENS = 25.0, 2_000  # Whoever serves has to answer within half a minute.


class DraftOrder(OrderForm):
    """Have the model say how a draft and its parts could be called."""

    do: Literal["draft"] = "draft"
    prompt: str = Field(max_length=20_000)


def draft_by_order(core: Core, order: DraftOrder, _person: PersonId) -> Mapping[str, Json]:
    """Return what the model answered, and which one it is; an answer that was cut off is none.

    Raises:
        ActionError: there is no answer.
        StorageError: it could not be recorded, so it was not asked.
    """
    # Only drafts need it, and it brings what reads scripts.
    from workflows.adopting.proposed import SYSTEM  # noqa: PLC0415

    asked = Question(system=SYSTEM, prompt=order.prompt, max_tokens=TOKENS, timeout=TIMEOUT)
    template = hashlib.sha256(SYSTEM.encode()).hexdigest()
    journal = OutsideRuns(core.store)
    reply = core.desk.ask(asked, journal, purpose="draft", template=template, about="draft")
    words = "" if reply.is_cut else reply.text
    return {"ok": True, "model": core.desk.name, "words": words}
