"""Opens what a host remembers: who installed the app, and who is about to.

It is a small database beside the homes of the workspaces. On Postgres it is the one that
INTERLOCK_DATABASE_URL names, where each workspace has a schema of its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bot.master import following_master, master_of
from bot.opening import PRIVATE
from bot.settings import Settings, SettingsError
from storage.change import Clock
from storage.database import open_database
from storage.flushed import make_folder
from storage.installations import LOG, Installations
from storage.migrate import is_empty, is_usable, upgrade
from storage.oauth_states import OAuthStates
from storage.sealing import open_sealer
from storage.transaction import Database
from workflows.errors import UnusableDatabaseError

FILE = "installations.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """The open register of a host."""

    installations: Installations
    states: OAuthStates


@contextmanager
def opened_register(settings: Settings, *, now: Clock) -> Iterator[Register]:
    """Open the register of the host whose settings these are; a new host begins one.

    Raises:
        SettingsError: the home folder cannot be made.
        SecretError: the key under which the tokens lie sealed is not here.
        StorageError: the database cannot be opened.
    """
    _make_home(settings)
    database = open_database(register_address(settings))
    try:
        _require_tables(database)
        sealer = open_sealer(database, log=LOG, master=master_of(settings, now=now), now=now())
        yield Register(
            installations=Installations(database, sealer, now=now),
            states=OAuthStates(database, now=now),
        )
    finally:
        database.close()


def resealed(settings: Settings, *, renewed: bool, now: Clock) -> int:
    """Seal the tokens of all installations by a new key; return how many values that were.

    Raises:
        SecretError: the master key is not here, or the new one is none.
        StorageError: nothing was changed.
    """
    from storage.resealing import reseal_host  # noqa: PLC0415 - a host that serves needs none of it.

    database = open_database(register_address(settings))
    try:
        _require_tables(database)
        return reseal_host(
            database,
            master=master_of(settings, now=now),
            following=following_master(settings, renewed=renewed, now=now),
            now=now(),
        )
    finally:
        database.close()


def register_address(settings: Settings) -> str:
    """Return where the register is."""
    return str(settings.home / FILE) if settings.is_sqlite else settings.database


def _make_home(settings: Settings) -> None:
    try:
        make_folder(settings.home, mode=PRIVATE)
    except OSError as error:
        raise SettingsError(
            f"The home folder {settings.home} cannot be made: {error.strerror}.",
            hint="Set INTERLOCK_HOME to a folder that this user may write.",
        ) from error


def _require_tables(database: Database) -> None:
    if is_empty(database.engine):
        upgrade(database.engine)
    if not is_usable(database.engine):
        raise UnusableDatabaseError(
            "The register of installations has another schema than this release.",
            hint="Run `interlock migrate`.",
        )
