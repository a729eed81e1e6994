"""Tells on stderr how far a pack is, whichever process writes it: both see the same disk."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from storage.evidence.pack import partial_of

EVERY = 2.0  # Seconds; what is quicker needs no telling.
MIB = 1024 * 1024


@contextmanager
def growth_told(out: Path, *, every: float = EVERY) -> Iterator[None]:
    """While the block runs, say now and then how much of the pack at `out` is written."""
    is_over = threading.Event()
    teller = threading.Thread(target=_tell, args=(out, every, is_over), daemon=True)
    teller.start()
    try:
        yield
    finally:
        is_over.set()
        teller.join()


def _tell(out: Path, every: float, is_over: threading.Event) -> None:
    began = time.monotonic()
    while not is_over.wait(every):
        written = _bytes_in(partial_of(out)) / MIB
        seconds = time.monotonic() - began
        click.echo(f"{out.name}: {written:.1f} MiB written after {seconds:.0f} s", err=True)


def _bytes_in(path: Path) -> int:
    try:
        if path.is_file():
            return path.stat().st_size
        return sum(one.stat().st_size for one in path.rglob("*") if one.is_file())
    except OSError:
        return 0  # It was just renamed or taken away.
