"""The form of every order: closed, so that another release's order is refused and not misread."""

from pydantic import BaseModel, ConfigDict

from workflows.errors import InterlockError


class OrderError(InterlockError):
    """An order cannot be read, or its answer cannot."""


class OrderForm(BaseModel):
    """Base of what may be asked of the bot beside Slack."""

    model_config = ConfigDict(extra="forbid", frozen=True)
