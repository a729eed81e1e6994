"""The sources that the contract is run against, each with somebody who puts values there."""

from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

from bot.aws import secrets_manager_of
from bot.secret_sources.aws import AwsSource
from bot.secret_sources.built_in import BuiltInSource
from bot.secret_sources.environment import EnvironmentSource
from bot.secret_sources.folder import FolderSource
from bot.secret_sources.port import Source
from bot.secret_sources.vault import VaultSource
from bot.settings import read_settings
from storage.database import Database, open_database
from storage.log_setup import init_log
from storage.master_key import KeyMaster, Master
from storage.sealing import open_sealer
from storage.secret_rows import SecretSql, secret_name
from storage.store import SqlStore
from tests.bot.anchors.answering import answering
from tests.bot.secret_sources.pretend_stores import (
    SECRET,
    TOKEN,
    PretendSecretsManager,
    PretendVault,
)
from workflows.entry import SYSTEM, Draft
from workflows.secret_book import plain

LOG = "interlock.example/audit/T0ABC"
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MASTER = KeyMaster(b"m" * 32)


class Place(Protocol):
    """Where values are put, and the source that has them then."""

    counts: bool  # Whether it counts versions.
    is_near: bool  # Whether it lies on this machine, and tells its names.

    def put(self, name: str, value: str) -> None: ...

    @property
    def source(self) -> Source: ...

    def close(self) -> None: ...


class Variables:
    """The environment; it is fixed for a process, so each look is that of another one."""

    counts = False
    is_near = True

    def __init__(self) -> None:
        self._variables: dict[str, str] = {"HOME": "/root"}

    def put(self, name: str, value: str) -> None:
        self._variables[f"INTERLOCK_SECRET_{plain(name).upper()}"] = value

    @property
    def source(self) -> Source:
        return EnvironmentSource(self._variables)

    def close(self) -> None: ...


class VariableFiles(Variables):
    """Files that the environment names."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def put(self, name: str, value: str) -> None:
        path = self._folder / plain(name)
        path.write_text(f"{value}\n")
        self._variables[f"INTERLOCK_SECRET_{plain(name).upper()}_FILE"] = str(path)


class Folder:
    """A mounted folder."""

    counts = False
    is_near = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.source: Source = FolderSource(folder)
        (folder / "..data").mkdir()  # As an orchestrator leaves it there.

    def put(self, name: str, value: str) -> None:
        path = self._folder / name
        path.write_text(f"{value}\n")
        path.chmod(0o600)

    def close(self) -> None: ...


class Kept:
    """The bot's own database."""

    counts = True
    is_near = True

    def __init__(self, url: str, home: Path, *, master: Master = MASTER) -> None:
        self.database: Database = open_database(url)
        with ExitStack() as unless_it_opens:
            unless_it_opens.callback(self.close)
            journal = init_log(self.database, home, origin=LOG, now=lambda: NOW)
            self.store = SqlStore(self.database, journal, now=lambda: NOW)
            self.reopen(master)
            unless_it_opens.pop_all()

    def reopen(self, master: Master) -> None:
        """Open it as another process does."""
        self._sealer = open_sealer(self.database, log=LOG, master=master, now=NOW)
        self.source: Source = BuiltInSource(self.database, lambda: self._sealer)

    def put(self, name: str, value: str) -> None:
        with self.store.begin() as unit:
            sql = SecretSql(unit.transaction)
            version = sql.hold(plain(name))[0] + 1
            data = {"secret": plain(name), "version": version}
            unit.append(Draft(kind="secret.set", actor=SYSTEM, data=data))
            sealed = self._sealer.seal(value.encode(), name=secret_name(plain(name), version))
            sql.put(plain(name), sealed)

    def close(self) -> None:
        self.database.close()


class Vault:
    """A KV store of Vault."""

    counts = True
    is_near = False

    def __init__(self) -> None:
        self.pretend = PretendVault()
        self.learnt: list[str] = []
        self._serving = answering(self.pretend)
        self.url = self._serving.__enter__()
        self.source: Source = self.under(SecretStr(TOKEN))

    def under(
        self, token: SecretStr | Path, *, namespace: str = "ops", path: str = "secret/data/bot/"
    ) -> VaultSource:
        """Return the source under another token, in another namespace or at another path."""
        return VaultSource(
            self.url,
            path,
            token=token,
            namespace=namespace,
            learn=self.learnt.append,
        )

    def put(self, name: str, value: str) -> None:
        self.pretend.put(name, value)

    def close(self) -> None:
        self._serving.__exit__(None, None, None)


class SecretsManager:
    """AWS Secrets Manager."""

    counts = False
    is_near = False

    def __init__(self) -> None:
        self.pretend = PretendSecretsManager()
        self._serving = answering(self.pretend)
        self.url = self._serving.__enter__()
        settings = read_settings(
            {
                "INTERLOCK_AWS_SECRETS": "interlock/",
                "INTERLOCK_AWS_SECRETS_URL": self.url,
                "AWS_REGION": "eu-central-1",
                "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
                "AWS_SECRET_ACCESS_KEY": SECRET,
            }
        )
        service = secrets_manager_of(settings, now=lambda: datetime.now(UTC))
        self.source: Source = AwsSource(service, settings.aws_secrets)

    def put(self, name: str, value: str) -> None:
        self.pretend.put(name, value)

    def close(self) -> None:
        self._serving.__exit__(None, None, None)
