"""Gives stories their words, where the release before wrote them or wrote them anew.

A few at a time, the newest first, each few in a transaction of their own: whoever is cut short
leaves the rest to the next. Nobody waits for a row here, and nobody waits long for this.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, select, update

from storage.message_models import SummaryRecord
from storage.transaction import Database
from storage.word_reading import words_of

AT_ONCE = 100


def has_unread(connection: Connection) -> bool:
    """Say whether a story has no words yet: the search of before answers until then."""
    return connection.execute(_unread().limit(1)).first() is not None


def read_some(database: Database, *, at_once: int = AT_ONCE) -> int:
    """Read the newest stories without words; return how many there were."""
    with database.read() as connection:
        found = connection.execute(_unread().limit(at_once)).all()
    words = {one.id: words_of(one.body) for one in found}  # Outside the transaction: it takes time.
    if not words:
        return 0
    with database.begin() as tx:
        _keep(tx.connection, found, words)
    return len(found)


def _keep(connection: Connection, found: Sequence[Row[Any]], words: Mapping[int, str]) -> None:
    """Give these stories their words, but those that were written anew meanwhile."""
    entries = {one.id: one.entry_id for one in found}
    # Where another process is at it, a story is left to that one.
    free = _unread().where(SummaryRecord.id.in_(words)).with_for_update(skip_locked=True)
    values = [
        {"story": one.id, "read": words[one.id]}
        for one in connection.execute(free)
        if one.entry_id == entries[one.id]
    ]
    if values:
        its_own = SummaryRecord.__table__.c.id == bindparam("story")
        wanted = update(SummaryRecord).where(its_own).values(words=bindparam("read"))
        connection.execute(wanted, values, execution_options={"synchronize_session": None})


def _unread() -> Select[Any]:
    columns: list[Any] = [SummaryRecord.id, SummaryRecord.entry_id, SummaryRecord.body]
    return select(*columns).where(SummaryRecord.words.is_(None)).order_by(SummaryRecord.id.desc())
