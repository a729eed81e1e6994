"""Where somebody finds the bot's Home tab."""

import re

from bot.settings import Settings
from bot.slack_client import BASE_URL

# Slack writes the app's id into its app-level token; nothing else says it before a first event.
_APP_TOKEN = re.compile(r"xapp-\d+-(A[A-Z0-9]+)-")


def home_address(settings: Settings, *, team: str, workspace_url: str) -> str:
    """Return the address of the Home tab, nothing where the app's id is not known."""
    token = settings.app_token.get_secret_value() if settings.app_token else ""
    found = _APP_TOKEN.match(token)
    if found is None:
        return ""
    # Slack leads from its own address into the client; another server has one of its own.
    base = "https://slack.com/" if settings.slack_api_url == BASE_URL else workspace_url
    return f"{base}app_redirect?app={found[1]}&team={team}&tab=home"
