"""Has a C2SP witness cosign heads: it sees every head grow from the one before (tlog-witness)."""

import base64
import re
from dataclasses import dataclass

from bot.anchors.calling import OK, AnchorError, Answer, post
from bot.anchors.outsiders import Vouched, refuse_other_time
from storage.anchors import Evidence, newest_of_each
from storage.checkpoint import MalformedNoteError, read_note
from storage.cosignature import WitnessKey
from storage.database import Database
from storage.heads import Head
from storage.journal import utc_now
from storage.proofs import StoredHashes, consistency
from storage.sequencing import Now

CONFLICT = 409
SIZE = re.compile(rb"(0|[1-9][0-9]{0,18})\n?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigner:
    """The witness at `url`, which signs with `key`."""

    url: str
    key: WitnessKey
    database: Database
    now: Now = utc_now
    name: str = "witness"

    def vouch(self, head: Head) -> Vouched:
        """Return its line under the head, once it has seen that nothing before was changed."""
        old = self._last()
        answer = self._add(head, old)
        if answer.status == CONFLICT:
            answer = self._add(head, self._theirs(answer, head, told=old))
        if answer.status != OK:
            raise AnchorError(f"The witness refuses the head ({answer.status}): {answer.words}")
        return self._vouched(head, answer)

    def _last(self) -> int:
        with self.database.read() as connection:
            found = [one for one in newest_of_each(connection) if one.type == self.name]
        return found[0].size if found else 0

    def _add(self, head: Head, old: int) -> Answer:
        with self.database.read() as connection:
            proof = consistency(StoredHashes(connection), old, head.size) if old else []
        hashes = "".join(f"{base64.b64encode(one).decode()}\n" for one in proof)
        body = f"old {old}\n{hashes}\n{head.note}".encode()
        return post(f"{self.url}/add-checkpoint", body, {"Content-Type": "text/plain"})

    @staticmethod
    def _theirs(answer: Answer, head: Head, *, told: int) -> int:
        """Return the size that the witness saw last.

        Raises:
            AnchorError: it saw more than this log has, or another log of that size.
        """
        match = SIZE.fullmatch(answer.body)
        if match is None:
            raise AnchorError(f"The witness refuses the head ({CONFLICT}): {answer.words}")
        size = int(match[1])
        if size > head.size:
            raise AnchorError(
                f"The witness has seen a head of {size} entries, and this log has {head.size}: it"
                " is an older copy."
            )
        if size == told:
            raise AnchorError(f"The witness has seen another log at {size} entries.")
        return size

    def _vouched(self, head: Head, answer: Answer) -> Vouched:
        try:
            note = read_note(head.note + answer.body.decode())
        except (MalformedNoteError, UnicodeDecodeError) as error:
            raise AnchorError("The witness gave something else than signature lines.") from error
        for line in reversed(note.lines):  # Under a head that it saw twice, its newest line.
            seen_at = self.key.seen_at(note, line) if self.key.is_of(line) else None
            if seen_at is not None:
                refuse_other_time(seen_at, now=self.now(), whose="the witness")
                content = f"{head.note}{line}".encode()
                evidence = Evidence(type=self.name, ref=self.key.name, content=content, at=seen_at)
                return Vouched(evidence=evidence, lines=str(line))
        raise AnchorError(f"The witness gave no good line of the key {self.key.name}.")
