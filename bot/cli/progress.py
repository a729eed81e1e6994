"""A bar on the terminal for what takes long; nothing where nobody watches."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@contextmanager
def progress_bar() -> Iterator[Callable[[int, int], None]]:
    """Give a function that is told how much is done, and of how much.

    The bar stands on the error stream, so that the answer can go on into a pipe or a file.
    """
    is_watched = sys.stderr.isatty()
    with click.progressbar(length=1, file=sys.stderr, hidden=not is_watched) as bar:

        def told(done: int, whole: int) -> None:
            bar.length = max(done, whole, 1)
            bar.update(done - bar.pos)

        yield told
