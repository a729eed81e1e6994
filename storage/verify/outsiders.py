"""Those outside whom the auditor trusts: witnesses by their keys, authorities by certificates.

A line of a pinned witness says that it saw this head and none that contradicts it; a token
under a pinned certificate, that this head existed at its time. Whoever has every key of the log
can make neither.
"""

import re
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from storage.checkpoint import MalformedNoteError, read_note
from storage.cosignature import WitnessKey
from storage.timestamps import TimeStamp, read_stamp
from storage.verify.lines import CLOCK_SLACK
from storage.verify.report import Report
from storage.verify.source import StoredAnchor
from workflows.moments import moment
from workflows.moments import stamp as written

STAMP, WITNESS = "rfc3161", "witness"
OPENSSL_SECONDS = 30.0
# What openssl says of a certificate that none of the given ones vouches for, in every release.
NOBODY_VOUCHES = re.compile(
    "unable to get (local )?issuer certificate|self[- ]signed certificate"
    "|unable to verify the first certificate"
)


class UnjudgedError(Exception):
    """Of a time stamp nothing can be told here, neither that it holds nor that it does not."""


def judge_witnesses(
    keys: Sequence[WitnessKey], notes: Iterable[str], roots: Mapping[int, bytes], report: Report
) -> set[int]:
    """Return the sizes of the log's own heads that a pinned witness saw.

    A false line under a pinned key fails, wherever it stands; a witness whose line stands
    nowhere leaves its part unproven.
    """
    seen: dict[int, datetime] = {}
    met: set[str] = set()
    for text in dict.fromkeys(notes):
        for key, size, at in _lines_of(keys, text, roots):
            if at is None:
                report.fail("anchor", f"The line of {key.name} under {size} entries is false.")
            else:
                met.add(str(key))
                seen[size] = max(at, seen.get(size, at))
    for key in keys:
        if str(key) not in met:
            report.doubt("anchor", f"No head has a good line of the witness {key.name}.")
    if seen:
        newest = max(seen)
        report.counts |= {"witnessed": newest, "witnessed_at": written(seen[newest])}
    return set(seen)


def witnessed_notes(anchors: Sequence[StoredAnchor]) -> list[str]:
    """Return the notes that witnesses cosigned, as they were kept."""
    return [one.content.decode(errors="replace") for one in anchors if one.type == WITNESS]


def _lines_of(
    keys: Sequence[WitnessKey], text: str, roots: Mapping[int, bytes]
) -> Iterable[tuple[WitnessKey, int, datetime | None]]:
    """Yield each line of a pinned witness under a head of this log, and when it saw that."""
    try:
        note = read_note(text)
    except MalformedNoteError:
        return  # Whoever judges the note says so.
    head = note.checkpoint
    if roots.get(head.size) != head.root:
        return
    for line in note.lines:
        for key in (one for one in keys if one.is_of(line)):
            yield key, head.size, key.seen_at(note, line)


def judge_stamps(
    anchors: Sequence[StoredAnchor],
    notes: Mapping[int, str],
    certificates: Path,
    *,
    times: Mapping[int, str],
    report: Report,
) -> None:
    """Have `openssl ts` verify every time stamp under the certificates that the auditor has.

    `times` says when the newest entry under a head was written, by the clock of its writer: a
    stamp from before that contradicts it, and one of the two clocks was wrong. A token of an
    authority for which none of the certificates vouches is unproven, like the line of a key that
    nobody gave: that it was changed would not show either.
    """
    good, seen = 0, dict[int, datetime]()
    stamps = [one for one in anchors if one.type == STAMP]
    for one in stamps:
        try:
            why = _refusal(one, notes.get(one.size, ""), certificates)
        except UnjudgedError as error:
            report.doubt("anchor", f"Who made the time stamp over {one.size} entries: {error}.")
            continue
        if why:
            report.fail("anchor", f"The time stamp over {one.size} entries does not hold: {why}.")
        else:
            good += 1
            at = read_stamp(one.content).at
            seen[one.size] = min(at, seen.get(one.size, at))
            _compare(one.size, at, times.get(one.size, ""), report)
    if not stamps:
        report.doubt("anchor", "No head has a time stamp.")
    report.counts["stamps"] = good
    if seen:
        newest = max(seen)
        report.counts |= {"stamped": newest, "stamped_at": written(seen[newest])}


def _compare(size: int, at: datetime, ts: str, report: Report) -> None:
    try:
        claimed = moment(ts)
    except (ValueError, OverflowError):
        return  # Whoever judges the entry says so.
    if claimed - at > CLOCK_SLACK:
        report.warn(
            "clock",
            f"The time stamp over {size} entries says {written(at)}, the newest of them {ts}: one"
            " of the clocks was wrong.",
        )


def _refusal(anchor: StoredAnchor, note: str, certificates: Path) -> str:
    """Return why a token does not hold, nothing where it does."""
    try:
        token = read_stamp(anchor.content)
    except ValueError as error:
        return str(error).rstrip(".")
    stamped = token.stamped(note)
    if stamped is None:
        return "it is not for this head"
    return _asked_of_openssl(anchor.content, token, stamped, certificates)


def _asked_of_openssl(content: bytes, token: TimeStamp, stamped: bytes, certificates: Path) -> str:
    with tempfile.TemporaryDirectory(prefix="interlock-stamp-") as name:
        note, answer = Path(name, "note"), Path(name, "answer")
        note.write_bytes(stamped)
        answer.write_bytes(content)
        # The certificate has to have been good then; today it may have ended.
        at = str(int(token.at.timestamp()))
        told = ["-data", str(note), "-in", str(answer), "-CAfile", str(certificates)]
        try:
            done = subprocess.run(  # noqa: S603 - fixed words, a number, and files of our own.
                ["openssl", "ts", "-verify", *told, "-attime", at],  # noqa: S607 - the auditor's.
                capture_output=True,
                text=True,
                check=False,
                timeout=OPENSSL_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UnjudgedError(f"openssl could not be asked ({type(error).__name__})") from error
    if done.returncode == 0:
        return ""
    if NOBODY_VOUCHES.search(done.stderr):
        raise UnjudgedError("no certificate that you gave vouches for it")
    said = [line for line in done.stderr.splitlines() if line.strip()]
    return f"openssl says: {said[-1][:200]}" if said else "openssl refuses it"
