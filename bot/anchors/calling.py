"""One request to whoever vouches for a head, and what may go wrong with it."""

from collections.abc import Mapping

from bot.calling import OK, SECONDS, Answer, CallError, call
from workflows.errors import InterlockError

__all__ = ["OK", "SECONDS", "AnchorError", "Answer", "post"]


class AnchorError(InterlockError):
    """Whoever was asked to vouch for a head did not; the next try may go better."""


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send `body` and return the answer.

    Raises:
        AnchorError: nobody answered, or with more than such an answer can hold.
    """
    try:
        return call(url, headers, body)
    except CallError as error:
        raise AnchorError(error.message) from error
