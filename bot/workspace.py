"""Slack under one bot token: whose it is, and what of the log is remembered there."""

from dataclasses import dataclass

from bot.head_check import Witness, witness_of
from bot.org_client import slack_of
from bot.settings import Settings, SettingsError
from bot.slack_client import Answer, SlackClient
from bot.slack_errors import SlackError, says_no


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """Slack under one bot token, and whose token it is."""

    client: SlackClient
    team: str
    user: str  # The bot's own.
    url: str
    settings: Settings

    @property
    def token(self) -> str:
        """Return the bot token."""
        return self.settings.bot_token.get_secret_value() if self.settings.bot_token else ""

    @property
    def witness(self) -> Witness:
        """Return Slack as far as it remembers the log."""
        return witness_of(self.client, self.settings, user=self.user)


def enter_workspace(settings: Settings) -> Workspace:
    """Ask Slack whose token this is.

    Raises:
        SettingsError: Slack does not take the token, cannot be reached, or says that the token
            is for another workspace than the settings.
    """
    client = slack_of(settings)
    identity = _identity(client, settings)
    whose = identity.get("enterprise_id") if settings.is_org else identity["team_id"]
    if settings.workspace and whose != settings.workspace:
        raise SettingsError(
            f"The token that is stored for {settings.workspace} is that of {whose}.",
            hint="Install the app there again.",
        )
    return Workspace(
        client=client,
        team=str(whose),
        user=str(identity.get("user_id", "")),
        url=str(identity.get("url", "")),
        settings=settings,
    )


def _identity(client: SlackClient, settings: Settings) -> Answer:
    try:
        return client.identity()
    except SlackError as error:
        if says_no(error):
            raise SettingsError(
                f"Slack does not take SLACK_BOT_TOKEN: {error.code}.",
                hint="Check the token, and SLACK_API_URL if you set it.",
            ) from error
        raise out_of_reach(settings, error.code) from error


def out_of_reach(settings: Settings, code: str) -> SettingsError:
    """Return the refusal to start while Slack does not say who the bot is."""
    return SettingsError(
        f"Slack cannot be reached at {settings.slack_host} ({code}).",
        hint="Nothing was started. Start it again when Slack answers.",
    )
