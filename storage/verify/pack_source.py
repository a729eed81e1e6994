"""A pack as the source of a verification: the files as they are, nothing unpacked or repaired."""

import base64
import re
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from typing import Unpack

from storage.checkpoint import MalformedNoteError, read_note
from storage.entry_bytes import DECODER, MOST_BYTES, read_canonical
from storage.evidence import names
from storage.verify.keyring import KeyRing
from storage.verify.members import is_count
from storage.verify.pack_cells import judge_cells
from storage.verify.pack_files import (
    UNREADABLE,
    PackFiles,
    check_files,
    pack_files,
    read_small,
)
from storage.verify.pack_manifest import ReadManifest, judge_manifest, read_manifest
from storage.verify.pack_outcomes import judge_outcomes
from storage.verify.pack_proofs import judge_proofs
from storage.verify.pack_reports import judge_reports
from storage.verify.pack_samples import judge_samples
from storage.verify.report import Report
from storage.verify.source import (
    MOST_TOLD,
    Ahead,
    Beside,
    HeldPart,
    StoredAnchor,
    StoredEntries,
    StoredHead,
    StoredSubject,
)
from storage.verify.walk import Options, verify
from workflows.kinds import BARE

HASH = 32
ID = re.compile(rb'"id":"([0-9a-f]{16})[0-9a-f]{16}","key":"')
KEPT = re.compile(rf"{names.CHECKPOINTS}([0-9]{{{names.SIZE_DIGITS}}}|[1-9][0-9]{{12,18}})")
PLACE = re.compile(rb"0|[1-9][0-9]{0,15}")
ANCHOR = re.compile(r"anchors/(0|[1-9][0-9]{0,15})-[0-9]{1,18}\.([a-z0-9]{1,20})")
MARKERS = frozenset({"erasure", "retention.sweep", "hold.set"})
MARKS = tuple(f'"kind":"{one}"'.encode() for one in sorted(MARKERS))
TS_CELL = names.INDEX_COLUMNS.split(",").index("ts")
TOGETHER = 64  # Entries that are met at once.
MOST_LINE = 4 * MOST_BYTES  # Far more than an entry has, and so little that many of them fit.
MOST_PAYLOAD = 1 << 26  # A payload of a megabyte, in base64, stays far below.


def verify_pack(
    path: Path, vkeys: Sequence[str], checkpoints: Sequence[str] = (), **how: Unpack[Options]
) -> Report:
    """Verify the pack at `path`; arguments are those of `verify`.

    What cannot be opened or read is a report too, never an exception.
    """
    try:
        with pack_files(path) as files:
            if links := files.links():
                return _led_out(links)
            manifest = read_manifest(files)
            missing = [one for one in names.REQUIRED if one not in files.names()]
            if missing:
                report = Report()
                for one in missing:
                    report.fail("file-missing", f"{one} is not in the pack.")
                return report
            return verify(PackSource(files, manifest), vkeys, checkpoints, **how)
    except UNREADABLE as error:
        return Report(malformed=f"The pack cannot be read: {error}")


def _led_out(links: Sequence[str]) -> Report:
    """Return that nothing was read: what lies outside of a pack may have no end."""
    report = Report()
    for one in links:
        report.fail("file-hash", f"{one} leads out of the pack.")
    return report


class PackSource:
    """The trail in a pack."""

    def __init__(self, files: PackFiles, manifest: ReadManifest) -> None:
        self._files = files
        self._manifest = manifest
        self._faults: list[tuple[str, str]] = []
        self._context_places: frozenset[int] = frozenset()
        self._size = 0
        self._is_read = False  # Whether more of each entry was asked for than its leaf.
        self._period: dict[int, str] = {}  # What the index says of the range's ends.

    @property
    def withholds(self) -> bool:
        """A pack that was disclosed in part says so."""
        return self._manifest.is_selected

    def unreadable(self) -> Sequence[tuple[str, str]]:
        """Return what did not fit together while the files were read."""
        return self._faults

    def judge(self, ring: KeyRing, report: Report) -> None:
        """Check the manifest, every file against it, the proofs, and the rows of reports."""
        # What is made of entries at fault is at fault, too, and says nothing more.
        makes_reports = self._is_read and not report.n_failures
        judge_manifest(self._files, self._manifest, ring, report)
        self._judge_size(report)
        check_files(self._files, dict(self._manifest.files), report)
        judge_proofs(self._files, ring, report)
        people = {one.ref: one.external_id for one in self.subjects()}
        judge_reports(self._files, people, report)
        judge_outcomes(self._files, self._manifest.start, report)
        judge_samples(self._files, self._manifest, report)
        if makes_reports:
            start = self._manifest.start
            judge_cells(self._files, people, report, start=start, withholds=self.withholds)

    def _judge_size(self, report: Report) -> None:
        """Check that manifest and newest head speak of all the leaves, and when they were."""
        said, size = self._manifest, self._size
        if said.size != size:
            report.fail("range", f"The manifest is for {said.size} entries; {size} are here.")
        ends = (said.start, said.end - 1) if said.start < said.end else ()
        if said.period != tuple(self._period.get(one, "") for one in ends):
            report.fail("range", "The manifest names another period than its entries.")
        newest = _size_of(self._text(names.CHECKPOINT))
        if newest is not None and newest != size:
            report.fail("checkpoint-missing", f"The newest head is not one over {size} entries.")

    def expected(self) -> int:
        """Return how many leaves the manifest says that there are."""
        size = self._manifest.files.get(names.LEAVES, {}).get("bytes")
        return size // HASH if isinstance(size, int) else 0

    def entries(self, *, whole: bool) -> Iterator[StoredEntries]:
        """Yield every entry by its place: those outside the range and the context as leaves."""
        start, end = self._manifest.start, self._manifest.end
        self._is_read |= whole
        stored, index = self._lines(names.ENTRIES), self._rows()
        parts = Ahead(self._disclosures() if whole else iter(()))
        context = self._outside()
        self._context_places = frozenset(context)
        places = range(0)
        for leaves in self._leaves():
            places = range(places.stop, places.stop + len(leaves))
            lines = [
                next(stored, None) if start <= one < end else context.pop(one, None)
                for one in places
            ]
            rows = [
                self._row(one, line, index) if start <= one < end else None
                for one, line in zip(places, lines, strict=True)
            ]
            yield StoredEntries(places, lines, leaves, partial(_beside, places, rows, parts))
        self._size = places.stop
        if end > places.stop or next(stored, None) is not None or next(index, None) is not None:
            self._fault("range", "The pack holds other entries than its range says.")
        if context:
            self._fault("range", "The context holds entries that are not outside the range.")
        for one in parts.left():
            self._fault("disclosure-orphan", f"A payload is for entry {one}, which is not here.")

    def leaves_before(self) -> Iterator[bytes]:
        """Yield the leaves before the range, but for those of the context, which is of no run."""
        leaves = (leaf for some in self._leaves() for leaf in some)
        for place, leaf in enumerate(islice(leaves, self._manifest.start)):
            if place not in self._context_places:
                yield leaf

    def heads(self) -> Sequence[StoredHead]:
        """Return every note of the pack."""
        found = {
            int(match[1]): self._text(name)
            for name in sorted(self._files.names())
            if (match := KEPT.fullmatch(name))
        }
        kept = [StoredHead(size, note) for size, note in sorted(found.items())]
        newest = self._text(names.CHECKPOINT)
        if newest in found.values():
            return kept
        self._fault("checkpoint-missing", "The newest head is not among those that are kept.")
        return [StoredHead(_size_of(newest) or 0, newest), *kept]

    def anchors(self) -> Sequence[StoredAnchor]:
        """Return the evidence from outside."""
        found = ((name, ANCHOR.fullmatch(name)) for name in sorted(self._files.names()))
        return [
            StoredAnchor(int(match[1]), match[2], read_small(self._files, name))
            for name, match in found
            if match is not None
        ]

    def tree(self) -> tuple[int, bytes] | None:
        """Return the stored size and frontier."""
        try:
            said = read_canonical(read_small(self._files, names.STATE))
            size, frontier = said["size"], bytes.fromhex(said["frontier"])
        except (KeyError, TypeError, ValueError):
            size, frontier, said = None, b"", {}
        if is_count(size) and said["frontier"] == frontier.hex():
            return size, frontier
        self._fault("tree-state", "The stored tree cannot be read.")
        return None

    def tiles(self) -> Mapping[tuple[int, int], bytes] | None:
        """A pack carries leaves; tiles follow from them."""
        return None

    def markers(self) -> Iterator[tuple[int, bytes]]:
        """Yield every marker and what sets a hold, of the range and of the context."""
        for place, line in enumerate(self._lines(names.ENTRIES), start=self._manifest.start):
            if _is_marker(line):
                yield place, line
        for place, line in self._context():
            if _is_marker(line):
                yield place, line

    def pending(self) -> Iterator[StoredEntries]:
        """Everything in a pack has its place."""
        return iter(())

    def repeated(self) -> Sequence[tuple[str, str]]:
        """Return ids that stand twice among the entries that are here."""
        # Eight bytes of each id are kept, a million of them in eight megabytes.
        met = (_short_id(line) for line in self._lines(names.ENTRIES))
        short = array("Q", sorted(one for one in met if one is not None))
        twice = {one for one, after in pairwise(short) if one == after}
        found = Counter(
            str(_member(line, "id"))
            for line in (self._lines(names.ENTRIES) if twice else ())
            if _short_id(line) in twice
        )
        return [
            ("duplicate-id", f"The id {one} stands twice.")
            for one, count in found.most_common(MOST_TOLD)
            if count > 1
        ]

    def subjects(self) -> Iterator[StoredSubject]:
        """Yield everyone behind a pseudonym, as far as the pack tells."""
        for number, line in enumerate(self._lines(names.SUBJECTS)):
            try:
                said = read_canonical(line)
                yield StoredSubject(_text(said["ref"]), _bytes64(said["k"]), _text(said["id"]))
            except (KeyError, TypeError, ValueError):
                self._fault("subject-ref", f"Line {number} of the people cannot be read.")

    def remarks(self) -> Sequence[tuple[str, str]]:
        """Nothing is odd about a pack that is not a fault."""
        return []

    # --- files ------------------------------------------------------------------------------

    def _leaves(self) -> Iterator[list[bytes]]:
        with self._files.open(names.LEAVES) as file:
            while some := file.read(HASH * TOGETHER):
                whole = len(some) // HASH * HASH
                if whole < len(some):
                    self._fault("range", "The leaves end in the middle of one.")
                if whole:
                    yield [some[at : at + HASH] for at in range(0, whole, HASH)]

    def _lines(self, name: str) -> Iterator[bytes]:
        most = MOST_PAYLOAD if name == names.DISCLOSURES else MOST_LINE
        fault = "file-hash", f"{name} ends in the middle of a line."
        with self._files.open(name) as file:
            while line := file.readline(most):
                is_cut = len(line) < most and not line.endswith(b"\n")
                if is_cut and fault not in self._faults:  # Some files are read again.
                    self._fault(*fault)
                yield line.removesuffix(b"\n")

    def _rows(self) -> Iterator[str]:
        rows = self._lines(names.INDEX)
        if next(rows, b"").decode(errors="replace") != names.INDEX_COLUMNS:
            self._fault("index-row", f"{names.INDEX} has other columns.")
        yield from (row.decode(errors="replace") for row in rows)

    def _row(self, place: int, line: bytes | None, index: Iterator[str]) -> str | None:
        """Return the row of the index beside a line of the range."""
        if line is None:
            self._fault("range", f"Entry {place} is in the range and not in the pack.")
            return None
        row = next(index, "")
        if place in {self._manifest.start, self._manifest.end - 1}:
            self._period[place] = ",".join(row.split(",")[TS_CELL : TS_CELL + 1])
        return row

    def _outside(self) -> dict[int, bytes]:
        """Return what has to be known outside the range: each entry once, in the log's order."""
        found: dict[int, bytes] = {}
        latest = -1
        for place, line in self._context():
            if place <= latest:
                self._fault("range", f"Entry {place} stands out of turn in the context.")
            kind = _member(line, "kind")
            if isinstance(kind, str) and kind not in BARE:
                self._fault("range", f"Entry {place} is of a kind that no context holds.")
            latest = max(latest, place)
            found[place] = line
        return found

    def _context(self) -> Iterator[tuple[int, bytes]]:
        for row in self._lines(names.CONTEXT):
            place, tab, line = row.partition(b"\t")
            if not tab or PLACE.fullmatch(place) is None:
                self._fault("range", "A line of the context does not name its place.")
                continue
            yield int(place), line

    def _disclosures(self) -> Iterator[tuple[int, HeldPart]]:
        latest = self._manifest.start
        for number, line in enumerate(self._lines(names.DISCLOSURES)):
            try:
                said = read_canonical(line)
                part = HeldPart(_text(said["n"]), _bytes64(said["s"]), _bytes64(said["d"]))
                place = said["i"]
            except (KeyError, TypeError, ValueError):
                place = None
            if not is_count(place):
                self._fault("disclosure-orphan", f"Payload {number} cannot be read.")
            elif place < latest:
                words = f"A payload is for entry {place}, which is not here or came before."
                self._fault("disclosure-orphan", words)
            else:
                latest = place
                yield place, part

    def _text(self, name: str) -> str:
        return read_small(self._files, name).decode(errors="surrogateescape")

    def _fault(self, code: str, text: str) -> None:
        self._faults.append((code, text))


def _beside(places: Sequence[int], rows: Sequence[str | None], parts: Ahead, number: int) -> Beside:
    row = rows[number]
    return Beside() if row is None else Beside(row=row, parts=parts.take(places[number]))


def _member(line: bytes, name: str) -> object:
    try:
        said = DECODER.decode(line.decode())
        return said.get(name) if isinstance(said, dict) else None
    except ValueError:
        return None  # The walk says what is wrong with it.


def _size_of(note: str) -> int | None:
    try:
        return read_note(note).checkpoint.size
    except MalformedNoteError:
        return None  # Whoever reads it as a note says so.


def _short_id(line: bytes) -> int | None:
    found = ID.search(line)
    return int(found[1], 16) if found else None


def _is_marker(line: bytes) -> bool:
    return any(one in line for one in MARKS) and _member(line, "kind") in MARKERS


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _bytes64(text: object) -> bytes:
    """Return the bytes behind base64, in its one spelling."""
    data = base64.b64decode(str(text), validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError(text)
    return data
