"""Where this process seals secrets, opened when something is first to be sealed.

A bot that never keeps one thus makes no key, and needs none.
"""

from collections.abc import Callable
from datetime import datetime
from functools import cache

from bot.opening import log_id_of
from bot.settings import Settings
from storage.sealing import Sealer, open_sealer
from storage.transaction import Database


def lazy_vault(
    settings: Settings, database: Database, *, now: Callable[[], datetime]
) -> Callable[[], Sealer]:
    """Return what opens the sealer of this database, once; a failure is tried again.

    What it returns is never called inside a unit: it may write the sealing key.
    """

    @cache
    def opened() -> Sealer:
        from bot.master import master_of  # noqa: PLC0415 - most bots never keep a secret.

        master = master_of(settings, now=now)
        return open_sealer(database, log=log_id_of(database), master=master, now=now())

    return opened
