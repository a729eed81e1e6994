"""The second key: signs anchored heads after their commit, beside the key that signs them all.

Whoever steals the key in the home can sign heads, but not with both lines.
"""

from dataclasses import dataclass

from bot.anchors.calling import AnchorError
from bot.settings import Settings
from storage.anchors import anchored_notes
from storage.checkpoint import Signer, read_note, read_vkey, signature_line
from storage.enrolment import read_keys
from storage.heads import Head, add_lines
from storage.sequencing import Now
from storage.transaction import Database

NAME = "second key"


def second_signer(settings: Settings, *, origin: str, now: Now) -> Signer | None:
    """Return the key that the settings name, None if they name none."""
    if not settings.kms_key:
        return None
    from bot.anchors.kms import KmsSigner  # noqa: PLC0415 - most bots have no such key.
    from bot.aws import kms_of  # noqa: PLC0415 - as above.

    return KmsSigner(origin=origin, key=settings.kms_key, kms=kms_of(settings, now=now))


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondKey:
    """Signs what lacks its line. It is asked outside of transactions."""

    signer: Signer
    database: Database

    def sign(self, head: Head | None) -> None:
        """Put its line under `head`, which is kept, and under anchored heads that lack it.

        Raises:
            AnchorError: it cannot be asked, or is no key of this log (any more).
        """
        key = read_vkey(self.signer.vkey)
        with self.database.read() as connection:
            notes = dict(anchored_notes(connection))
            known = read_keys(connection).known.get(key.id)
        if known is None or known.ended_at is not None:
            raise AnchorError(
                f"The log {'does not know' if known is None else 'has ended'} the second key"
                f" {key.id}.",
                hint="`interlock keys second` brings it in.",
            )
        if head is not None:
            notes[head.size] = head.note
        for size, text in sorted(notes.items(), reverse=True):
            note = read_note(text)
            if any((line.name, line.note_id) == (key.name, key.note_id) for line in note.lines):
                continue
            line = signature_line(key, self.signer.sign(note.checkpoint.text.encode()))
            with self.database.begin() as tx:
                add_lines(tx, size, line)
