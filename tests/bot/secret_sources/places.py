"""The sources that the contract is run against, each with somebody who puts values there."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from bot.secret_sources.built_in import BuiltInSource
from bot.secret_sources.environment import EnvironmentSource
from bot.secret_sources.folder import FolderSource
from bot.secret_sources.port import Source, plain
from storage.database import Database, open_database
from storage.log_setup import init_log
from storage.master_key import KeyMaster
from storage.sealing import open_sealer
from storage.secret_rows import SecretSql, secret_name
from storage.store import SqlStore
from workflows.entry import SYSTEM, Draft

LOG = "interlock.example/audit/T0ABC"
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


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

    def __init__(self, url: str, home: Path) -> None:
        self.database: Database = open_database(url)
        journal = init_log(self.database, home, origin=LOG, now=lambda: NOW)
        self._store = SqlStore(self.database, journal, now=lambda: NOW)
        master = KeyMaster(b"m" * 32)
        self._sealer = open_sealer(self.database, log=LOG, master=master, now=NOW)
        self.source: Source = BuiltInSource(self.database, lambda: self._sealer)

    def put(self, name: str, value: str) -> None:
        with self._store.begin() as unit:
            sql = SecretSql(unit.transaction)
            version = sql.hold(plain(name))[0] + 1
            data = {"secret": plain(name), "version": version}
            unit.append(Draft(kind="secret.set", actor=SYSTEM, data=data))
            sealed = self._sealer.seal(value.encode(), name=secret_name(plain(name), version))
            sql.put(plain(name), sealed)

    def close(self) -> None:
        self.database.close()
