"""The form of every order: closed, so that another release's order is refused and not misread."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from workflows.errors import InterlockError


class OrderError(InterlockError):
    """An order cannot be read, or its answer cannot."""


Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=3000)]


class OrderForm(BaseModel):
    """Base of what may be asked of the bot beside Slack."""

    model_config = ConfigDict(extra="forbid", frozen=True)
