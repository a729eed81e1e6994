"""What every workspace of a host is put together from, and how one is.

It is put together as `interlock serve` puts together the only one of a process: with settings,
a log and a database of its own. Only the receiving is left to the host.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from pydantic import SecretStr

from bot.app import Bot
from bot.core import Means
from bot.opening import begin_log
from bot.serve import put_together
from bot.settings import Settings, read_settings
from bot.workspaces.register import Register
from storage.database import open_database
from storage.installations import Installation
from storage.log_setup import has_log
from storage.schemas import make_schema

INVITED_WITHIN = timedelta(hours=1)
STARTS_AT_ONCE = 4

log = logging.getLogger(__name__)


class Secrets:
    """Takes out of the log what any workspace holds."""

    def __init__(self, *redactors: Callable[[str], str]) -> None:
        self._redactors = {str(number): one for number, one in enumerate(redactors)}

    def add(self, workspace: str, redact: Callable[[str], str]) -> None:
        """Take out what a workspace holds too."""
        self._redactors[workspace] = redact

    def __call__(self, text: str) -> str:
        for redact in list(self._redactors.values()):
            text = redact(text)
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a host stands on: settings, the environment they came from, and its register."""

    settings: Settings
    environment: Mapping[str, str]
    register: Register
    means: Means
    continues_runs: bool = True
    # Twenty at once would help nobody; one at a time, each would wait for a Slack that is away.
    starting: threading.Semaphore = field(
        default_factory=lambda: threading.Semaphore(STARTS_AT_ONCE)
    )
    secrets: Secrets = field(default_factory=Secrets)


def put_together_one(ground: Ground, one: Installation, stack: ExitStack) -> Bot:
    """Return the bot of a workspace, as the only one of a process is put together."""
    settings = settings_of(ground, one)
    with ground.starting:
        _begin_log_if_new(ground.settings, settings)
        bot = put_together(
            settings,
            ground.means,
            stack,
            continues_runs=ground.continues_runs,
            receives=False,
            awaits_invitation=partial(_is_new, ground, one.id),
        )
    ground.secrets.add(one.id, bot.core.redact)
    log.info("serving a workspace", extra={"workspace": one.id, "home": str(settings.home)})
    return bot


def _is_new(ground: Ground, ident: str) -> bool:
    """Say whether the app came in so recently that it may not have been invited anywhere yet."""
    found = ground.register.installations.find(ident)
    return found is not None and ground.means.clock() - found.installed_at < INVITED_WITHIN


def settings_of(ground: Ground, one: Installation) -> Settings:
    """Return the settings of one workspace: its part of the environment, and its token."""
    settings = read_settings({**ground.environment, "INTERLOCK_WORKSPACE": one.id})
    token = SecretStr(one.tokens.bot) if one.tokens is not None else None
    return settings.model_copy(update={"bot_token": token})


def _begin_log_if_new(host: Settings, settings: Settings) -> None:
    """Begin the log of a workspace on Postgres; on SQLite an empty home begins one by itself."""
    if settings.is_sqlite:
        return
    make_schema(host.database, settings.workspace)
    if (settings.home / "keys").exists():
        return  # Its log has begun; should the database have lost it, nobody begins another.
    with closing(open_database(settings.database_url)) as database:
        is_new = not has_log(database)
    if is_new:
        begin_log(settings).database.close()
