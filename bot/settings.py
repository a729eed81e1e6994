"""Everything the bot is told from outside, read from the environment once.

Tokens arrive as `SecretStr`, so that no trace and no log prints them by accident. Each of
them, and the database address, may also come from a file: `SLACK_BOT_TOKEN_FILE` names it.
Secrets that definitions use are for `secret_sources`.
"""

import os
import re
from collections.abc import Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Literal
from urllib.parse import urljoin, urlsplit

from pydantic import ConfigDict, Field, SecretStr, ValidationError, field_validator

from bot.anchor_settings import SECRETS
from bot.model_settings import ModelSettings
from bot.secret_settings import SecretSettings
from bot.workspace_environment import environment_of, listed_in
from workflows.errors import InterlockError

FROM_FILES = frozenset(
    {
        "bot_token",
        "app_token",
        "signing_secret",
        "client_secret",
        "secrets_key",
        "secrets_key_next",
        "database",
        "push_url",
        "push_token",
        "metrics_token",
        "model_key",
        *SECRETS,
    }
)
SLACK = "https://slack.com/api/"
PLACEHOLDER = "interlock.localhost/audit"  # The name of a log that nobody named.
WORKSPACES = "workspaces"  # In the home of a host: the homes of the workspaces it serves.
WORKSPACE_ID = re.compile(r"[TE][A-Z0-9]{2,30}")


class SettingsError(InterlockError):
    """A setting is missing or cannot be used."""


class Settings(SecretSettings, ModelSettings):
    """The settings of DESIGN section 11, under the names of their environment variables."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    home: Path = Field(default=Path(".interlock"), validation_alias="INTERLOCK_HOME")
    database: str = Field(default="", validation_alias="INTERLOCK_DATABASE_URL", repr=False)
    workflows: Path | None = Field(default=None, validation_alias="INTERLOCK_WORKFLOWS")
    policy: Path | None = Field(default=None, validation_alias="INTERLOCK_POLICY")
    origin: str = Field(default=PLACEHOLDER, validation_alias="INTERLOCK_ORIGIN")
    channel: str = Field(default="", validation_alias="INTERLOCK_CHANNEL")
    backup_dir: Path | None = Field(default=None, validation_alias="INTERLOCK_BACKUP_DIR")
    command: str = Field(
        default="/ops", validation_alias="INTERLOCK_COMMAND", pattern=r"^/[a-z0-9_-]{1,31}$"
    )
    http: str = Field(default="", validation_alias="INTERLOCK_HTTP")
    api: str = Field(default="", validation_alias="INTERLOCK_API")
    metrics: str = Field(default="", validation_alias="INTERLOCK_METRICS")
    metrics_token: SecretStr | None = Field(
        default=None, validation_alias="INTERLOCK_METRICS_TOKEN"
    )
    stop_grace: float = Field(default=0, validation_alias="INTERLOCK_STOP_GRACE", ge=0, le=60)
    threads: int = Field(default=8, validation_alias="INTERLOCK_THREADS", ge=1, le=64)
    most_runs: int | None = Field(default=None, validation_alias="INTERLOCK_MOST_RUNS", ge=1)
    log_level: str = Field(default="INFO", validation_alias="INTERLOCK_LOG_LEVEL")
    log_format: Literal["", "json", "words"] = Field(
        default="", validation_alias="INTERLOCK_LOG_FORMAT"
    )
    bot_token: SecretStr | None = Field(default=None, validation_alias="SLACK_BOT_TOKEN")
    app_token: SecretStr | None = Field(default=None, validation_alias="SLACK_APP_TOKEN")
    signing_secret: SecretStr | None = Field(default=None, validation_alias="SLACK_SIGNING_SECRET")
    slack_api_url: str = Field(default=SLACK, validation_alias="SLACK_API_URL")
    # A system that watches the log: where it takes entries, what it lets in, in which form.
    push_url: str = Field(default="", validation_alias="INTERLOCK_PUSH_URL", repr=False)
    push_token: SecretStr | None = Field(default=None, validation_alias="INTERLOCK_PUSH_TOKEN")
    push_format: Literal["cloudevents", "ocsf"] = Field(
        default="cloudevents", validation_alias="INTERLOCK_PUSH_FORMAT"
    )
    # Many workspaces: the app's own identity, who may install it, and which one a command is for.
    client_id: str = Field(default="", validation_alias="SLACK_CLIENT_ID")
    client_secret: SecretStr | None = Field(default=None, validation_alias="SLACK_CLIENT_SECRET")
    workspaces: tuple[str, ...] = Field(default=(), validation_alias="INTERLOCK_WORKSPACES")
    workspace: str = Field(default="", validation_alias="INTERLOCK_WORKSPACE")
    public_url: str = Field(default="", validation_alias="INTERLOCK_PUBLIC_URL")

    @field_validator("slack_api_url")
    @classmethod
    def _is_where_slack_is(cls, url: str) -> str:
        if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
            raise ValueError(f"write an address such as {SLACK}")
        # slack_sdk joins the method's name to this by hand.
        return url if url.endswith("/") else f"{url}/"

    @field_validator("http", "api", "metrics")
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

    @field_validator("push_url")
    @classmethod
    def _takes_entries(cls, url: str) -> str:
        if url:
            _refuse_no_target(url)
        return url

    @field_validator("workspaces", mode="before")
    @classmethod
    def _are_listed(cls, written: object) -> object:
        return listed_in(written) if isinstance(written, str) else written

    @field_validator("workspaces")
    @classmethod
    def _are_ids(cls, listed: tuple[str, ...]) -> tuple[str, ...]:
        for one in listed:
            _refuse_no_id(one)
        return listed

    @field_validator("workspace")
    @classmethod
    def _is_an_id(cls, ident: str) -> str:
        if ident:
            _refuse_no_id(ident)
        return ident

    @field_validator("public_url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        found = urlsplit(url)
        is_local = found.hostname in {"localhost", "127.0.0.1"}
        if url and not (found.hostname and (found.scheme == "https" or is_local)):
            raise ValueError("write https:// and the host under which Slack's users reach the bot")
        return url.rstrip("/")

    @property
    def serves_many(self) -> bool:
        """Whether the app may be installed in many workspaces, which this process then serves."""
        return bool(self.client_id or self.client_secret)

    @property
    def is_org(self) -> bool:
        """Whether these are the settings of a whole organisation."""
        return self.workspace.startswith("E")

    @property
    def authorize_url(self) -> str:
        """Return where Slack asks people whether they want the app."""
        return urljoin(self.slack_api_url, "../oauth/v2/authorize")

    @property
    def database_url(self) -> str:
        """Return where everything is remembered, by default a file in the home folder."""
        return self.database or f"sqlite:///{self.home / 'interlock.db'}"

    @property
    def memory(self) -> str:
        """Name the place of the database for a person; an address can hold a password."""
        return "the database of INTERLOCK_DATABASE_URL" if self.database else str(self.home)

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a file, which one process writes."""
        return not self.database_url.startswith("postgres")

    @property
    def model_folder(self) -> Path:
        """Return where `interlock model install` puts what asks a model; a host has one."""
        home = self.home.parents[1] if self.workspace else self.home
        return home / "model"

    @property
    def definitions(self) -> Path:
        """Return the folder of the workflow files."""
        return self.workflows or self.home / "workflows"

    @property
    def policy_file(self) -> Path:
        """Return the file that says who must agree to what."""
        return self.policy or self.home / "policy.yaml"

    def of_workspace(self, ident: str) -> "Settings":
        """Return the settings under which one of a host's many workspaces is served.

        It has a home, a log and a database of its own. A policy or workflow files in its home
        go before those of the host.
        """
        home = self.home / WORKSPACES / ident
        told: dict[str, object] = {
            "home": home,
            "database": self._database_of(ident),
            "origin": f"{self.origin}/{ident}",
            "policy": _first_there(home / "policy.yaml", self.policy_file),
            "workflows": _first_there(home / "workflows", self.definitions),
            "workspace": ident,
            "http": "",
            "api": "",
        }
        return self.model_copy(update=told)

    def _database_of(self, ident: str) -> str:
        if self.is_sqlite:
            return ""
        from storage.schemas import address_in_schema  # noqa: PLC0415 - it brings SQLAlchemy, and help must not wait for that.

        return address_in_schema(self.database, ident)

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
    def metrics_address(self) -> tuple[str, int]:
        """Return where to listen for those who watch."""
        return _host_and_port(self.metrics)

    @property
    def tokens(self) -> Mapping[str, str]:
        """Return every token and key held, by the variable that gave it, for the redactor."""
        given = {
            str(field.validation_alias): getattr(self, name)
            for name, field in type(self).model_fields.items()
        }
        return {
            variable: value.get_secret_value()
            for variable, value in given.items()
            if isinstance(value, SecretStr)
        }


def _first_there(own: Path, of_host: Path) -> Path | None:
    """Return what stands there, the workspace's own first; None where neither does."""
    if own.exists():
        return None  # Its place in the home is where it is looked for.
    return of_host if of_host.exists() else None


def _refuse_no_id(written: str) -> None:
    if WORKSPACE_ID.fullmatch(written) is None:
        raise ValueError(
            f"{written!r} is no id of a workspace; those look like T0123ABCD or E0123ABCD"
        )


def _refuse_no_target(url: str) -> None:
    parts = urlsplit(url)
    is_web = parts.scheme in {"http", "https"}
    is_syslog = parts.scheme == "syslog" and parts.port is not None and not parts.path
    if not parts.hostname or not (is_web or is_syslog):
        raise ValueError("write https://host/path, or syslog://host:port")
    if parts.username is not None or parts.password is not None:
        raise ValueError("leave the password out; INTERLOCK_PUSH_TOKEN is for what lets entries in")


def _host_and_port(address: str) -> tuple[str, int]:
    parts = urlsplit(f"//{address}")
    try:
        return parts.hostname or "", parts.port or 0
    except ValueError:  # A port that is no number, or too large.
        return "", 0


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings that `environment` gives; an empty variable gives none.

    With INTERLOCK_WORKSPACE they are those of one of the many workspaces of a host.

    Raises:
        SettingsError: one of them cannot be used; it says which, never its value.
    """
    workspace = environment.get("INTERLOCK_WORKSPACE", "")
    try:
        found = Settings.model_validate(_given(environment_of(environment, workspace)))
    except ValidationError as error:
        faults = "; ".join(
            ": ".join([*map(str, one["loc"][:1]), one["msg"].removeprefix("Value error, ")])
            for one in error.errors()
        )
        raise SettingsError(f"Some settings cannot be used: {faults}.") from None
    return found.of_workspace(workspace) if workspace else found


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


# Whose log the command of this process has opened, for what is said when it goes wrong.
IN_USE: ContextVar[Settings | None] = ContextVar("in_use", default=None)


def require_one(settings: Settings) -> None:
    """Return if the settings say which log is meant, which is in use from then on.

    Raises:
        SettingsError: they are those of a host, which has many.
    """
    if settings.serves_many and not settings.workspace:
        raise SettingsError(
            "SLACK_CLIENT_ID is set, so there is one log to each workspace.",
            hint="Say which one with INTERLOCK_WORKSPACE=T…; `interlock workspaces` lists them.",
        )
    IN_USE.set(settings)


def require_tokens(settings: Settings) -> None:
    """Return if the tokens for the chosen way of receiving are there and look right.

    Raises:
        SettingsError: one is missing, or stands where another belongs.
    """
    if settings.workspace:
        raise SettingsError(
            "INTERLOCK_WORKSPACE is set, and a host serves all its workspaces together.",
            hint="Set it for commands and for `interlock worker`, not for `interlock serve`.",
        )
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
    # One of many is read from the register, and looks different where tokens rotate.
    _token(settings.bot_token, "SLACK_BOT_TOKEN", "" if settings.workspace else "xoxb-")


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
