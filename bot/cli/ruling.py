"""How files stand to what is in force: which policy a command judges by, what runs take."""

from pathlib import Path

from bot.cli.reading import opened
from bot.policy_in_force import Ruling, gating, ruling_of
from bot.settings import Settings
from storage.database import sqlite_path
from storage.published import active_version
from workflows.definition import Definition
from workflows.loading import load_policy


def ruling_here(settings: Settings, named: Path | None) -> Ruling:
    """Return the policy in the file that was `named`; without one, the policy in force.

    Where no log was begun, nothing is in force yet, and the settings' file counts.

    Raises:
        SettingsError, DefinitionError: that policy cannot be used.
        StorageError: what is in force cannot be read.
    """
    if named is not None or not has_log(settings):
        return Ruling(policy=load_policy(named or settings.policy_file))
    with opened(settings) as database:
        return ruling_of(settings, database)


def ruling_if_any(settings: Settings, named: Path | None) -> Ruling | None:
    """Return the same, None where there is no policy: no file, and none that people agreed to.

    Raises:
        SettingsError, DefinitionError, StorageError: as `ruling_here`.
    """
    if named is None and not settings.policy_file.exists() and not _is_agreed(settings):
        return None
    return ruling_here(settings, named)


def active_here(settings: Settings, workflow: str) -> str | None:
    """Return the version that new runs of a workflow take here, None where it has none.

    Raises:
        StorageError: what is active cannot be read.
    """
    if not has_log(settings):
        return None
    with opened(settings) as database:
        return active_version(database, workflow)


def other_version(active: str | None, file: Definition) -> str:
    """Return what to know where runs take another version than that of the file."""
    if active in (None, file.version):
        return ""
    return (
        f"The file of {file.workflow} says version {file.version[:8]}, which is judged here; runs"
        f" take {active[:8]}."
    )


def _is_agreed(settings: Settings) -> bool:
    if not has_log(settings):
        return False
    with opened(settings) as database:
        return gating(database) is not None


def has_log(settings: Settings) -> bool:
    """Say whether the settings are those of one log that may have been begun."""
    if settings.serves_many and not settings.workspace:
        return False
    return not settings.is_sqlite or sqlite_path(settings.database_url).exists()
