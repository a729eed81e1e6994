"""Several processes of the product on one Postgres: a home for each, and what they do together."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from bot.core import Core, Means, NobodyReadable, build_core
from bot.opening import Memory, open_memory
from bot.settings import Settings
from sandbox.demo.stage import Stage
from storage.database import postgres_address
from tests import forked
from tests.forked import Forked
from tests.journeys.company import calm_stage
from workflows.orders import Start
from workflows.people import PersonId

PATIENCE = 120.0

PAY_BACK = """
workflow: pay-back
title: Pay back
owner: "@finance-ops"
deputy: "@support-leads"
run_by: ["@support"]
inputs:
  order: {type: string, title: Order, pattern: "^ord_[0-9]+$"}
steps:
  - id: order
    uses: http.request
    with: {service: shop, method: GET, path: "/orders/${{ inputs.order }}"}
    returns: {body: {paid: integer}}
  - id: pay
    uses: http.request
    with:
      service: shop
      method: POST
      path: /refunds
      json: {order: "${{ inputs.order }}", amount: 100}
    timeout: 2s
"""

# The same shop, of which nobody can ask afterwards whether something happened.
TILL = """  till:
    base_url: {url}
    private: true
    paths: ["/refunds"]
    honours_idempotency_key: true
"""


@dataclass(kw_only=True)
class Process:
    """One process of the product, with its own home."""

    home: Path
    words: tuple[str, ...]
    popen: Forked

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait()

    def freeze(self) -> None:
        self.popen.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.popen.send_signal(signal.SIGCONT)

    def stop(self) -> int:
        self.popen.terminate()
        return self.popen.wait(timeout=PATIENCE)

    @property
    def log(self) -> str:
        return (self.home / "process.log").read_text(errors="replace")


@dataclass(kw_only=True)
class Crowd:
    """A database, a stage, and any number of processes on both."""

    stage: Stage
    url: str
    processes: list[Process] = field(default_factory=list)

    def home(self, name: str) -> Path:
        """Return a home with the keys of this log, as every process on Postgres needs one."""
        made = self.stage.home.parent / name
        made.mkdir()
        shutil.copytree(self.stage.home / "keys", made / "keys")
        return made

    def environment(self, home: Path) -> dict[str, str]:
        slack = self.stage.slack
        return {
            "PATH": os.environ["PATH"],
            "INTERLOCK_HOME": str(home),
            "INTERLOCK_WORKFLOWS": str(self.stage.workflows),
            "INTERLOCK_POLICY": str(self.stage.policy),
            "INTERLOCK_CHANNEL": "ops",
            "INTERLOCK_DATABASE_URL": self.url,
            "SLACK_API_URL": slack.api_url,
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
        }

    def run(
        self, home: Path, *words: str, environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return forked.interlock(*words, env=environment or self.environment(home), timeout=PATIENCE)

    def begin(self, *words: str) -> Process:
        """Start a process, and return once it is at work."""
        home = self.home(f"{words[0]}-{len(self.processes)}")
        log = home / "process.log"
        log.touch()
        popen = Forked(words, env=self.environment(home), stdout=log, stderr=log)
        process = Process(home=home, words=words, popen=popen)
        self.processes.append(process)
        ready = '"event": "serving"' if words[0] == "serve" else '"event": "working"'
        wait_until(lambda: ready in process.log or popen.poll() is not None, "a process at work")
        assert popen.poll() is None, process.log
        return process

    def statuses(self) -> dict[str, str]:
        """Return the status of each run."""
        return dict(self.query("SELECT id, status FROM run"))

    def query(self, statement: str, *values: object) -> list[tuple[str, ...]]:
        address = postgres_address(self.url).set(drivername="postgresql")
        with psycopg.connect(address.render_as_string(hide_password=False)) as connection:
            return connection.execute(statement, values).fetchall()

    def paid(self) -> list[str]:
        """Return the order of each payment that the shop really made."""
        return [one.order for one in self.stage.shop.effects()]

    def verifies(self) -> None:
        """Fail unless the log of all these processes verifies with the public key alone."""
        home = self.home("auditor")
        head = json.loads(self.run(home, "audit", "head", "--json").stdout)
        words = ("audit", "verify", "--db", self.url, "--vkey", head["vkey"], "--json")
        done = self.run(home, *words)
        report = json.loads(done.stdout)
        assert (done.returncode, report["semantics"]) == (0, []), report

    def end(self) -> None:
        for one in self.processes:
            one.thaw()
            one.kill()


@contextmanager
def crowded(stage: Stage, url: str) -> Iterator[Crowd]:
    """Begin the log on Postgres, and give the crowd; whoever is left in the end is ended."""
    policy = stage.policy.read_text()
    stage.policy.write_text(
        policy.replace("services:\n", f"services:\n{TILL.format(url=stage.shop.url)}")
    )
    (stage.workflows / "pay-back.yaml").write_text(PAY_BACK)
    crowd = Crowd(stage=stage, url=url)
    begun = crowd.run(stage.home, "init")
    assert begun.returncode == 0, begun.stderr
    try:
        yield crowd
    finally:
        crowd.end()


@contextmanager
def patient_crowd(folder: Path, url: str) -> Iterator[Crowd]:
    """Give a crowd whose payments wait a minute for the shop, on a stage in `folder`."""
    with calm_stage(folder) as stage:
        stage.slack.hub.rates.scale = None
        with crowded(stage, url) as made:
            file = stage.workflows / "pay-back.yaml"
            file.write_text(PAY_BACK.replace("timeout: 2s", "timeout: 1m"))
            yield made
            made.verifies()


@contextmanager
def core_beside(crowd: Crowd, name: str = "beside") -> Iterator[Core]:
    """Give the product's core in this process, for what a test wants done without waiting."""
    settings = Settings.model_validate(
        {
            "home": crowd.home(name),
            "workflows": crowd.stage.workflows,
            "policy": crowd.stage.policy,
            "channel": "ops",
            "database": crowd.url,
        }
    )
    memory: Memory = open_memory(settings)
    try:
        yield build_core(settings, memory, people=NobodyReadable(), means=Means(environment={}))
    finally:
        memory.database.close()


def start_paying(core: Core, order: str) -> str:
    """Start a run that pays one order back."""
    order_of_work = Start(
        workflow="pay-back",
        inputs={"order": order},
        trigger="cli",
        person=PersonId("os:tests"),
        channel="ops",
    )
    return core.engine.start(order_of_work).run


def wait_until(is_so: Callable[[], bool], what: str, *, patience: float = PATIENCE) -> None:
    ends = time.monotonic() + patience
    while not is_so():
        assert time.monotonic() < ends, f"waited in vain for {what}"
        time.sleep(0.05)
