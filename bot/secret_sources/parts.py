"""Which sources there are, and in which order they are asked.

First what whoever runs the process gave it, the environment and the folder; then what is kept
in the database; then the stores of others, which are asked over a network.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from bot.secret_sources.built_in import BuiltInSource
from bot.secret_sources.environment import EnvironmentSource
from bot.secret_sources.folder import FolderSource
from bot.secret_sources.held import HeldSecrets
from bot.secret_sources.port import Source
from bot.secret_sources.remembered import Remembered
from bot.settings import Settings
from bot.workspace_environment import environment_of
from storage.sealing import Sealer
from storage.secret_rows import note_use
from storage.transaction import Database
from workflows.errors import StorageError
from workflows.redaction import Redactor

NOTED_SECONDS = 60.0  # Of many uses in a row, one a minute is noted.

log = logging.getLogger(__name__)


def given_sources(settings: Settings, environment: Mapping[str, str]) -> list[Source]:
    """Return the sources that need no database."""
    found: list[Source] = [EnvironmentSource(environment_of(environment, settings.workspace))]
    if settings.secrets_dir is not None:
        found.append(FolderSource(settings.secrets_dir))
    return found


def held_secrets(
    settings: Settings,
    given: Sequence[Source],
    database: Database,
    sealer: Callable[[], Sealer],
    redact: Redactor,
    *,
    now: Callable[[], datetime],
) -> HeldSecrets:
    """Return every source in its order; the redactor knows what lies on this machine.

    A kept secret that cannot be opened stops nothing but the steps that need it: it could not
    be set anew otherwise.
    """
    sources = every_source(settings, given, database, sealer, redact, now=now)
    held = HeldSecrets(sources, redact, used=Uses(database, now=now))
    for refusal in held.learn():
        log.warning("a secret cannot be used", extra={"why": refusal.message})
    return held


def every_source(
    settings: Settings,
    given: Sequence[Source],
    database: Database,
    sealer: Callable[[], Sealer],
    redact: Redactor,
    *,
    now: Callable[[], datetime],
) -> list[Source]:
    """Return all that is asked for a secret, in its order."""
    return [*given, BuiltInSource(database, sealer), *_far(settings, redact, now)]


def _far(settings: Settings, redact: Redactor, now: Callable[[], datetime]) -> Iterator[Source]:
    """Yield the stores that the settings name."""
    token = settings.vault_token or settings.vault_token_file
    if settings.vault_url and token is not None:
        from bot.secret_sources.vault import VaultSource  # noqa: PLC0415 - only where it is set.

        yield Remembered(
            VaultSource(
                settings.vault_url,
                settings.vault_path,
                token=token,
                namespace=settings.vault_namespace,
                learn=redact.learn,
            )
        )
    if settings.aws_secrets:
        from bot.aws import secrets_manager_of  # noqa: PLC0415 - as above.
        from bot.secret_sources.aws import AwsSource  # noqa: PLC0415 - as above.

        service = secrets_manager_of(settings, now=now)
        yield Remembered(AwsSource(service, settings.aws_secrets))


class Uses:
    """Remembers when a secret was last used. Safe to share between threads."""

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._noted: dict[str, float] = {}

    def __call__(self, name: str) -> None:
        """Note that a secret is being used."""
        ticks = time.monotonic()
        if ticks - self._noted.get(name, float("-inf")) < NOTED_SECONDS:
            return
        self._noted[name] = ticks
        # The trail says who used what; this is a line in a list, and no effect fails for it.
        with suppress(StorageError):
            note_use(self._database, name, at=self._now())
