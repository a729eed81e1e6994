"""What one process costs, as Linux tells it: memory by kind, threads, processor time.

For the scripts beside it, which start the process and decide when it is idle.
"""

import gc
import os
import time
from pathlib import Path

KB_PER_MB = 1024


def freeze() -> None:
    """Leave what is there out of Python's further collections, as `interlock serve` does.

    Else every hundredth operation waits 50 ms while Python looks through all imported modules.
    """
    gc.collect()
    gc.freeze()


def resident_mb(process: int) -> float:
    """Return the resident memory of a process, shared pages of libraries included."""
    return _megabytes(process, "status", "VmRSS")


def most_mb(process: int) -> float:
    """Return the resident memory that a process had at most, without that of who began it."""
    return _megabytes(process, "status", "VmHWM")


def memory_mb(process: int) -> dict[str, float]:
    """Return the resident memory of a process, and what of it is its own.

    `pss` shares each common page among the processes that use it; `anonymous` is heap and
    stacks, which no other process can share.
    """
    kinds = {"rss": "Rss", "pss": "Pss", "anonymous": "Anonymous"}
    return {name: _megabytes(process, "smaps_rollup", kind) for name, kind in kinds.items()}


def threads(process: int) -> int:
    """Return how many threads a process has."""
    return int(_value(process, "status", "Threads"))


def cpu_percent(process: int, seconds: float) -> float:
    """Return how much of one core a process uses during the next `seconds`."""
    before = cpu_seconds(process)
    time.sleep(seconds)
    return (cpu_seconds(process) - before) / seconds * 100


def cpu_seconds(process: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _megabytes(process: int, file: str, name: str) -> float:
    return int(_value(process, file, name).removesuffix("kB")) / KB_PER_MB


def _value(process: int, file: str, name: str) -> str:
    lines = Path(f"/proc/{process}/{file}").read_text().splitlines()
    return next(one for one in lines if one.startswith(f"{name}:")).partition(":")[2].strip()
