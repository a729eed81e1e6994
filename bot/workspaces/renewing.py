"""Gets new tokens before those at hand expire, whoever of several processes is first."""

import logging
from dataclasses import replace

from bot.slack_errors import SlackError, UnreadyError
from bot.workspaces.oauth_client import GONE, OAuthClient
from storage.change import Clock
from storage.installations import Installation, Installations, Renewal, Tokens
from workflows.errors import StorageError

SPENT = GONE | {"invalid_refresh_token"}  # What Slack says of a refresh token that is good no more.

log = logging.getLogger(__name__)


class Renewing:
    """Renews tokens for a host. Safe to share between threads."""

    def __init__(self, installations: Installations, slack: OAuthClient, *, now: Clock) -> None:
        self._installations = installations
        self._slack = slack
        self._now = now
        # What Slack gave and the database could not take, by workspace.
        self._unkept: dict[str, tuple[Renewal, Tokens]] = {}
        self._expired: dict[str, str] = {}  # Bot tokens that Slack calls so, by workspace.

    def note_expired(self, installation: Installation) -> None:
        """Renew the token of an installation at the next look: Slack's clock is what counts."""
        if installation.tokens is not None and installation.tokens.refresh:
            self._expired[installation.id] = installation.tokens.bot

    def fresh(self, found: Installation) -> Installation:
        """Return `found`, with new tokens if it was time for them and Slack gave them.

        Those at hand last two hours more when it is time, so that nothing depends on one try.
        """
        if found.id in self._unkept:
            return self._kept(found)
        expired = self._expired.pop(found.id, "")
        if found.tokens is None or not (expired or found.tokens.is_due(self._now())):
            return found
        right = self._installations.take_renewal(found.id, expired=expired)
        if right is not None:
            try:
                return self._renewed(found, right)
            except SlackError as error:
                self._tell(found, error)
        return self._installations.find(found.id) or found

    def is_spent(self, found: Installation) -> bool:
        """Say whether Slack gives no new tokens any more for those that it calls expired.

        Raises:
            SlackError: nobody can tell just now.
            StorageError: as the register.
        """
        if found.tokens is None or not found.tokens.refresh:
            return True
        if found.id not in self._unkept:
            right = self._installations.take_renewal(found.id, expired=found.tokens.bot)
            try:
                if right is not None:
                    self._renewed(found, right)
                    return False
            except SlackError as error:
                if error.code not in SPENT:
                    raise
                return self._is_unchanged(found)
        if self._is_unchanged(found):
            raise UnreadyError("oauth.v2.access", "renewing")  # Another is about to know.
        return False

    def _is_unchanged(self, found: Installation) -> bool:
        now = self._installations.find(found.id)
        return now is not None and now.tokens == found.tokens

    def _renewed(self, found: Installation, right: Renewal) -> Installation:
        """Use the right to renew; where Slack does not, it is given back."""
        try:
            fresh = self._slack.renewed(right.tokens)
        except SlackError:
            self._installations.give_back(right)
            raise
        self._unkept[found.id] = (right, fresh)
        log.info("a token was renewed", extra={"workspace": found.id})
        return self._kept(found)

    def _kept(self, found: Installation) -> Installation:
        """Store what Slack gave in place of a refresh token that it has used up.

        Where the database has no room, it is used without that, and stored at the next look.
        """
        held = self._unkept.get(found.id)
        if held is not None:
            right, fresh = held
            try:
                self._installations.renew(right, fresh)
            except StorageError:
                told = {"workspace": found.id}
                log.exception("a renewed token is not stored yet; do not stop this", extra=told)
                return replace(found, tokens=fresh)
            self._unkept.pop(found.id, None)  # Another thread may have been as quick.
        return self._installations.find(found.id) or found

    def _tell(self, found: Installation, error: SlackError) -> None:
        trouble = f"its token could not be renewed ({error.code})"
        if found.trouble != trouble:
            log.error("a token is not renewed", extra={"workspace": found.id, "error": error.code})
            self._installations.note_trouble(found.id, trouble)
