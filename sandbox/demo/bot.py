"""The bot as a process of its own, exactly as it runs in production, pointed at our Slack."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from sandbox.demo.errors import DemoError
from sandbox.demo.stage import Stage
from sandbox.ports import free_port

PATIENCE = 60.0


class Bot:
    """Starts, kills and asks the bot. Its output goes to `bot.log` in the home folder."""

    def __init__(
        self,
        stage: Stage,
        *,
        transport: str = "socket",
        database: str = "",
        words: tuple[str, ...] = ("serve",),
    ) -> None:
        """`transport` is "socket" or "http"; `database` an address, by default a SQLite file."""
        self._stage = stage
        self._words = words
        self._http = f"127.0.0.1:{free_port()}" if transport == "http" else ""
        self._database = database
        self._process: subprocess.Popen[bytes] | None = None
        self.log = stage.home / "bot.log"

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment the bot is given: settings and nothing else of ours."""
        slack = self._stage.slack
        ours = {
            "INTERLOCK_HOME": str(self._stage.home),
            "INTERLOCK_WORKFLOWS": str(self._stage.workflows),
            "INTERLOCK_POLICY": str(self._stage.policy),
            "INTERLOCK_CHANNEL": "ops",
            "INTERLOCK_DATABASE_URL": self._database,
            "SLACK_API_URL": slack.api_url,
            "SLACK_BOT_TOKEN": slack.bot_token,
        }
        ours |= self._transport()
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return {**kept, **{name: value for name, value in ours.items() if value}}

    def _transport(self) -> dict[str, str]:
        slack = self._stage.slack
        if self._http:
            return {"INTERLOCK_HTTP": self._http, "SLACK_SIGNING_SECRET": slack.signing_secret}
        return {"SLACK_APP_TOKEN": slack.app_token}

    def prepare(self) -> None:
        """Begin the log, unless it was begun before.

        Raises:
            DemoError: that failed.
        """
        if (self._stage.home / "interlock.db").exists():
            return
        done = self.run("init")
        if done.returncode != 0:
            raise DemoError(f"interlock init failed: {done.stdout}{done.stderr}")

    def start(self) -> None:
        """Start the bot and return once Slack can reach it.

        Raises:
            DemoError: it ended, or did not get ready in time.
        """
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own program.
                [interlock(), *self._words], env=self.environment, stdout=log, stderr=log
            )
        try:
            self._wait_until_reachable()
        except Exception as error:
            raise DemoError(f"The bot did not get ready. {self.last_words()}") from error

    def _wait_until_reachable(self) -> None:
        slack = self._stage.slack
        if not self._http:
            slack.wait_for_connection(1, timeout=PATIENCE)
            return
        host, port = self._http.split(":")
        _wait_for_port(host, int(port), self)
        slack.deliver_over_http(f"http://{self._http}/slack/events")

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Return the number of the process.

        Raises:
            DemoError: it was not started.
        """
        if self._process is None:
            raise DemoError("The bot was not started.")
        return self._process.pid

    def last_words(self) -> str:
        """Return the end of the bot's log."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-15:])

    def kill(self) -> None:
        """End the bot as a power cut would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def stop(self) -> None:
        """Ask the bot to stop, and make sure that it did."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()

    def ask(self, *words: str) -> tuple[int, Any]:
        """Run `interlock WORDS --json`; return its exit code and what it printed."""
        done = self.run(*words, "--json")
        try:
            return done.returncode, json.loads(done.stdout)
        except ValueError:
            return done.returncode, done.stdout + done.stderr

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `interlock WORDS` beside the serving bot."""
        return subprocess.run(  # noqa: S603 - our own program.
            [interlock(), *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def interlock() -> str:
    """Return where our own program is."""
    return str(Path(sys.executable).with_name("interlock"))


def _wait_for_port(host: str, port: int, bot: Bot) -> None:

    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends and bot.is_alive:
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise DemoError(f"Nothing listens on {host}:{port}.")
