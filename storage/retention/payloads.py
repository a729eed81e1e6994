"""What `interlock.erase` works with: the payloads of people in an open log."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence

from storage.retention.holds import refs_known_as
from storage.retention.late import erase_late
from storage.retention.past import Found, payloads_of
from storage.retention.person import erase, was_erased_by
from storage.retention.removal import overwrite_deleted
from storage.retention.traces import account_of
from storage.store import SqlStore
from workflows.actions.erase import Counted, nobody_known_as
from workflows.entry import Ref
from workflows.errors import NotPerformedError, StorageError, StorageUnavailableError

log = logging.getLogger(__name__)


class LogPayloads:
    """The payloads in the log of one store; `policy` gives the digest that markers name."""

    def __init__(self, store: SqlStore, *, policy: Callable[[], str]) -> None:
        self._store = store
        self._policy = policy

    def counted(self, person: str) -> Sequence[Counted] | None:
        ref = self._ref(person)
        if ref is None:
            return None
        with self._store.database.read() as connection:
            return _counted(payloads_of(connection, ref))

    def erase(self, person: str, *, by_run: str) -> Sequence[Counted]:
        ref = self._ref(person)
        if ref is None:
            raise nobody_known_as(person)
        with self._store.database.read() as connection:
            account = account_of(connection, ref)
        try:
            found = erase(self._store, ref, policy=self._policy(), by_run=by_run)
        except StorageError as error:
            raise NotPerformedError(str(error), error_class="storage") from error
        try:
            late = erase_late(
                self._store, ref, account=account, policy=self._policy(), by_run=by_run
            )
            found = [*found, *late]
        except StorageError:
            log.warning("words that came in during an erasure may be left", exc_info=True)
        try:
            overwrite_deleted(self._store.database)
        except StorageUnavailableError:
            # They are gone from the log; the next sweep does the rest.
            log.warning("erased words may be on the disk still", exc_info=True)
        return _counted(found)

    def was_erased_by(self, run: str) -> bool:
        with self._store.database.read() as connection:
            return was_erased_by(connection, run)

    def _ref(self, person: str) -> Ref | None:
        with self._store.database.read() as connection:
            refs = refs_known_as(connection, person)
        if len(refs) > 1:
            raise NotPerformedError(
                f"More than one person is known as {person}; name the account.",
                error_class="unknown_person",
            )
        return Ref(refs[0]) if refs else None


def _counted(found: Sequence[Found]) -> list[Counted]:
    goes = Counter((one.run, one.cls) for one in found if not one.is_held)
    held = Counter((one.run, one.cls) for one in found if one.is_held)
    return [
        Counted(run=run, cls=cls, goes=goes[run, cls], held=held[run, cls])
        for run, cls in sorted(goes.keys() | held.keys())
    ]
