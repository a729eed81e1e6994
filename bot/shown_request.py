"""What a button or a modal around a request carries."""

from dataclasses import dataclass

from bot.payloads import UnreadablePayloadError
from workflows.entry import RequestId


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a button or a modal carries: a request, and the head of what it asks about."""

    request: RequestId
    digest: str

    @classmethod
    def read(cls, value: str) -> "Shown":
        """Return what `value` names.

        Raises:
            UnreadablePayloadError: it is none of ours.
        """
        request, dot, digest = value.partition(".")
        if not request or not dot or not digest:
            raise UnreadablePayloadError("This button does not say what it is about.")
        return cls(request=RequestId(request), digest=digest)
