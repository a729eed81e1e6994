"""The one pass over the log: hand each entry to every check, then judge the notes."""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias, TypedDict, Unpack

from storage.checkpoint import MalformedNoteError, VerifierKey, read_vkey
from storage.cosignature import WitnessKey, read_witness_key
from storage.entry_bytes import read_stamp
from storage.journal import utc_now
from storage.sequencing import Now
from storage.verify.anchors import judge_anchors
from storage.verify.chains import ChainCheck
from storage.verify.hashes import HashCheck
from storage.verify.held_parts import Markers, PartCheck, check_subjects
from storage.verify.holds import Holds
from storage.verify.keyring import KeyRing
from storage.verify.lines import LineCheck, run_of
from storage.verify.notes import Judged, judge_kept, judge_roots, judge_signatures, read_notes
from storage.verify.outsiders import judge_stamps, judge_witnesses, witnessed_notes
from storage.verify.report import Report
from storage.verify.semantics import SemanticCheck
from storage.verify.signatures import SignatureCheck
from storage.verify.source import Beside, Source, StoredEntries
from storage.verify.waiting import WaitingCheck

# In quick mode a line is read only if it may say something about keys. No quote stands before
# `kind`: a search that begins with a rare letter is faster, and what it finds beside is read too.
KEY_MARK = re.compile(rb'kind":"(?:log\.init"|key\.)')

Progress: TypeAlias = Callable[[int, int], None]


def quiet(_met: int, _expected: int) -> None:
    """Tell nobody how far it is."""


class Options(TypedDict, total=False):
    """What `verify` may be told beside keys and notes."""

    quick: bool
    sample: int | None
    max_age: timedelta | None
    now: Now
    processes: int | None
    progress: Progress
    witnesses: Sequence[str]
    certificates: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How deep to look: `quick` leaves out all but hashes, roots and notes."""

    quick: bool
    sample: int
    max_age: timedelta | None
    now: datetime
    processes: int
    progress: Progress
    witnesses: tuple[WitnessKey, ...]
    certificates: Path | None


def verify(
    source: Source,
    vkeys: Sequence[str],
    checkpoints: Sequence[str] = (),
    **given: Unpack[Options],
) -> Report:
    """Return what there is to say about the log in `source`.

    `vkeys` are pinned keys, `checkpoints` notes that were kept elsewhere. With `sample` only
    every so-many-th entry signature is checked, with `quick` none. `progress` is told now and
    then how many entries were met, and how many are expected. `witnesses` are keys of those who
    cosign heads, `certificates` a file with those of time stamp authorities; with them it is
    judged who vouches for the log.
    """
    report = Report()
    try:
        pins = [read_vkey(one) for one in vkeys]
        witnesses = tuple(map(read_witness_key, given.get("witnesses", ())))
    except MalformedNoteError as error:
        report.malformed = f"A given key is no verifier key: {error}"
        return report
    how = How(
        quick=given.get("quick", False),
        sample=given.get("sample") or 1,
        max_age=given.get("max_age"),
        now=given.get("now", utc_now)(),
        processes=given.get("processes") or os.cpu_count() or 1,
        progress=given.get("progress", quiet),
        witnesses=witnesses,
        certificates=given.get("certificates"),
    )
    Walk(source, how, report).run(pins, checkpoints)
    return report


class Walk:
    """One verification of one source."""

    def __init__(self, source: Source, how: How, report: Report) -> None:
        self._source = source
        self._how = how
        self._report = report
        self._hashes = HashCheck(report)
        self._lines = LineCheck(report)
        self._ring = KeyRing(report)
        self._chains = ChainCheck(report)
        self._expected = source.expected()
        claims = self._expected // how.sample
        self._signatures = SignatureCheck(report, how.processes, expected=claims)
        markers = Markers() if how.quick else Markers.read(source.markers())
        self._semantics = SemanticCheck(report, Holds(markers.selectors))
        self._parts = PartCheck(markers, report, withholds=source.withholds)
        self._skipped = 0

    def run(self, pins: Sequence[VerifierKey], checkpoints: Sequence[str]) -> None:
        """Do everything, and fill the report."""
        heads, anchors = self._source.heads(), self._source.anchors()
        notes = read_notes(heads, checkpoints, self._report)
        self._stream({one.size for one in notes} | {one.size for one in anchors})
        texts = [*(one.note for one in heads), *checkpoints, *witnessed_notes(anchors)]
        seen = judge_witnesses(self._how.witnesses, texts, self._hashes.roots, self._report)
        self._judge_notes(notes, pins, seen)
        kept = {one.size: one.note for one in heads}
        judge_anchors(anchors, kept, roots=self._hashes.roots, report=self._report)
        if self._how.certificates is not None:
            times, certificates = self._hashes.times, self._how.certificates
            judge_stamps(anchors, kept, certificates, times=times, report=self._report)
        self._judge_pending()
        self._judge_rest()
        self._count(notes)
        self._find_run_of_first()
        self._report.is_through = True

    def _stream(self, sizes: set[int]) -> None:
        for some in self._source.entries(whole=not self._how.quick):
            leaves = self._hashes.take(some, sizes)
            self._read_lines(some, leaves)
            self._how.progress(self._hashes.size, self._expected)
        self._signatures.finish()
        self._chains.find_outside(self._source.leaves_before())
        self._hashes.judge(self._source)

    def _read_lines(self, some: StoredEntries, leaves: Sequence[bytes]) -> None:
        if some.lines[0] is None and set(some.lines) == {None}:
            self._skip(len(some.lines))
            return
        for number in self._to_read(some):
            line = some.lines[number]
            if line is None:
                self._skip(1)
            else:
                index, beside = some.places[number], some.beside(number)
                self._read(index, line, leaf=leaves[number], beside=beside)

    def _to_read(self, some: StoredEntries) -> Sequence[int]:
        """Return which of some entries are more than a leaf; in quick mode it takes a mark."""
        if not self._how.quick:
            return range(len(some.lines))
        if self._is_bare(some):
            return ()
        return [
            number
            for number, line in enumerate(some.lines)
            if line is None or KEY_MARK.search(line) or some.places[number] == 0
        ]

    @staticmethod
    def _is_bare(some: StoredEntries) -> bool:
        """Say whether none of these has to be read, in few calls, since so it is nearly always."""
        is_marked = any(map(KEY_MARK.search, filter(None, some.lines)))
        return all(some.lines) and not is_marked and some.places[0] > 0

    def _skip(self, count: int) -> None:
        """Take note of entries of which there is the leaf alone."""
        self._skipped += count
        self._chains.skip()
        self._semantics.skip()

    def _read(self, index: int, line: bytes, *, leaf: bytes, beside: Beside) -> None:
        members = self._lines.read(index, line, beside)
        if members is None:
            return
        is_judged = self._ring.observe(index, members, line)
        if self._how.quick:
            return
        if is_judged:
            self._signatures.checked += 1
        else:
            self._check_author(index, line, members)
        self._chains.check(index, members, leaf)
        self._parts.check(index, members, beside.parts)
        self._semantics.check(index, members)

    def _check_author(self, index: int, line: bytes, members: dict[str, Any]) -> None:
        public = self._ring.writer_at(index, members["key"])
        if public is not None and index % self._how.sample == 0:
            self._signatures.add((index, public, members["sig"], line))

    def _judge_notes(
        self, notes: Sequence[Judged], pins: Sequence[VerifierKey], seen: set[int]
    ) -> None:
        if not pins:
            self._report.doubt("unpinned", "No key was given: the log vouches for itself.")
        for key in pins:
            self._judge_pin(key)
        # A head of another log says nothing of what this one has lost or kept.
        ours = self._ring.origin  # Empty where the first entry is gone: then each may be ours.
        own = [one for one in notes if ours in ("", one.note.checkpoint.origin)]
        judge_roots(own, self._hashes.roots, self._hashes.size, self._report)
        trusted = pins or self._ring.genesis
        counting = judge_signatures(notes, self._ring, trusted, self._report)
        judge_kept(own, self._report)
        self._judge_tail(notes, counting)
        self._judge_age({one.size for one in notes if one.is_given} | seen, counting)

    def _judge_pin(self, key: VerifierKey) -> None:
        if key.name != self._ring.origin:
            self._report.fail("key-origin", f"The given key is for the log {key.name}.")
        elif key not in self._ring.genesis:
            self._report.warn("genesis", f"The given key {key.id} is not one the log began with.")

    def _judge_tail(self, notes: Sequence[Judged], counting: set[int]) -> None:
        size = self._hashes.size
        if not notes:
            self._report.doubt("no-checkpoint", "There is no signed head.")
        if size and not any(one.size == size and not one.is_given for one in notes):
            self._report.fail("checkpoint-missing", f"There is no head over all {size} entries.")
        covered = max((one for one in counting if one <= size), default=0)
        if covered < size:
            self._report.doubt(
                "unsigned-tail", f"No head that counts covers the entries from {covered} on."
            )

    def _judge_age(self, outside: set[int], counting: set[int]) -> None:
        ts = self._hashes.times.get(max(outside & counting, default=0))
        age = None if ts is None else self._age(ts)
        if age is not None:
            self._report.counts["outside_head_age_s"] = int(age.total_seconds())
        if self._how.max_age is not None and (age is None or age > self._how.max_age):
            self._report.doubt("anchor-stale", "No outside head is young enough.")

    def _judge_pending(self) -> None:
        waiting = WaitingCheck(
            self._report, ring=self._ring, chains=self._chains, first=self._hashes.size
        )
        waiting.run(self._source.pending(), now=self._how.now, quick=self._how.quick)
        self._report.counts["pending"] = waiting.count

    def _judge_rest(self) -> None:
        for code, text in self._source.repeated():
            self._report.fail(code, text)
        for code, text in self._source.remarks():
            self._report.warn(code, text)
        self._source.judge(self._ring, self._report)
        if not self._how.quick:
            self._parts.finish()
            self._semantics.finish()
            self._report.counts["subjects"] = check_subjects(self._source.subjects(), self._report)
        # Last, since the people are read only now.
        for code, text in self._source.unreadable():
            self._report.fail(code, text)

    def _count(self, notes: Sequence[Judged]) -> None:
        self._report.counts |= {
            "entries": self._hashes.size,
            "notes": len(notes),
            "signatures_checked": self._signatures.checked,
            "signatures_skipped": self._hashes.size - self._signatures.checked,
            "parts_held": self._parts.held,
            "parts_gone": self._parts.gone,
            "mode": "quick" if self._how.quick else "full",
        }
        if self._parts.withheld:
            self._report.counts["parts_withheld"] = self._parts.withheld
        if self._skipped:
            self._report.counts["entries_outside"] = self._skipped

    def _find_run_of_first(self) -> None:
        """Look once more at the earliest entry that is at fault: of which run is it?"""
        place = self._report.first_at
        if place is None:
            return
        # To the end, since a server keeps open what is read in part.
        lines = [
            line or b""
            for some in self._source.entries(whole=False)
            for index, line in zip(some.places, some.lines, strict=True)
            if index == place
        ]
        self._report.first_run = run_of(lines[0]) if lines else None

    def _age(self, ts: str) -> timedelta | None:
        try:
            return self._how.now - read_stamp(ts).astimezone(UTC)
        except ValueError:
            return None
