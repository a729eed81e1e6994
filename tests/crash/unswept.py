"""A process that serves as ever, and looks only after hours for what a wake-up lost."""

from datetime import timedelta
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from bench.trial.engine_process import serve
from bot import continuing
from storage.dispatch.embedded import EmbeddedDispatcher


def serve_unswept(home: Path, database: str, orders: Connection) -> None:
    """Serve until the process is killed, or the other end of the pipe is closed."""
    # Nobody else is in this process.
    continuing.EmbeddedDispatcher = partial(EmbeddedDispatcher, sweep_every=timedelta(hours=5))
    serve(home, database, orders)
