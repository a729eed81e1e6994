"""A home folder with everything a trial needs around the product: files, target, log, keys."""

import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from threading import Lock

from bench.trial.ledger import Ledger
from bench.trial.life import Nursery
from bench.trial.target import serve
from bench.trial.watch import Watch
from bot.opening import begin_log
from bot.settings import Settings

PATIENCE = 60.0
BEGINNING = Lock()  # Alembic keeps the migration under way in a global of its own.
STOCK = """
CREATE TABLE parcel (id TEXT PRIMARY KEY, moved INTEGER NOT NULL DEFAULT 0);
CREATE TABLE account (id TEXT PRIMARY KEY, batch TEXT NOT NULL, on_hold INTEGER NOT NULL);
CREATE TABLE parcel_log (seq INTEGER PRIMARY KEY, id TEXT NOT NULL);
CREATE TRIGGER parcel_moved AFTER UPDATE ON parcel
  BEGIN INSERT INTO parcel_log (id) VALUES (old.id); END;
"""
# It takes its time before it acts, so that one that outlived its bot would be seen acting.
PROGRAM = """#!{python} -IS
import http.client, sys, time
time.sleep({nap})
line = http.client.HTTPConnection("{host}", timeout=10)
line.request("POST", "/blind/" + sys.argv[1], '{{"value": "1"}}')
line.getresponse().read()
"""


class Target:
    """The target's process, its ledger, and the event that it sets at each request."""

    def __init__(self, context: Nursery, folder: Path) -> None:
        self._line, theirs = context.Pipe()
        self.struck = context.Event()
        self.ledger = Ledger(folder / "ledger.db")
        self._process = context.Process(
            target=serve, args=(self.ledger.path, theirs, self.struck), daemon=True
        )
        self._process.start()
        theirs.close()
        if not self._line.poll(PATIENCE):
            raise TimeoutError("the target did not start")
        self.url: str = self._line.recv()

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.join()


class Home:
    """Where a trial happens. `database` is empty for the file in the folder."""

    def __init__(self, folder: Path, database: str, *, target: Target) -> None:
        self.folder = folder
        self.database = database
        self.target = target
        self.stock = folder / "stock.db"
        self.url = database or f"sqlite:///{folder / 'interlock.db'}"
        self.watch = Watch(self.url)
        self.vkey = ""

    def prepare(self, files: Path) -> None:
        """Write the workflow files and the policy, and fill the target's database."""
        workflows = self.folder / "workflows"
        workflows.mkdir(parents=True, exist_ok=True)
        for file in files.glob("*.yaml"):
            if file.name != "policy.yaml":
                shutil.copy(file, workflows)
        places = {
            "TARGET": self.target.url,
            "STOCK": str(self.stock.resolve()),
            "PROGRAMS": str(self.folder.resolve()),
        }
        policy = (files / "policy.yaml").read_text()
        for placeholder, real in places.items():
            policy = policy.replace(placeholder, real)
        (self.folder / "policy.yaml").write_text(policy)
        with closing(sqlite3.connect(self.stock)) as connection:
            connection.executescript(STOCK)
        self.put_program()

    def put_program(self, *, nap: float = 0.7) -> None:
        """Write the program that acts `nap` seconds after it was started."""
        program = self.folder / "act"
        host = self.target.url.removeprefix("http://")
        program.write_text(PROGRAM.format(python=sys.executable, host=host, nap=nap))
        program.chmod(0o755)

    def begin(self, settings: Settings) -> None:
        """Begin the log, and keep the key that an outsider would pin."""
        with BEGINNING:
            memory = begin_log(settings)
        self.vkey = memory.vkey
        memory.database.close()

    def put_parcel(self, name: str) -> None:
        """Put something into stock that a run can move."""
        with closing(sqlite3.connect(self.stock, timeout=30)) as connection:
            connection.execute("INSERT OR IGNORE INTO parcel (id) VALUES (?)", (name,))
            connection.commit()

    def put_accounts(self, batch: str, *, free: int, held: int) -> None:
        """Put accounts into a batch, some of them on hold."""
        rows = [(f"{batch}/{number}", batch, int(number >= free)) for number in range(free + held)]
        with closing(sqlite3.connect(self.stock, timeout=30)) as connection:
            connection.executemany("INSERT OR IGNORE INTO account VALUES (?, ?, ?)", rows)
            connection.commit()

    def accounts(self, batch: str) -> tuple[int, int]:
        """Return how many accounts of a batch there are, free ones and held ones."""
        with closing(sqlite3.connect(self.stock, timeout=30)) as connection:
            rows = connection.execute(
                "SELECT on_hold FROM account WHERE batch = ?", (batch,)
            ).fetchall()
        held = sum(on_hold for (on_hold,) in rows)
        return len(rows) - held, held

    def happened(self, subject: str) -> int:
        """Return how often something really happened to `subject`, by the targets' own logs."""
        with closing(sqlite3.connect(self.stock, timeout=30)) as connection:
            moved = connection.execute(
                "SELECT count(*) FROM parcel_log WHERE id = ?", (subject,)
            ).fetchone()[0]
        return int(moved) + len(self.target.ledger.effects(subject))
