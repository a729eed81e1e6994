"""Pass 6: does the evidence from outside speak of the heads that the log has?

Whether the authority, the witness or the person behind it is one to trust is for whoever holds
their keys (`outsiders`). Of a mail it is judged what was sent; what arrived, where it arrived.
"""

import json
from collections.abc import Callable, Mapping, Sequence

from storage.checkpoint import fingerprint, read_note
from storage.timestamps import read_stamp
from storage.verify.report import Report
from storage.verify.source import StoredAnchor


def judge_anchors(
    anchors: Sequence[StoredAnchor],
    notes: Mapping[int, str],
    *,
    roots: Mapping[int, bytes],
    report: Report,
) -> None:
    """Compare what is kept of each anchor with the stored note and the root at its size."""
    for one in anchors:
        speaks_of_it = JUDGES.get(one.type)
        if speaks_of_it is None:
            continue
        root = roots.get(one.size)
        try:
            is_good = root is not None and speaks_of_it(one, root, notes.get(one.size, ""))
        except (ValueError, KeyError, TypeError, RecursionError):  # It cannot be read at all.
            is_good = False
        if not is_good:
            report.fail(
                "anchor", f"The {one.type} kept for {one.size} entries is not for this log's head."
            )
    if anchors:
        report.counts["anchors"] = len(anchors)


def _as_note(one: StoredAnchor, root: bytes, _note: str) -> bool:
    kept = read_note(one.content.decode()).checkpoint
    return (kept.size, kept.root) == (one.size, root)


def _as_mail(one: StoredAnchor, root: bytes, note: str) -> bool:
    """Judge the note at the end; before it stands what the server said."""
    ending = "\n\n".join(one.content.decode().split("\n\n")[-2:])
    return _as_note(one._replace(content=ending.encode()), root, note)


def _as_stamp(one: StoredAnchor, _root: bytes, note: str) -> bool:
    return read_stamp(one.content).covers(note)


def _as_answer(one: StoredAnchor, root: bytes, _note: str) -> bool:
    return bool(json.loads(one.content)["fingerprint"] == fingerprint(root))


JUDGES: Mapping[str, Callable[[StoredAnchor, bytes, str], bool]] = {
    "folder": _as_note,
    "mail": _as_mail,
    "slack": _as_note,
    "witness": _as_note,
    "rfc3161": _as_stamp,
    "reply": _as_answer,
}
