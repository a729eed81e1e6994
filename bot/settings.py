"""Everything the bot is told from outside, read from the environment once.

Tokens arrive as `SecretStr`, so that no trace and no log prints them by accident. Each of
them, and the database address, may also come from a file: `SLACK_BOT_TOKEN_FILE` names it.
Secrets that definitions use are for `secrets_source`.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from workflows.errors import InterlockError

FROM_FILES = frozenset({"bot_token", "app_token", "signing_secret", "database", "secrets_key"})
SLACK = "https://slack.com/api/"
SECRETS_KEY = "INTERLOCK_SECRETS_KEY"


class SettingsError(InterlockError):
    """A setting is missing or cannot be used."""


class Settings(BaseModel):
    """The settings of DESIGN section 11, under the names of their environment variables."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    home: Path = Field(default=Path(".interlock"), validation_alias="INTERLOCK_HOME")
    database: str = Field(default="", validation_alias="INTERLOCK_DATABASE_URL", repr=False)
    workflows: Path | None = Field(default=None, validation_alias="INTERLOCK_WORKFLOWS")
    policy: Path | None = Field(default=None, validation_alias="INTERLOCK_POLICY")
    origin: str = Field(default="interlock.localhost/audit", validation_alias="INTERLOCK_ORIGIN")
    channel: str = Field(default="", validation_alias="INTERLOCK_CHANNEL")
    command: str = Field(
        default="/ops", validation_alias="INTERLOCK_COMMAND", pattern=r"^/[a-z0-9_-]{1,31}$"
    )
    http: str = Field(default="", validation_alias="INTERLOCK_HTTP")
    api: str = Field(default="", validation_alias="INTERLOCK_API")
    threads: int = Field(default=8, validation_alias="INTERLOCK_THREADS", ge=1, le=64)
    most_runs: int | None = Field(default=None, validation_alias="INTERLOCK_MOST_RUNS", ge=1)
    log_level: str = Field(default="INFO", validation_alias="INTERLOCK_LOG_LEVEL")
    bot_token: SecretStr | None = Field(default=None, validation_alias="SLACK_BOT_TOKEN")
    app_token: SecretStr | None = Field(default=None, validation_alias="SLACK_APP_TOKEN")
    signing_secret: SecretStr | None = Field(default=None, validation_alias="SLACK_SIGNING_SECRET")
    secrets_key: SecretStr | None = Field(default=None, validation_alias=SECRETS_KEY)
    slack_api_url: str = Field(default=SLACK, validation_alias="SLACK_API_URL")

    @field_validator("slack_api_url")
    @classmethod
    def _ends_with_slash(cls, url: str) -> str:
        # slack_sdk joins the method's name to this by hand.
        return url if url.endswith("/") else f"{url}/"

    @field_validator("http", "api")
    @classmethod
    def _is_host_and_port(cls, address: str) -> str:
        if address:
            host, port = _host_and_port(address)
            if not host or not port:
                raise ValueError("write host:port, for example 0.0.0.0:3000")
        return address

    @field_validator("log_level")
    @classmethod
    def _is_a_level(cls, level: str) -> str:
        if level.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            raise ValueError("write DEBUG, INFO, WARNING or ERROR")
        return level.upper()

    @property
    def database_url(self) -> str:
        """Return where everything is remembered, by default a file in the home folder."""
        return self.database or f"sqlite:///{self.home / 'interlock.db'}"

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a file, which one process writes."""
        return not self.database_url.startswith("postgres")

    @property
    def definitions(self) -> Path:
        """Return the folder of the workflow files."""
        return self.workflows or self.home / "workflows"

    @property
    def policy_file(self) -> Path:
        """Return the file that says who must agree to what."""
        return self.policy or self.home / "policy.yaml"

    @property
    def slack_host(self) -> str:
        """Return where Slack is, without what else may stand in the address."""
        return urlsplit(self.slack_api_url).hostname or "SLACK_API_URL"

    @property
    def http_address(self) -> tuple[str, int]:
        """Return where to listen for signed HTTP."""
        return _host_and_port(self.http)

    @property
    def api_address(self) -> tuple[str, int]:
        """Return where to listen for programs and webhooks."""
        return _host_and_port(self.api)

    @property
    def tokens(self) -> tuple[str, ...]:
        """Return every token and key held, for the redactor."""
        held = (self.bot_token, self.app_token, self.signing_secret, self.secrets_key)
        return tuple(one.get_secret_value() for one in held if one is not None)


def _host_and_port(address: str) -> tuple[str, int]:
    parts = urlsplit(f"//{address}")
    return parts.hostname or "", parts.port or 0


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings that `environment` gives; an empty variable gives none.

    Raises:
        SettingsError: one of them cannot be used; it says which, never its value.
    """
    try:
        return Settings.model_validate(_given(environment))
    except ValidationError as error:
        faults = "; ".join(f"{one['loc'][0]}: {one['msg']}" for one in error.errors())
        raise SettingsError(f"Some settings cannot be used: {faults}.") from None


def _given(environment: Mapping[str, str]) -> dict[str, str]:
    """Return each variable that is set, or the content of the file that stands for it."""
    found: dict[str, str] = {}
    for name, field in Settings.model_fields.items():
        variable = str(field.validation_alias)
        value, file = environment.get(variable), environment.get(f"{variable}_FILE")
        if value:
            found[variable] = value
        elif file and name in FROM_FILES:
            found[variable] = _content(f"{variable}_FILE", Path(file))
    return found


def _content(variable: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(
            f"{variable} names {path}, which cannot be read: {error.strerror}.",
            hint="Correct the path or its permissions.",
        ) from error


def require_tokens(settings: Settings) -> None:
    """Return if the tokens for the chosen way of receiving are there and look right.

    Raises:
        SettingsError: one is missing, or stands where another belongs.
    """
    require_bot_token(settings)
    if settings.http:
        _token(settings.signing_secret, "SLACK_SIGNING_SECRET", "")
    else:
        _token(settings.app_token, "SLACK_APP_TOKEN", "xapp-")


def require_bot_token(settings: Settings) -> None:
    """Return if the bot's own token is there and looks right.

    Raises:
        SettingsError: it is missing, or another token stands in its place.
    """
    _token(settings.bot_token, "SLACK_BOT_TOKEN", "xoxb-")


def _token(token: SecretStr | None, name: str, start: str) -> None:
    if token is None:
        raise SettingsError(
            f"{name} is not set, so Slack cannot be reached.",
            hint="Copy it from the app's settings on api.slack.com; docs/operations says where.",
        )
    if not token.get_secret_value().startswith(start):
        raise SettingsError(
            f"{name} does not start with {start}, so it is another kind of token.",
            hint="Copy the right one from the app's settings on api.slack.com.",
        )
