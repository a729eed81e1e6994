"""The folders of sampled runs in a pack: does each hold the entries of its run, and no other?

Whoever reads a sample reads these lines and nothing else, so they have to be those of the log.
Where the manifest names seed and count, the runs are drawn again: which are there is no choice.
"""

import hashlib
import heapq
import re
from collections.abc import Iterator

from storage.evidence import names
from storage.verify.lines import run_of
from storage.verify.pack_files import BLOCK, PackFiles
from storage.verify.pack_manifest import ReadManifest, Sample
from storage.verify.report import Report

NAME = re.compile(rf"samples/([A-Za-z0-9_-]{{1,64}})/{re.escape(names.ENTRIES)}")
BEGAN = re.compile(rb"(?:0|[1-9][0-9]{0,15}),([A-Za-z0-9_-]{1,64}),0,")


def judge_samples(files: PackFiles, manifest: ReadManifest, report: Report) -> None:
    """Compare the entries of every sampled run with those of the pack that name this run."""
    there = files.names()
    found = {match[1]: name for name in sorted(there) if (match := NAME.fullmatch(name))}
    drawn: set[str] = set()
    if manifest.sample is not None:
        drawn = _drawn(files, manifest.sample)
        for run in sorted(found.keys() - drawn):
            report.fail("file-extra", f"{found[run]} is of a run that was not drawn.")
    lines = {run: hashlib.sha256() for run in drawn | found.keys()}
    for place, run, line in _entries(files, manifest.start) if lines else ():
        if run not in lines:
            continue
        lines[run].update(line)
        proof = f"samples/{run}/{names.proof_name(place)}"
        if run in drawn and proof not in there:
            report.fail("file-missing", f"{proof} is not in the pack, and that run was drawn.")
    for run in sorted(lines):
        name = f"samples/{run}/{names.ENTRIES}"
        if name not in there:
            report.fail("file-missing", f"{name} is not in the pack, and that run was drawn.")
        elif _digest(files, name) != lines[run].digest():
            report.fail("range", f"{name} holds other entries than those of its run.")


def _drawn(files: PackFiles, sample: Sample) -> set[str]:
    """Return the runs that began in the range and are drawn with that word."""
    return {run for _, run in heapq.nsmallest(sample.count, _lots(files, sample.seed))}


def _lots(files: PackFiles, seed: str) -> Iterator[tuple[bytes, str]]:
    with files.open(names.INDEX) as file:
        while row := file.readline(BLOCK):
            began = BEGAN.match(row)
            if began is not None:
                run = began[1].decode()
                yield hashlib.sha256(f"{seed}\n{run}".encode()).digest(), run


def _entries(files: PackFiles, start: int) -> Iterator[tuple[int, str | None, bytes]]:
    with files.open(names.ENTRIES) as file:
        place = start
        while line := file.readline(BLOCK):
            yield place, run_of(line), line
            place += 1


def _digest(files: PackFiles, name: str) -> bytes:
    digest = hashlib.sha256()
    with files.open(name) as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.digest()
