"""The folders of sampled runs in a pack: does each hold the entries of its run, and no other?

Whoever reads a sample reads these lines and nothing else, so they have to be those of the log.
"""

import hashlib
import re

from storage.evidence import names
from storage.verify.lines import run_of
from storage.verify.pack_files import BLOCK, PackFiles
from storage.verify.report import Report

NAME = re.compile(rf"samples/([A-Za-z0-9_-]{{1,64}})/{re.escape(names.ENTRIES)}")


def judge_samples(files: PackFiles, report: Report) -> None:
    """Compare the entries of every sampled run with those of the pack that name this run."""
    found = [match for name in sorted(files.names()) if (match := NAME.fullmatch(name))]
    drawn = {match[1]: hashlib.sha256() for match in found}
    if not drawn:
        return
    with files.open(names.ENTRIES) as file:
        while line := file.readline(BLOCK):
            run = run_of(line)
            if run in drawn:
                drawn[run].update(line)
    for match in found:
        if _digest(files, match[0]) != drawn[match[1]].digest():
            report.fail("range", f"{match[0]} holds other entries than those of its run.")


def _digest(files: PackFiles, name: str) -> bytes:
    digest = hashlib.sha256()
    with files.open(name) as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.digest()
