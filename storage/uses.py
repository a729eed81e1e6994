"""What runs asked for and did in a period, read from the newest runs of each workflow."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlalchemy import Connection, and_, select

from storage.audit_models import AuditEntryRow, AuditPartRow
from storage.run_models import RunRecord
from storage.transaction import Database
from workflows.actions.base import Effect
from workflows.ad_hoc import Use, act
from workflows.entry import Ref, RunId

MOST_RUNS = 200  # Of one workflow.
MOST_EFFECTS = 1_000
_TELLING = ("approval.requested", "action.intended")
_CHANGES = frozenset({Effect.WRITE.value, Effect.DESTRUCTIVE.value})


def uses_of(database: Database, workflows: Iterable[str], *, since: datetime) -> list[Use]:
    """Return what the newest runs of each workflow were for that began since then.

    What was only read, and what goes out as a message, says little. Where the arguments were
    erased, nothing is said.
    """
    with database.read() as connection:
        return [one for name in workflows for one in _of(connection, name, since)]


def _of(connection: Connection, workflow: str, since: datetime) -> Iterator[Use]:
    newest = (
        select(RunRecord.id)
        .where(RunRecord.workflow == workflow, RunRecord.started_at >= since)
        .order_by(RunRecord.started_at.desc(), RunRecord.id.desc())
        .limit(MOST_RUNS)
        .subquery()
    )
    row, part = AuditEntryRow, AuditPartRow
    query = (
        select(row.run_id, row.line, part.body, RunRecord.requester)
        .join(newest, newest.c.id == row.run_id)
        .join(RunRecord, RunRecord.id == row.run_id)
        .join(part, and_(part.entry_seq == row.seq, part.name == "args"))
        .where(row.kind.in_(_TELLING))
        .order_by(row.seq.desc())
        .limit(MOST_EFFECTS)
    )
    acts: dict[str, set[str]] = defaultdict(set)
    requesters: dict[str, str] = {}
    for run, line, body, requester in connection.execute(query):
        data = json.loads(line)["data"]
        if data.get("effect") in _CHANGES and body is not None:
            acts[str(run)].add(act(str(data.get("action")), json.loads(body)))
            requesters[str(run)] = requester
    for run, found in acts.items():
        yield Use(
            run=RunId(run),
            workflow=workflow,
            requester=Ref(requesters[run]),
            acts=frozenset(found),
        )
