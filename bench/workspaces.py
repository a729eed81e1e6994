"""What each workspace more costs a host that waits: memory, threads, processor, time to start.

A host is a process of its own, started as in production on a register that already has the
installations. Each workspace has the shipped workflows and a log that began before.

    python -m bench.workspaces [--json] [--seconds 10] [--counts 1 5 10 20]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bench.process import cpu_percent, memory_mb, threads
from bot.settings import read_settings
from bot.workspaces.register import opened_register
from sandbox.demo.stage import Stage, fresh_settings, staged
from sandbox.ports import free_port
from storage.installations import Installation, Tokens

SHIPPED = Path(__file__).parents[1] / "workflows" / "definitions"
INTERLOCK = Path(sys.executable).with_name("interlock")
QUIET_SECONDS = 5.0
READY_SECONDS = 180.0
OK = 200

Figures = dict[str, float]


def measure(counts: Sequence[int], seconds: float) -> dict[int, Figures]:
    """Return what a host costs with each number of workspaces."""
    acme = fresh_settings()
    most = max(counts)
    others = [acme.neighbour(team=_team(one), team_name=f"Branch{one}") for one in range(1, most)]
    with (
        tempfile.TemporaryDirectory() as folder,
        staged(Path(folder), SHIPPED, port=0, settings=acme, others=others) as stage,
    ):
        environment = _environment(stage, [one.team for one in (acme, *others)])
        tokens = {one.team: one.app.bot_token for one in (acme, *others)}
        found: dict[int, Figures] = {}
        for count in counts:
            _install(environment, dict(list(tokens.items())[:count]))
            with _host(environment):
                pass  # Each log begins once; what is measured is a later start.
            found[count] = _measured(environment, seconds)
        return found


def _team(number: int) -> str:
    return f"T0BRANCH{number:03}"


def _measured(environment: dict[str, str], seconds: float) -> Figures:
    began = time.monotonic()
    with _host(environment) as process:
        start = time.monotonic() - began
        time.sleep(QUIET_SECONDS)
        found = {f"{kind}_mb": value for kind, value in memory_mb(process).items()}
        used = cpu_percent(process, seconds)
        return {**found, "threads": threads(process), "cpu_percent": used, "start_s": start}


def _environment(stage: Stage, teams: Sequence[str]) -> dict[str, str]:
    app = stage.slack.settings.app
    return {
        "PATH": os.environ["PATH"],
        "INTERLOCK_HOME": str(stage.home / "host"),
        "INTERLOCK_WORKSPACES": ",".join(teams),
        "INTERLOCK_WORKFLOWS": str(stage.workflows),
        "INTERLOCK_POLICY": str(stage.policy),
        "INTERLOCK_CHANNEL": "ops",
        "INTERLOCK_HTTP": f"127.0.0.1:{free_port()}",
        "SLACK_API_URL": stage.slack.api_url,
        "SLACK_CLIENT_ID": app.client_id,
        "SLACK_CLIENT_SECRET": app.client_secret,
        "SLACK_SIGNING_SECRET": app.signing_secret,
    }


def _install(environment: dict[str, str], tokens: dict[str, str]) -> None:
    """Enter workspaces into the register as if somebody had installed the app there."""
    now = datetime.now(UTC)
    with opened_register(read_settings(environment), now=lambda: now) as register:
        for team, token in tokens.items():
            register.installations.save(
                Installation(
                    id=team,
                    name=team,
                    app="A0INTERLOCK",
                    bot_user="U0INTERLOCK",
                    scopes=(),
                    installed_by="U0IVAN",
                    installed_at=now,
                    tokens=Tokens(bot=token),
                )
            )


@contextmanager
def _host(environment: dict[str, str]) -> Iterator[int]:
    """Serve; give the number of the process once it listens."""
    process = subprocess.Popen(
        [INTERLOCK, "serve"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_until_ready(f"http://{environment['INTERLOCK_HTTP']}/healthz", process)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def _wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url) as answer:
                if answer.status == OK:
                    return
        except urllib.error.URLError:
            time.sleep(0.05)
    raise RuntimeError("the host did not get ready")


def each_more(found: dict[int, Figures], name: str) -> float:
    """Return what each workspace between the fewest and the most costs on average."""
    fewest, most = min(found), max(found)
    return (found[most][name] - found[fewest][name]) / (most - fewest)


def main() -> None:
    """Measure, print a table, and one JSON object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the JSON line alone")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each host is watched")
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 5, 10, 20])
    asked = parser.parse_args()
    found = measure(sorted(asked.counts), asked.seconds)
    names = list(next(iter(found.values())))
    more = {name: each_more(found, name) for name in names} if len(found) > 1 else {}
    if not asked.json:
        print(f"{'workspaces':<14}" + "".join(f"{one:>10}" for one in found) + "  each more")
        for name in names:
            line = "".join(f"{one[name]:>10.2f}" for one in found.values())
            print(f"{name:<14}{line}{more.get(name, 0.0):>11.2f}")
    print(json.dumps({"hosts": found, "each_more": more}))


if __name__ == "__main__":
    main()
