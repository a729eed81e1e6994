"""One request over HTTP to whoever vouches for a head, and what may go wrong with it."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO
from urllib.parse import urlsplit

from bot.slack_client import tls_for
from workflows.errors import InterlockError

SECONDS = 15.0
MOST_BYTES = 1 << 18
OK = 200


class AnchorError(InterlockError):
    """Whoever was asked to vouch for a head did not; the next try may go better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back, whatever the status says."""

    status: int
    body: bytes

    @property
    def words(self) -> str:
        """Return the beginning of the answer, for a message to operators."""
        return " ".join(self.body[:200].decode(errors="replace").split())


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_asked: object, **_more: object) -> None:
        """Follow none: a redirected POST would become a GET, and go to somebody else."""


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send `body` and return the answer.

    Raises:
        AnchorError: nobody answered, or with more than such an answer can hold.
    """
    request = urllib.request.Request(url, data=body, headers=dict(headers), method="POST")  # noqa: S310  the settings take http and https alone
    handlers = [_NoRedirects(), urllib.request.HTTPSHandler(context=tls_for(url))]
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=SECONDS) as answer:
            return _read(answer.status, answer)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return _read(refusal.code, refusal)
    except (OSError, http.client.HTTPException) as error:
        cause = getattr(error, "reason", None) or error
        raise AnchorError(f"{urlsplit(url).hostname} did not answer: {cause}.") from error


def _read(status: int, answer: IO[bytes]) -> Answer:
    body = answer.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise AnchorError("The answer is longer than any such answer.")
    return Answer(status=status, body=body)
