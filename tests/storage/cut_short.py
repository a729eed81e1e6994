"""A process that is killed in a sweep: before its commit, markers and deletes said, or after it.

`python -m tests.storage.cut_short URL HOME MOMENT before|between|after`: `between` is before the
commit of the second portion, where each is two rows.
"""

import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from storage.database import open_database
from storage.log_setup import open_journal
from storage.retention import portions, sweep
from storage.store import SqlStore
from workflows.policy_retention import DEFAULT_TERMS


def killed(*_: object, **__: object) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("a killed process went on")


def _killed_after(times: int) -> Callable[..., None]:
    """Return what removes payloads, and ends the process when it has done so that often."""
    remove, done = sweep.remove_keys, iter(range(1, times))

    def removed(*words: Any) -> None:  # noqa: ANN401 - whatever it takes.
        remove(*words)
        if next(done, None) is None:
            killed()

    return removed


def main(url: str, home: str, moment: str, when: str) -> None:
    database = open_database(url)
    now = datetime.fromisoformat(moment)
    store = SqlStore(database, open_journal(database, Path(home)), now=lambda: now)
    if when != "after":
        vars(sweep)["remove_keys"] = _killed_after(1 if when == "before" else 2)
    if when == "between":
        vars(portions)["PORTION"] = vars(sweep)["PORTION"] = 2
    sweep.sweep(store, policy="cd" * 32, terms=DEFAULT_TERMS, now=now)
    killed()


if __name__ == "__main__":
    main(*sys.argv[1:])
