"""Passes 2 and 3: do the notes tell the roots that the entries give, and who signed them?"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from storage.checkpoint import (
    BadSignatureError,
    MalformedNoteError,
    Note,
    SignatureLine,
    VerifierKey,
    read_note,
)
from storage.verify.keyring import KeyRing, LogKeyState
from storage.verify.report import Report
from storage.verify.source import StoredHead

SLACK_LINK = re.compile(r"<[^|<>\n]+\|([^<>\n]+)>")
FENCE = "```"
QUOTED = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))  # All that Slack quotes.


@dataclass(frozen=True, slots=True)
class Judged:
    """A note with the words under which people know it."""

    name: str
    note: Note
    is_given: bool

    @property
    def size(self) -> int:
        """The size of the log that it speaks of."""
        return self.note.checkpoint.size


def read_notes(heads: Sequence[StoredHead], given: Sequence[str], report: Report) -> list[Judged]:
    """Return the stored and the given notes, smallest first; unreadable ones are failures."""
    found = [_read(one.note, f"The stored note at {one.size}", report) for one in heads]
    for head, judged in zip(heads, found, strict=True):
        if judged is not None and judged.size != head.size:
            report.fail("checkpoint-malformed", f"The note at {head.size} is for {judged.size}.")
    found += [
        _read(unpasted(text), f"The given note {number}", report, is_given=True)
        for number, text in enumerate(given, start=1)
    ]
    return sorted((one for one in found if one is not None), key=lambda one: one.size)


def unpasted(text: str) -> str:
    """Return a note as it was before Slack turned names into links and quoted signs.

    What `interlock audit head` prints has the key below the note.
    """
    plain = SLACK_LINK.sub(r"\1", text.replace("\r\n", "\n"))
    for quoted, sign in QUOTED:
        plain = plain.replace(quoted, sign)
    return plain.replace(FENCE, "").partition("\nvkey ")[0].strip("\n ") + "\n"


def judge_roots(
    notes: Iterable[Judged], roots: Mapping[int, bytes], size: int, report: Report
) -> None:
    """Compare each note with the root that the entries give at its size."""
    for one in notes:
        if one.size > size:
            report.fail("truncated", f"{one.name} covers {one.size} entries; {size} are here.")
        elif one.note.checkpoint.root != roots[one.size]:
            report.fail("root-mismatch", f"{one.name} has another root than its entries.")


def judge_signatures(
    notes: Sequence[Judged], ring: KeyRing, pins: Sequence[VerifierKey], report: Report
) -> set[int]:
    """Check who signed the notes; return the sizes of those that count."""
    trusted = _learn_trust(notes, ring, pins)
    known = {(key.name, key.note_id): key for key in pins}
    known |= {(state.key.name, state.key.note_id): state.key for state in ring.log_keys}
    return {
        one.size for one in notes if _counts(one, ring, known=known, trusted=trusted, report=report)
    }


def judge_kept(notes: Sequence[Judged], report: Report) -> None:
    """Doubt a given note that the log does not list among those it kept."""
    listed = {one.note.checkpoint for one in notes if not one.is_given}
    for one in notes:
        if one.is_given and one.note.checkpoint not in listed:
            report.doubt("pin-not-kept", f"{one.name} ({one.size} entries) is not listed any more.")


def _read(text: str, name: str, report: Report, *, is_given: bool = False) -> Judged | None:
    try:
        return Judged(name, read_note(text), is_given)
    except MalformedNoteError as error:
        report.fail("checkpoint-malformed", f"{name} is malformed: {error}")
        return None


def _learn_trust(
    notes: Sequence[Judged], ring: KeyRing, pins: Sequence[VerifierKey]
) -> dict[VerifierKey, int | None]:
    """Return the trusted keys, each with the size up to which its heads count."""
    trusted = {key: _end_of(key, ring) for key in pins}
    for one in notes:
        if not any(_covers(key, end, one) for key, end in trusted.items()):
            continue
        for state in ring.log_keys:
            # An added key is trusted once a head that counts covers its entry.
            if 0 < state.added_at < one.size:
                trusted.setdefault(state.key, state.ended_at)
    return trusted


def _covers(key: VerifierKey, end: int | None, one: Judged) -> bool:
    if end is not None and one.size > end:
        return False
    message = one.note.checkpoint.text.encode()
    return any(
        key.verifies(line.signature, message) for line in one.note.lines if _is_of(line, key)
    )


def _counts(
    one: Judged,
    ring: KeyRing,
    *,
    known: Mapping[tuple[str, bytes], VerifierKey],
    trusted: Mapping[VerifierKey, int | None],
    report: Report,
) -> bool:
    if one.note.checkpoint.origin != ring.origin:
        report.fail("checkpoint-origin", f"{one.name} is of {one.note.checkpoint.origin}.")
        return False
    try:
        signers = one.note.signers(known.values())
    except BadSignatureError as error:
        report.fail("checkpoint-signature", f"{one.name}: {error}")
        return False
    good = [key for key in signers if key in trusted and _is_in_time(one.size, trusted[key])]
    if not good:
        report.fail("checkpoint-untrusted", f"{one.name} is signed by no key that counts there.")
        return False
    if all(_is_doubtful(_state_of(key, ring), one.size) for key in good):
        report.doubt("revoked-window", f"{one.name} is signed by a key that was revoked later.")
    return True


def _is_in_time(size: int, end: int | None) -> bool:
    return end is None or size <= end


def _is_doubtful(state: LogKeyState | None, size: int) -> bool:
    return state is not None and state.revoked_from is not None and size > state.revoked_from


def _is_of(line: SignatureLine, key: VerifierKey) -> bool:
    return line.name == key.name and line.note_id == key.note_id


def _state_of(key: VerifierKey, ring: KeyRing) -> LogKeyState | None:
    return next((state for state in ring.log_keys if state.key == key), None)


def _end_of(key: VerifierKey, ring: KeyRing) -> int | None:
    state = _state_of(key, ring)
    return None if state is None else state.ended_at
