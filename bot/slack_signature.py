"""Which requests over HTTP are Slack's: told by their signature, before anything reads them.

Bolt looks at signatures too, but only once it has read the body, and ends with an error where a
header is none that Slack would send. Whoever is told of errors would believe what stands there.
"""

import re
from collections.abc import Mapping

from slack_sdk.signature import SignatureVerifier

STAMP, SIGNATURE = "x-slack-request-timestamp", "x-slack-signature"
_SECONDS = re.compile(r"[0-9]{1,12}")
_MAC = re.compile(r"v0=[0-9a-f]{64}")
_LOOKS = b"ssl_check=1"  # Slack's look at a certificate, which is not signed and asks for nothing.


class SlackSignature:
    """Knows Slack's requests by the secret that it signs them with."""

    def __init__(self, secret: str) -> None:
        self._verifier = SignatureVerifier(secret) if secret else None

    def is_on(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Say whether Slack signed a request in the last few minutes; never, without a secret."""
        if self._verifier is None:
            return False
        stamp, mac = headers.get(STAMP, ""), headers.get(SIGNATURE, "")
        if not _SECONDS.fullmatch(stamp) or not _MAC.fullmatch(mac) or not _is_text(body):
            return False
        return self._verifier.is_valid(body, stamp, mac)


def only_looks(body: bytes) -> bool:
    """Say whether a request only asks whether somebody is there."""
    return _LOOKS in body.split(b"&")


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
