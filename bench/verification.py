"""One verification of a log, in a process of its own as `interlock audit verify` is one.

    python -m bench.verification '["log.db", "VKEY", {"processes": 2}]'

The processes that check signatures import this file again, as they do the command's; so it
imports what it takes to verify only where that is done, as the command does.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from bench.process import most_mb

HOUSE = Path(__file__).parents[1]


def apart(url: str, pin: str, how: Mapping[str, object]) -> tuple[float, float, float]:
    """Return what `verified` does, from a process whose memory is that of one verification."""
    words = [sys.executable, "-m", "bench.verification", json.dumps([url, pin, how])]
    done = subprocess.run(words, cwd=HOUSE, stdout=subprocess.PIPE, text=True, check=True)
    seconds, cpu, megabytes = json.loads(done.stdout)
    return seconds, cpu, megabytes


def verified(url: str, pin: str, how: Mapping[str, object]) -> tuple[float, float, float]:
    """Return how long a verification took, its processor time, and its memory at most.

    Raises:
        RuntimeError: the log is not verified.
    """
    from storage.verify import verify_database  # noqa: PLC0415  see above

    began, cpu_began = time.perf_counter(), time.process_time()
    report = verify_database(url, [pin], **how)
    spent, cpu = time.perf_counter() - began, time.process_time() - cpu_began
    if report.exit:
        raise RuntimeError(f"the log of the bench is not verified: {report.lines()}")
    return spent, cpu, most_mb(os.getpid())


if __name__ == "__main__":
    print(json.dumps(verified(*json.loads(sys.argv[1]))))
