"""The statements of denials: which requests were denied, for what, by whom."""

from collections.abc import Sequence
from datetime import datetime

from storage.change import RowSql
from storage.entry_bytes import read_stamp
from workflows.entry import RequestId, RunId
from workflows.gate import Denial
from workflows.quick_json import loaded

_DENIED = (
    "SELECT r.id, e.line, p.body FROM approval_request r"
    " JOIN audit_entry e ON e.uid = r.entry_id"
    " JOIN audit_part p ON p.entry_seq = e.seq AND p.name = 'args'"
    " WHERE r.outcome = 'denied' AND r.settled_at > ? ORDER BY r.settled_at DESC, r.id"
)
_DENIAL = (
    "SELECT r.run_id, run.workflow, r.stages, e.line, p.body, s.external_id, s.display"
    " FROM approval_request r JOIN run ON run.id = r.run_id"
    " JOIN decision d ON d.request_id = r.id AND d.verdict = 'deny'"
    " JOIN audit_entry e ON e.uid = d.entry_id"
    " LEFT JOIN audit_part p ON p.entry_seq = e.seq AND p.name = 'comment'"
    " LEFT JOIN audit_subject s ON s.ref = d.approver"
    " WHERE r.id = ? ORDER BY d.seq DESC LIMIT 1"
)


class DenialSql(RowSql):
    """The statements, on one transaction."""

    __slots__ = ()

    def arguments(self, action: str, *, since: datetime) -> Sequence[tuple[RequestId, bytes]]:
        """Return requests for `action` denied after `since`, newest first, with their arguments."""
        found = self.run(_DENIED, since).fetchall()
        return [
            (RequestId(ident), bytes(args)) for ident, line, args in found if _is_for(action, line)
        ]

    def denial(self, request: str) -> Denial | None:
        """Return what is known of a denied request, None if there is none."""
        found = self.run(_DENIAL, request).fetchone()
        if found is None:
            return None
        run, workflow, stages, line, comment, external_id, display = found
        return Denial(
            request=RequestId(request),
            run=RunId(run),
            workflow=workflow,
            stages=loaded(stages),
            by_id=external_id or "",
            by_name=display or "",
            at=read_stamp(loaded(line)["ts"]),
            reason=bytes(comment).decode() if comment is not None else "",
        )


def _is_for(action: str, line: str) -> bool:
    # Requests of an earlier release do not name their action; their arguments alone are compared.
    return loaded(line)["data"].get("action") in (action, None)
