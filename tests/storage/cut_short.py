"""A process that is killed in a sweep: before its commit, markers and deletes said, or after it.

`python -m tests.storage.cut_short URL HOME MOMENT before|after`.
"""

import os
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from storage.database import open_database
from storage.log_setup import open_journal
from storage.retention import sweep
from storage.store import SqlStore
from workflows.policy_retention import DEFAULT_TERMS


def killed(*_: object, **__: object) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("a killed process went on")


def main(url: str, home: str, moment: str, when: str) -> None:
    database = open_database(url)
    now = datetime.fromisoformat(moment)
    store = SqlStore(database, open_journal(database, Path(home)), now=lambda: now)
    if when == "before":
        vars(sweep)["forget_old_words"] = killed
    sweep.sweep(store, policy="cd" * 32, terms=DEFAULT_TERMS, now=now)
    killed()


if __name__ == "__main__":
    main(*sys.argv[1:])
