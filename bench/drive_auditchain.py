"""What the PyPI package auditchain appends a second, signed, to SQLite: one JSON line.

It runs in the environment of the peers, so only the standard library and the package are
imported. It is measured as it comes, and with the journal mode that ours has.

    python -m bench.drive_auditchain FOLDER SECONDS
"""

import asyncio
import json
import sqlite3
import sys
import time
from pathlib import Path

from auditchain import AuditLog, SqliteBackend, generate_keypair

BATCH = 100
ENTRY = ("deployer", "action.executed", "deploy", {"step": "deploy", "attempt": 1, "ms": 12})


async def rates(path: Path, seconds: float) -> dict[str, float]:
    """Return its rates with one and with a hundred records for each commit."""
    seed, _public = generate_keypair()
    found = {}
    async with AuditLog(SqliteBackend(path), signing_key=seed) as log:
        for batch in (1, BATCH):
            began, count = time.perf_counter(), 0
            while time.perf_counter() - began < seconds:
                if batch == 1:
                    await log.append(*ENTRY[:3], metadata=ENTRY[3])
                else:
                    await log.append_many([ENTRY] * batch)
                count += batch
            found[str(batch)] = count / (time.perf_counter() - began)
    return found


def with_wal(path: Path) -> Path:
    """Give the file the journal mode that ours has, which stays; FULL is what the driver has."""
    driver = sqlite3.connect(path)
    driver.execute("PRAGMA journal_mode = WAL")
    driver.close()
    return path


def main(folder: Path, seconds: float) -> None:
    """Measure it as it comes, and with a write-ahead log."""
    plain = asyncio.run(rates(folder / "plain.db", seconds))
    wal = asyncio.run(rates(with_wal(folder / "wal.db"), seconds))
    named = {f"auditchain_{batch}": rate for batch, rate in plain.items()}
    named |= {f"auditchain_wal_{batch}": rate for batch, rate in wal.items()}
    print(json.dumps(named))


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
