"""What entries say of budgets: taken, given back, and kept after all; rebuilt it is the same."""

from datetime import timedelta

import pytest

from storage.budget_sql import BudgetSql, budget_pseudonym
from storage.rebuild import check_projections
from storage.store import SqlStore
from tests.storage.run_drafts import NOON, fact, failed, finished, intended, new_run, started
from workflows.entry import INTERLOCK, Draft, Json, RunId
from workflows.store import Taken

SINCE = NOON - timedelta(hours=24)
SHARES: list[Json] = [
    {"name": "refunds", "key": "", "amount": 700},
    {"name": "per customer", "key": "b:1f", "amount": 700},
]


def announced(*, attempt: int = 1) -> Draft:
    draft = intended(request=None, attempt=attempt)
    return fact(draft.kind, **{**draft.data, "budgets": SHARES})


def resolved(happened: str, *, run: str | None = "r1") -> Draft:
    by_run: dict[str, Json] = {} if run else {"by_run": "r1"}
    data: dict[str, Json] = {
        "step": "refund",
        "attempt": 1,
        "idem": "r1/refund",
        "happened": happened,
        "by": "late_reply",
        **by_run,
    }
    kind = "action.resolved"
    return Draft(kind=kind, actor=INTERLOCK, data=data, run=RunId(run) if run else None)


def used_after(store: SqlStore, *drafts: Draft) -> int:
    """Return how much of a budget is used once a run has told these facts."""
    with store.begin() as unit:
        unit.add_run(new_run())
        unit.append(started())
    for draft in (announced(), *drafts):
        with store.begin() as unit:
            unit.append(draft)
    assert check_projections(store.database) == []
    return store.budget_used("refunds", "", since=SINCE)


@pytest.mark.parametrize(
    ("drafts", "used"),
    [
        ((), 700),
        ((failed(),), 0),
        ((failed(performed="partly"),), 700),
        ((resolved("no"),), 0),
        ((resolved("unknown"),), 700),
        ((resolved("no"), resolved("yes")), 700),
        ((resolved("no"), finished(), resolved("yes", run=None)), 700),
        ((finished(), resolved("no", run=None)), 0),
        ((failed(), announced(attempt=2)), 700),
    ],
)
def test_a_share_is_spent_unless_it_is_known_that_nothing_happened(
    store: SqlStore, drafts: tuple[Draft, ...], used: int
) -> None:
    assert used_after(store, *drafts) == used


def test_only_what_was_taken_later_counts(store: SqlStore) -> None:
    used_after(store)

    assert store.taken("per customer", "b:1f", since=SINCE) == [Taken(at=NOON, amount=700)]
    assert store.budget_used("per customer", "b:1f", since=NOON) == 0
    assert store.budget_used("per customer", "b:2f", since=SINCE) == 0


def test_a_pseudonym_stays_the_same_and_is_another_for_every_budget(store: SqlStore) -> None:
    with store.begin() as unit:
        first = unit.budget_key("refunds", "acme")
        again = unit.budget_key("refunds", "acme")
        other = unit.budget_key("vouchers", "acme")

    assert first == again != other
    assert store.known_budget_key("refunds", "acme") == first
    assert store.known_budget_key("refunds", "globex") is None


def test_a_pseudonym_can_be_proven_with_its_row_and_not_guessed_without(store: SqlStore) -> None:
    with store.begin() as unit:
        key = unit.budget_key("refunds", "acme")
    with store.database.begin() as tx:
        (k,) = BudgetSql(tx).run("SELECT k FROM budget_key WHERE key = ?", key).fetchone()

    assert budget_pseudonym(bytes(k), "refunds", "acme") == key
    assert budget_pseudonym(bytes(32), "refunds", "acme") != key
