"""A folder for each of some runs, drawn in a way that anybody can repeat.

Drawn are the runs whose SHA-256 of seed, LF and run id is smallest: whoever chooses the seed
after the log was written leaves nobody a way to choose the runs.
"""

import hashlib
import heapq
import re

from sqlalchemy import Connection, select

from storage.audit_models import AuditEntryRow
from storage.evidence.contents import CHUNK, Contents, proof
from storage.evidence.pack import Pack

# What every writer calls a run. Any other name was put into the database by its owner, could
# lead out of the pack, and is named by whoever verifies its entries.
RUN = re.compile(r"[A-Za-z0-9_-]{1,64}")


def write_samples(
    connection: Connection, pack: Pack, contents: Contents, *, count: int, seed: str
) -> tuple[str, ...]:
    """Draw `count` of the runs that began in the range; write their entries and proofs.

    The same range, seed and count draw the same runs.
    """
    drawn = sample(connection, contents, count=count, seed=seed)
    for run in drawn:
        rows = connection.execute(
            select(AuditEntryRow.idx, AuditEntryRow.line)
            .where(
                AuditEntryRow.run_id == run,
                AuditEntryRow.idx >= contents.start,
                AuditEntryRow.idx < contents.end,
            )
            .order_by(AuditEntryRow.rseq)
        ).all()
        lines = "".join(f"{row.line}\n" for row in rows)
        pack.put(f"samples/{run}/entries.jsonl", lines.encode())
        for row in rows:
            text = proof(connection, row.idx, contents.head)
            pack.put(f"samples/{run}/proofs/{row.idx}.tlog-proof", text.encode())
    return drawn


def sample(connection: Connection, contents: Contents, *, count: int, seed: str) -> tuple[str, ...]:
    """Return the runs that are drawn, in the order of the log."""
    if not count:
        return ()
    began = connection.execute(
        select(AuditEntryRow.run_id)
        .where(
            AuditEntryRow.run_id.is_not(None),
            AuditEntryRow.rseq == 0,
            AuditEntryRow.idx >= contents.start,
            AuditEntryRow.idx < contents.end,
        )
        .order_by(AuditEntryRow.idx),
        execution_options={"yield_per": CHUNK},
    ).scalars()
    drawn = heapq.nsmallest(
        count,
        (
            (hashlib.sha256(f"{seed}\n{run}".encode()).digest(), place, str(run))
            for place, run in enumerate(began)
            if RUN.fullmatch(str(run))
        ),
    )
    return tuple(run for _, run in sorted((place, run) for _, place, run in drawn))
