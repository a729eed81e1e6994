"""Looks at everything once, in the order in which one thing rests on another.

Nothing is changed: a bot may serve meanwhile, and none need. What rests on something that is
away is unknown.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress

from bot.doctor.around import Around
from bot.doctor.backups import look_at_backups
from bot.doctor.files import look_at_files
from bot.doctor.findings import Finding
from bot.doctor.machine import look_at_machine
from bot.doctor.memory import look_at_memory, open_memory, unseen
from bot.doctor.model import look_at_model
from bot.doctor.published import look_at_published
from bot.doctor.pushed import look_at_push
from bot.doctor.slack import Reached, look_at_slack, reach
from bot.doctor.trust import look_at_head, look_at_trust
from storage.database import Database
from storage.secret_rows import kept_names
from workflows.errors import StorageError


def examine(around: Around) -> list[Finding]:
    """Return what every check found. None of them holds a secret."""
    with ExitStack() as stack:
        reached, found = reach(around)
        found += look_at_slack(around, reached)
        database, seen = open_memory(around, stack)
        found += look_at_files(around, reached, database, kept=_kept(database))
        found += seen
        found += _of_the_log(around, reached, database)
        found += look_at_machine(around)
        found.append(look_at_backups(around, database))
        found.append(look_at_model(around.settings))
    return found


def _kept(database: Database | None) -> list[str]:
    """Return the names of the secrets in the database, as far as it can be read."""
    with suppress(StorageError):
        return [] if database is None else kept_names(database)
    return []


def _of_the_log(
    around: Around, reached: Reached | None, database: Database | None
) -> Iterator[Finding]:
    if database is None:
        yield unseen("log")
        return

    def compared(around: Around, database: Database) -> Iterator[Finding]:
        if reached is not None:
            yield look_at_head(around, reached, database)

    looks: Sequence[Callable[[Around, Database], Iterator[Finding]]]
    looks = (look_at_memory, look_at_published, look_at_trust, compared, look_at_push)
    for look in looks:
        try:
            yield from look(around, database)
        except StorageError:
            yield unseen("log")  # It went away in between.
