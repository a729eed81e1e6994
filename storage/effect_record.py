"""The record of effects that `sql.execute` keeps in the database it changes.

A row is written in the same transaction as the change, so it is there exactly if the change
is: a second attempt finds it and does nothing, and a doubt is settled by looking.
"""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    DateTime,
    MetaData,
    String,
    Table,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError

EFFECTS = Table(
    "interlock_effect",
    MetaData(),
    Column("key", String(512), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("rows", BigInteger, nullable=False),
)


def recorded(connection: Connection, key: str) -> int | None:
    """Return how many rows the effect under `key` touched, or None if it did not happen."""
    if not exists(connection):
        return None
    return connection.scalar(select(EFFECTS.c.rows).where(EFFECTS.c.key == key))


def exists(connection: Connection) -> bool:
    """Say whether this database has a record of effects."""
    return inspect(connection).has_table(EFFECTS.name)


def can_be_kept(connection: Connection) -> bool:
    """Say whether there is a record, or could be; where there was none this makes it."""
    return exists(connection) or _created(connection)


def claim(connection: Connection, key: str, *, at: datetime) -> None:
    """Write `key` down before the change, if this database lets us.

    Another attempt under the same key waits here until ours has ended.

    Raises:
        sqlalchemy.exc.IntegrityError: another attempt under this key was committed meanwhile.
    """
    if can_be_kept(connection):
        connection.execute(insert(EFFECTS).values(key=key, at=at, rows=0))


def settle(connection: Connection, key: str, *, rows: int) -> None:
    """Complete what `claim` wrote, once the change is known."""
    if exists(connection):
        connection.execute(update(EFFECTS).where(EFFECTS.c.key == key).values(rows=rows))


def _created(connection: Connection) -> bool:
    try:
        with connection.begin_nested():
            EFFECTS.create(connection)
    except DBAPIError:
        # Without the right to create a table there is no record; a doubt waits for a person.
        return exists(connection)
    return True
