"""What can go wrong in the sandbox: a refused call, and a gesture no person could make."""

from collections.abc import Mapping, Sequence
from typing import Any


class SlackError(Exception):
    """A call that Slack answers with `ok: false`."""

    def __init__(
        self, error: str, messages: Sequence[str] = (), *, extra: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(error, *messages)
        self.error = error
        self.messages = list(messages)
        self.extra = dict(extra or {})

    def body(self) -> dict[str, Any]:
        """Build the answer that the caller reads."""
        answer: dict[str, Any] = {"ok": False, "error": self.error, **self.extra}
        if self.messages:
            answer["errors"] = [one.removeprefix("[ERROR] ") for one in self.messages]
            answer["response_metadata"] = {"messages": self.messages}
        return answer


class NotPossibleError(Exception):
    """A gesture that a person in front of a real Slack client could not make.

    `fields` holds what the form says beside each field when a submission is held back.
    """

    def __init__(self, why: str, *, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(why)
        self.fields = dict(fields or {})


class PortError(Exception):
    """Nothing can listen at the port that was asked for; the message says why."""


class WaitTimeoutError(AssertionError):
    """What a test waited for did not happen in time."""
