"""Has a time stamp authority (RFC 3161) state that a head existed."""

import secrets
from dataclasses import dataclass

from bot.anchors.calling import OK, AnchorError, post
from bot.anchors.outsiders import Vouched, refuse_other_time
from storage.anchors import Evidence
from storage.der import MalformedDerError
from storage.heads import Head
from storage.journal import utc_now
from storage.sequencing import Now
from storage.timestamps import TimeStamp, read_stamp, request_for

ASKED = "application/timestamp-query"
NONCE_BITS = 64
MOST_SERIAL_BITS = 512  # RFC 3161 has 160; an entry has to hold it.


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """The authority at `url`."""

    url: str
    now: Now = utc_now
    name: str = "rfc3161"

    def vouch(self, head: Head) -> Vouched:
        """Return its token, if it is for this head and this question."""
        nonce = secrets.randbits(NONCE_BITS)
        answer = post(self.url, request_for(head.note, nonce=nonce), {"Content-Type": ASKED})
        if answer.status != OK:
            raise AnchorError(f"The time stamp authority answers {answer.status}: {answer.words}")
        stamp = _read(answer.body)
        if not stamp.covers(head.note) or stamp.nonce != nonce:
            raise AnchorError("The time stamp is for something else than was asked.")
        refuse_other_time(stamp.at, now=self.now(), whose="the time stamp authority")
        if stamp.serial.bit_length() > MOST_SERIAL_BITS:
            raise AnchorError("The time stamp has a number that is longer than any.")
        evidence = Evidence(
            type=self.name, ref=f"{stamp.serial:x}", content=answer.body, at=stamp.at
        )
        return Vouched(evidence=evidence)


def _read(answer: bytes) -> TimeStamp:
    try:
        return read_stamp(answer)
    except MalformedDerError as error:
        raise AnchorError(f"The time stamp cannot be used: {error}") from error
