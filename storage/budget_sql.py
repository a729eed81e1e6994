"""The statements of budgets: what is taken, who may take now, and for whom a budget counts."""

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from storage.change import RowSql, read_moment
from workflows.store import Taken

KEY_HEX = 32
_TAKEN = "FROM budget_use WHERE budget = ? AND key = ? AND taken_at > ? AND given_back_at IS NULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedBudget:
    """How much of a budget is used for one whom it counts for; `value` is who, if that is kept."""

    key: str
    value: str
    used: int
    oldest: datetime | None  # When the first share of it was taken.


class BudgetSql(RowSql):
    """The statements, on one transaction."""

    __slots__ = ()

    def hold(self, name: str, key: str) -> None:
        """Keep other transactions from taking of a budget until this one ends."""
        if not self._is_sqlite:
            self.run("SELECT pg_advisory_xact_lock(hashtextextended(?, 3))", f"{name}\n{key}")

    def used(self, name: str, key: str, *, since: datetime) -> int:
        """Return how much was taken after `since` and not given back."""
        found = self.run(f"SELECT coalesce(sum(amount), 0) {_TAKEN}", name, key, since)
        return int(found.fetchone()[0])

    def taken(self, name: str, key: str, *, since: datetime) -> Sequence[Taken]:
        """Return what was taken after `since` and not given back, oldest first."""
        found = self.run(
            f"SELECT taken_at, amount {_TAKEN} ORDER BY taken_at, entry_id",
            *(name, key, since),
        )
        return [Taken(at=read_moment(at), amount=amount) for at, amount in found.fetchall()]

    def by_key(self, name: str, *, since: datetime) -> list[UsedBudget]:
        """Return what is used after `since`, for each whom the budget counts for, most first."""
        found = self.run(
            "SELECT u.key, k.value, sum(u.amount) AS used, min(u.taken_at) FROM budget_use u"
            " LEFT JOIN budget_key k ON k.key = u.key WHERE u.budget = ? AND u.taken_at > ?"
            " AND u.given_back_at IS NULL GROUP BY u.key, k.value ORDER BY used DESC, u.key",
            *(name, since),
        )
        return [
            UsedBudget(key=key, value=value or "", used=int(used), oldest=read_moment(oldest))
            for key, value, used, oldest in found.fetchall()
        ]

    def key(self, name: str, value: str) -> str:
        """Return the pseudonym of `value`, made on first use."""
        known = self.known_key(name, value)
        if known is not None:
            return known
        k = secrets.token_bytes(32)
        self.run(
            "INSERT INTO budget_key (key, k, budget, value) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (budget, value) DO NOTHING",
            *(budget_pseudonym(k, name, value), k, name, value),
        )
        found = self.known_key(name, value)  # Another transaction may have been first.
        if found is None:
            raise RuntimeError("a pseudonym that was just stored is not there")
        return found

    def known_key(self, name: str, value: str) -> str | None:
        """Return the pseudonym of `value`, None if there is none yet."""
        found = self.run(
            "SELECT key FROM budget_key WHERE budget = ? AND value = ?", name, value
        ).fetchone()
        return None if found is None else str(found[0])


def budget_pseudonym(k: bytes, name: str, value: str) -> str:
    """Return the pseudonym that `k` gives to whom a budget counts for, as `pseudonym` does."""
    mac = hmac.new(k, f"{name}\0{value}".encode(), "sha256").hexdigest()
    return f"b:{mac[:KEY_HEX]}"
