"""One of a host's workspaces for a process of its own: a command, or a worker.

The bot token stands in the host's register, and is read there; renewing it is left to the host.
"""

import logging
import os
from collections.abc import Callable, Mapping

from pydantic import SecretStr

from bot.settings import Settings, SettingsError, read_settings
from bot.threaded import Threaded
from bot.workspaces.register import opened_register
from storage.journal import utc_now
from workflows.errors import InterlockError

LOOK_SECONDS = 60.0
STOP_SECONDS = 10.0
ONE = "INTERLOCK_WORKSPACE"

log = logging.getLogger(__name__)


def host_of(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of the host, for whoever was told about one of its workspaces."""
    return read_settings({name: value for name, value in environment.items() if name != ONE})


def with_token(settings: Settings, environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of a workspace with the bot token that counts now.

    Raises:
        SettingsError: the app is not installed there.
        StorageError, SecretError: the register cannot be read.
    """
    with opened_register(host_of(environment), now=utc_now) as register:
        found = register.installations.find(settings.workspace)
    if found is None or found.tokens is None:
        raise SettingsError(
            f"The app is not installed in {settings.workspace}.",
            hint="`interlock workspaces` lists where it is.",
        )
    return settings.model_copy(update={"bot_token": SecretStr(found.tokens.bot)})


class TokenWatch(Threaded):
    """Looks each minute whether the host has renewed the token of a workspace."""

    def __init__(self, settings: Settings, use: Callable[[str], None]) -> None:
        self._settings = settings
        self._use = use
        super().__init__("token", stop_seconds=STOP_SECONDS)

    def look(self) -> None:
        """Go on with the token that counts now."""
        token = with_token(self._settings).bot_token
        if token is not None:
            self._use(token.get_secret_value())

    def _work(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            try:
                self.look()
            except InterlockError:
                log.warning("the token was not looked up", exc_info=True)
