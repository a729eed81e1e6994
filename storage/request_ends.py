"""When open requests end, and what is said of them before, after the clock was set back.

Their moments were fixed by the clock as it was. By one that was set back they would come later
than the policy lets them, and people could decide for so much longer.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from storage.change import read_moment
from storage.run_sql import RunSql
from storage.transaction import Database
from workflows.store import Due, DueKind

_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_WITH_IT = (DueKind.EXPIRE, DueKind.REMIND, DueKind.ESCALATE, DueKind.NUDGE)
_ENDS = (
    "SELECT d.key, d.run_id, d.at, r.raised_at, r.expires_at FROM due d"
    " JOIN approval_request r ON r.id = d.key WHERE d.kind = ? AND r.raised_at > ?"
    " ORDER BY d.at, d.key"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetBack:
    """That the clock shows `now`, `by` so much less than it would have, and was right `since`.

    Nothing is known of what it did before a process began: then `by` is nothing.
    """

    now: datetime
    by: timedelta = timedelta(0)
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """The end of an open request as it stands, and the two moments that it was raised with."""

    due: Due
    raised_at: datetime
    expires_at: datetime

    def by(self, clock: SetBack) -> datetime:
        """Return when it ends by a clock that was set back; the same, however often it is asked.

        Without knowing by how much, it has no more time left than it was given.
        """
        if self.raised_at > clock.now:
            longest = clock.now + (self.expires_at - self.raised_at)
            return min(self.due.at, self.expires_at - clock.by, longest)
        if clock.since is None or self.raised_at >= clock.since:
            return self.due.at  # It was raised by the clock as it is now.
        return min(self.due.at, self.expires_at - clock.by)


def end_in_time(database: Database, clock: SetBack) -> None:
    """Have open requests end when the time is over that they were given, as it really went by."""
    raised_after = clock.now if clock.since is None else _EVER
    with database.glance() as tx:
        found = RunSql(tx).run(_ENDS, DueKind.EXPIRE, raised_after).fetchall()
    for key, run, at, raised_at, expires_at in found:
        due = Due(kind=DueKind.EXPIRE, key=key, run=run, at=read_moment(at))
        end = _End(due=due, raised_at=read_moment(raised_at), expires_at=read_moment(expires_at))
        if end.by(clock) < due.at:
            _bring_forward(database, due, by=due.at - end.by(clock))


def _bring_forward(database: Database, end: Due, *, by: timedelta) -> None:
    """Move all moments of a request together, unless another process was first."""
    with database.begin() as tx:
        sql = RunSql(tx)
        sql.hold_run(end.run)
        moments = sql.dues_of(end.key, _WITH_IT)
        for one in moments if end in moments else ():
            sql.set_due(replace(one, at=one.at - by))
