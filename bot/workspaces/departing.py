"""The end of an installation: somebody removed the app, or took its tokens back.

Slack tells it in events that may come late, even after the app was installed again. So the
event is only a reason to look; what counts is whether Slack still takes the token.
"""

import logging
from collections.abc import Callable

from bot.workspaces.oauth_client import EXPIRED, OAuthClient
from bot.workspaces.renewing import Renewing
from storage.installations import Installation, Installations

FAREWELLS = frozenset({"app_uninstalled", "tokens_revoked"})

log = logging.getLogger(__name__)


class Departing:
    """Takes note of workspaces that the app is no longer in."""

    def __init__(
        self,
        installations: Installations,
        slack: OAuthClient,
        renewing: Renewing,
        *,
        changed: Callable[[], None],
    ) -> None:
        self._installations = installations
        self._slack = slack
        self._renewing = renewing
        self._changed = changed

    def consider(self, ident: str) -> None:
        """Forget the tokens of a workspace if Slack takes them no more. Its data stays.

        Raises:
            SlackError: Slack cannot say it just now.
            StorageError: it cannot be recorded just now.
        """
        found = self._installations.find(ident)
        if found is None or found.tokens is None:
            return
        if not self._is_over(found):
            log.info("the app is still installed", extra={"workspace": ident})
        elif self._installations.remove(found):
            log.warning("the app was removed; its data stays", extra={"workspace": ident})
        self._changed()  # It may also have got a new token.

    def _is_over(self, found: Installation) -> bool:
        tokens = found.tokens
        refusal = self._slack.refusal_of(tokens.bot) if tokens is not None else ""
        if refusal == EXPIRED:
            return self._renewing.is_spent(found)
        return bool(refusal)
