"""Refusals as private replies: what happened, and what would help.

Only refusals (`InterlockError`) are shown; anything else is a defect, which the listener lets
pass so that it is logged with its trace. That the database could be the reason is logged as well:
whoever is refused can seldom mend it, and whoever can is not there.
"""

import logging
from collections.abc import Iterator

from bot.wording import bold, escape, link, one_line
from workflows.errors import (
    GateError,
    HeldElsewhereError,
    InputsError,
    InterlockError,
    NotAllowedError,
    NotEligibleError,
    PeopleUnreadableError,
    RequestClosedError,
    StaleRequestError,
    StorageError,
    StorageUnavailableError,
    UnknownRunError,
    UnknownWorkflowError,
)

log = logging.getLogger(__name__)

_MESSAGE, _HINT, _FIELDS, _FIELD = 600, 600, 10, 150

# What helps, where the refusal itself does not say. The first kind that fits counts.
_HINTS: tuple[tuple[type[InterlockError], str], ...] = (
    (PeopleUnreadableError, "Nothing was decided. Try again in a minute."),
    (RequestClosedError, "The card shows what came of it."),
    (StaleRequestError, "Decide on the newest card in the thread."),
    (NotEligibleError, "The card names who may decide."),
    (GateError, "Ask whoever answers for the workflow."),
    (NotAllowedError, "Ask whoever answers for the workflow."),
    (UnknownWorkflowError, "See what there is with “workflows”."),
    (UnknownRunError, "See what there is with “runs”."),
    (HeldElsewhereError, "Tell an operator: another process serves this database."),
    (StorageError, "Nothing was recorded, so nothing happened. Try again in a moment."),
)
_SIGNS: tuple[tuple[type[InterlockError], str], ...] = (
    (StorageError, "🛠️"),
    (PeopleUnreadableError, "🛠️"),
    (GateError, "✋"),
    (NotAllowedError, "✋"),
)


class NewerCardError(StaleRequestError):
    """A click on what has been changed since; `address` is that of the card that counts now."""

    def __init__(self, stale: StaleRequestError, address: str) -> None:
        hint = "Nothing was changed by your click."
        super().__init__(stale.message, next_request=stale.next_request, hint=hint)
        self.address = address


def refusal(error: InterlockError) -> str:
    """Return the reply, as mrkdwn of at most 3,000 characters."""
    _note(error)
    sign = next((sign for kind, sign in _SIGNS if isinstance(error, kind)), "⚠️")
    if isinstance(error, InputsError):
        return "\n".join([f"{sign} These values do not fit:", *_fields(error)])
    told = escape(one_line(error.message), _MESSAGE)
    there = link(error.address, "See the newer card.") if isinstance(error, NewerCardError) else ""
    return f"{sign} {told} {escape(one_line(_hint(error)), _HINT)} {there}".rstrip()


def refusal_words(error: InterlockError) -> str:
    """Return what happened and what would help as plain text."""
    _note(error)
    return f"{one_line(error.message)} {one_line(_hint(error))}".rstrip()


def _note(error: InterlockError) -> None:
    if isinstance(error, StorageUnavailableError):
        log.warning("people were refused, since nothing could be recorded", exc_info=error)


def _hint(error: InterlockError) -> str:
    known = (hint for kind, hint in _HINTS if isinstance(error, kind))
    return error.hint or next(known, "")


def _fields(error: InputsError) -> Iterator[str]:
    shown = list(error.fields.items())[:_FIELDS]
    for name, why in shown:
        yield f"• {bold(name, 60)} {escape(one_line(why), _FIELD)}"
    more = len(error.fields) - len(shown)
    if more:
        yield f"… and {more} more"
    yield escape(error.hint, _HINT)


def gave_up() -> str:
    """Return the reply to a command that arrived too late to start anything."""
    return (
        "⌛ Slack gave up on this before it arrived here, so nothing was started."
        " Type it once more."
    )


def from_older_version() -> str:
    """Return the reply to a click on something this release no longer knows."""
    return "🕰️ This message is from an older version. See the run's thread for where it stands."
