"""Tokens of Workflow Builder steps, sealed: each completes its one step and nothing else.

They are kept until their step is completed, at most a month: Slack's own end long before that.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cached_property

from sqlalchemy import select

from storage.access_models import StepTokenRecord
from storage.change import RowSql
from storage.sealing import Sealer
from storage.transaction import Database

LONGEST = timedelta(days=30)


class StepTokens:
    """The sealed tokens of one database. Safe to share between threads."""

    def __init__(self, database: Database, open_sealer: Callable[[], Sealer]) -> None:
        """Nothing is opened before the first token comes."""
        self._database = database
        self._open_sealer = open_sealer

    @cached_property
    def _sealer(self) -> Sealer:
        return self._open_sealer()

    def keep(self, execution: str, token: str, *, at: datetime) -> None:
        """Keep the token of an execution; those of steps long past are dropped.

        Raises:
            SecretError: values cannot be sealed here.
            StorageError: it was not kept.
        """
        sealed = self._sealer.seal(token.encode(), name=token_name(execution))
        with self._database.begin() as tx:
            sql = RowSql(tx)
            sql.run("DELETE FROM step_token WHERE made_at < ?", at - LONGEST)
            sql.run(
                "INSERT INTO step_token (execution, sealed, made_at) VALUES (?, ?, ?)"
                " ON CONFLICT (execution) DO UPDATE SET sealed = excluded.sealed,"
                " made_at = excluded.made_at",
                *(execution, sealed, at),
            )

    def find(self, execution: str) -> str | None:
        """Return the token of an execution, if there is one.

        Raises:
            SecretError: it cannot be opened here.
        """
        query = select(StepTokenRecord.sealed).where(StepTokenRecord.execution == execution)
        with self._database.read() as connection:
            sealed = connection.execute(query).scalar()
        if sealed is None:
            return None
        return self._sealer.open_sealed(sealed, name=token_name(execution)).decode()

    def drop(self, execution: str) -> None:
        """Forget the token of an execution that is over."""
        with self._database.begin() as tx:
            RowSql(tx).run("DELETE FROM step_token WHERE execution = ?", execution)


def token_name(execution: str) -> str:
    """Return the name under which the token of an execution is sealed."""
    return f"step-token/{execution}"
