"""Removes payloads whose term is over: each day by the clock, or at once by order."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from bot.timetable import Schedule, minute_of
from storage.store import SqlStore
from workflows.policy import Policy
from workflows.triggers import Missed, Trigger

if TYPE_CHECKING:
    from storage.retention.sweep import Swept

NAME = "retention-sweep"


class Sweeping:
    """Sweeps under the policy that this process goes by."""

    def __init__(self, store: SqlStore, policy: Policy, *, now: Callable[[], datetime]) -> None:
        self._store = store
        self._policy = policy
        self._now = now

    def schedule(self, log_id: str) -> Schedule:
        """Return when it sweeps: at a minute of the log's own, since hosts hold many logs."""

        def begin(_due: datetime) -> None:
            self.sweep()

        minute = minute_of(log_id)
        return Schedule(
            name=NAME,
            workflow=NAME,
            title="Removal of old payloads",
            trigger=Trigger(cron=f"{minute} 3 * * *", missed=Missed.RUN_ONCE),
            begin=begin,
        )

    def sweep(self) -> "Swept":
        """Remove what is due now, and what is left of it on the disk.

        So goes, too, what an erasure or a sweep left there that was cut short, by whichever
        process: nothing but the disk knows of that.

        Raises:
            StorageError: nothing was removed, or something of it is still on the disk; doing it
                again makes up for either.
        """
        # Once a day, and a waiting bot does without.
        from storage.retention.removal import overwrite_deleted  # noqa: PLC0415 - as said.
        from storage.retention.sweep import sweep  # noqa: PLC0415 - as said.

        found = sweep(
            self._store, policy=self._policy.digest, terms=self._policy.terms, now=self._now()
        )
        overwrite_deleted(self._store.database)
        return found
