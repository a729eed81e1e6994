"""What has to be set before many workspaces can be served."""

from pydantic import SecretStr

from bot.settings import Settings, SettingsError


def require_app(settings: Settings) -> None:
    """Return if everything is there that many workspaces need.

    Raises:
        SettingsError: something is missing, or does not go together.
    """
    _refuse_both(settings)
    _require_secrets(settings)
    if not settings.http:
        raise SettingsError(
            "INTERLOCK_HTTP is not set, and people install the app over HTTP.",
            hint="Set it to host:port. Many workspaces are not served over Socket Mode.",
        )
    if settings.metrics and settings.metrics in {settings.http, settings.api}:
        raise SettingsError(
            "INTERLOCK_METRICS names an address that is for others, and workspaces are many.",
            hint="Give it a port of its own.",
        )
    if not settings.workspaces:
        raise SettingsError(
            "INTERLOCK_WORKSPACES is not set, so nobody may install the app.",
            hint="Set it to the ids of the workspaces you serve, T0123ABCD,T0456EFGH. Slack shows"
            " them in its address, app.slack.com/client/T…; E… is a whole organisation.",
        )


def app_of(settings: Settings) -> tuple[str, str]:
    """Return the app's own id and secret."""
    return settings.client_id, _plain(settings.client_secret)


def signing_secret_of(settings: Settings) -> str:
    """Return the secret by which Slack's deliveries are known."""
    return _plain(settings.signing_secret)


def _refuse_both(settings: Settings) -> None:
    if settings.bot_token is not None:
        raise SettingsError(
            "SLACK_BOT_TOKEN is that of one workspace, and SLACK_CLIENT_ID is for many.",
            hint="Take one of the two out; docs/operations says what each is for.",
        )
    if settings.workspace:
        raise SettingsError(
            "INTERLOCK_WORKSPACE is set, and a host serves all its workspaces together.",
            hint="Set it for commands and for `interlock worker`, not for `interlock serve`.",
        )


def _require_secrets(settings: Settings) -> None:
    if not settings.client_id or not _plain(settings.client_secret):
        raise SettingsError(
            "SLACK_CLIENT_ID and SLACK_CLIENT_SECRET belong together, and one is not set.",
            hint="Copy both from Basic Information in the app's settings on api.slack.com.",
        )
    if not _plain(settings.signing_secret):
        raise SettingsError(
            "SLACK_SIGNING_SECRET is not set, so nothing that arrives could be trusted.",
            hint="Copy it from Basic Information in the app's settings on api.slack.com.",
        )


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""
