"""The review of access that governors signed last, as they were shown it."""

import json

from storage.history import read_run
from storage.listing import Wanted, list_runs
from storage.transaction import Database
from workflows.access_changes import SignedReview
from workflows.actions.access import digest_of
from workflows.own_workflows import ACCESS_REVIEW
from workflows.run import Status


def last_signed_review(database: Database) -> SignedReview | None:
    """Return it; None where none was signed yet, or its report was erased since."""
    wanted = Wanted(workflow=ACCESS_REVIEW, statuses=frozenset({Status.DONE}))
    for run in list_runs(database, wanted, most=1):
        with database.read() as connection:
            entries = read_run(connection, run.id)
        intents = [one for one in entries if one.kind == "action.intended"]
        part = intents[-1].parts.get("args") if intents else None
        if part is not None and part.value is not None:
            told = json.loads(part.value)
            return SignedReview(
                csv=told["csv"],
                findings=tuple(told["findings"]),
                day=f"{intents[-1].at:%Y-%m-%d}",
                digest=digest_of(told["csv"]),
            )
    return None
