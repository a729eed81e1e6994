"""Verifies the bot's log in a process of its own, so that no click waits for it.

One line of JSON comes in: the database, the keys the log began with, and how deep to look; one
goes out: the report, or that the database is `away`. It writes nothing, and takes only what time
others leave.
"""

import json
import os
import sys

from storage.verify import verify_database
from workflows.errors import StorageUnavailableError

LEAST_PRIORITY = 19


def main() -> None:
    """Answer the one question on standard input."""
    os.nice(LEAST_PRIORITY)
    asked = json.loads(sys.stdin.readline())
    try:
        report = verify_database(
            asked["database"],
            asked["vkeys"],
            tables=True,
            waits=True,
            quick=asked["mode"] == "quick",
            processes=1,
        )
    except StorageUnavailableError as error:
        sys.stdout.write(json.dumps({"away": error.message}))
    else:
        sys.stdout.write(json.dumps(report.to_json()))


if __name__ == "__main__":
    main()
