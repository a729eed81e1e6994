"""An `interlock worker` of a trial: a process with a home of its own, killed and started again."""

import shutil
import subprocess
from pathlib import Path

from sandbox.demo.bot import Bot, interlock


class Hand:
    """A worker beside a bot, on the bot's database. Its output goes to `bot.log` in its home."""

    def __init__(self, bot: Bot, keys: Path, home: Path) -> None:
        """Begin nothing; `keys` are those of the log, of which every home needs a copy."""
        home.mkdir(parents=True)
        shutil.copytree(keys, home / "keys")
        self._environment = {**bot.environment, "INTERLOCK_HOME": str(home)}
        self._log = home / "bot.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it, unless it runs; it takes up work when it is ready."""
        if self.is_alive:
            return
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [interlock(), "worker"], env=self._environment, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
