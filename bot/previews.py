"""What an approver was shown, looked up again for the modals around a card."""

import json

from bot.views.request_values import Preview
from storage.history import read_run
from storage.store import SqlStore
from workflows.entry import Entry, RequestId
from workflows.errors import UnknownRunError
from workflows.gate import ApprovalRequest

ERASED = "What was shown here has been erased."


def preview_of(store: SqlStore, request: RequestId) -> Preview:
    """Return the recorded preview of a request.

    Raises:
        UnknownRunError: there is no such request, or its preview was erased.
    """
    return Preview.read(_part(_entry_of(store, store.request(request)), "preview"))


def plan_lines(store: SqlStore, request: RequestId) -> list[str]:
    """Return every line of the plan that a request asks about.

    Raises:
        UnknownRunError: there is no such request, or its plan was erased.
    """
    plan = json.loads(_part(_entry_of(store, store.request(request)), "plan"))
    return [str(line) for line in plan["lines"]]


def _entry_of(store: SqlStore, asked: ApprovalRequest) -> Entry:
    with store.database.read() as connection:
        entries = read_run(connection, asked.run)
    for entry in entries:
        if entry.kind == "approval.requested" and entry.data["request"] == asked.id:
            return entry
    raise UnknownRunError(f"There is no request {asked.id}.")


def _part(entry: Entry, name: str) -> bytes:
    part = entry.parts.get(name)
    if part is None or part.value is None:
        raise UnknownRunError(ERASED)
    return part.value
