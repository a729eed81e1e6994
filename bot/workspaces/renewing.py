"""Gets new tokens before those at hand expire, whoever of several processes is first."""

import logging

from bot.slack_errors import SlackError
from bot.workspaces.oauth_client import OAuthClient
from storage.change import Clock
from storage.installations import Installation, Installations

log = logging.getLogger(__name__)


class Renewing:
    """Renews tokens for a host. Safe to share between threads."""

    def __init__(self, installations: Installations, slack: OAuthClient, *, now: Clock) -> None:
        self._installations = installations
        self._slack = slack
        self._now = now

    def fresh(self, found: Installation) -> Installation:
        """Return `found`, with new tokens if it was time for them and Slack gave them.

        Those at hand last two hours more when it is time, so that nothing depends on one try.
        """
        if found.tokens is None or not found.tokens.is_due(self._now()):
            return found
        right = self._installations.take_renewal(found.id)
        if right is not None:
            try:
                fresh = self._slack.renewed(right.tokens)
            except SlackError as error:
                self._installations.give_back(right)
                self._tell(found, error)
            else:
                # Slack has used up the old refresh token, so nothing may come before this.
                self._installations.renew(right, fresh)
                log.info("a token was renewed", extra={"workspace": found.id})
        return self._installations.find(found.id) or found

    def _tell(self, found: Installation, error: SlackError) -> None:
        trouble = f"its token could not be renewed ({error.code})"
        if found.trouble != trouble:
            log.error("a token is not renewed", extra={"workspace": found.id, "error": error.code})
            self._installations.note_trouble(found.id, trouble)
