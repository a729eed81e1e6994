"""States of installations that have begun: each is good once, and for ten minutes.

A state ties the answer that comes back from Slack to the browser in which somebody began.
"""

import hashlib
import secrets
from datetime import timedelta

from storage.change import Clock, RowSql
from storage.transaction import Database

LASTS = timedelta(seconds=600)
MOST = 1_000  # Anybody can begin; who only begins must not fill the disk.
BYTES = 32


class OAuthStates:
    """The states of a host. Safe to share between threads and processes."""

    def __init__(self, database: Database, *, now: Clock) -> None:
        self._database = database
        self._now = now

    def issue(self) -> str:
        """Return a new state; the oldest goes when there are too many."""
        state = secrets.token_urlsafe(BYTES)
        now = self._now()
        with self._database.begin() as tx:
            sql = RowSql(tx)
            sql.run("DELETE FROM oauth_state WHERE expires_at <= ?", now)
            sql.run(
                "DELETE FROM oauth_state WHERE digest IN (SELECT digest FROM oauth_state"
                " ORDER BY expires_at DESC LIMIT 1000000 OFFSET ?)",
                MOST - 1,
            )
            sql.run(
                "INSERT INTO oauth_state (digest, expires_at) VALUES (?, ?)",
                *(_digest(state), now + LASTS),
            )
        return state

    def consume(self, state: str) -> bool:
        """Say whether `state` was issued and is not too old; it is used up by that."""
        with self._database.begin() as tx:
            taken = RowSql(tx).run(
                "DELETE FROM oauth_state WHERE digest = ? AND expires_at > ?",
                *(_digest(state), self._now()),
            )
            return bool(taken.rowcount)


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()
