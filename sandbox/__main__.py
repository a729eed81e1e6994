"""`python -m sandbox --port 0 --home DIR`: the demo's Slack as a process of its own.

Prints one line of JSON with the addresses and tokens, writes the same to `DIR/sandbox.json`,
and serves until it is told to stop.
"""

import argparse
import json
import signal
import sys
import threading
from pathlib import Path

from sandbox.errors import PortError
from sandbox.seed import OTHER_TEAM, seed
from sandbox.server import SandboxServer
from sandbox.settings import AppSettings, SandboxSettings

ABOUT = "Run only the pretend Slack. It prints one line of JSON with its addresses and tokens."
REDIRECT = "two workspaces in which the app has to be installed first, from this redirect address"


def main() -> int:
    """Serve the seeded workspace until SIGTERM or SIGINT; 2 if nothing can listen there."""
    parser = argparse.ArgumentParser(prog="interlock sandbox", description=ABOUT)
    parser.add_argument("--port", type=int, default=0, help="0 chooses a free one")
    parser.add_argument("--home", type=Path, help="where to write sandbox.json")
    parser.add_argument("--redirect", metavar="URL", help=REDIRECT)
    asked = parser.parse_args()
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    first, others = _workspaces(asked.redirect)
    try:
        with SandboxServer(first, others=others, port=asked.port) as server:
            _introduce(server, asked.redirect, asked.home)
            stopped.wait()
    except PortError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _introduce(server: SandboxServer, redirect: str | None, home: Path | None) -> None:
    """Let people in, and say where everything is."""
    for workspace in server.workspaces.values():
        seed(workspace)
    line = json.dumps(_told(server, redirect))
    if home is not None:
        home.mkdir(parents=True, exist_ok=True)
        (home / "sandbox.json").write_text(line + "\n")
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _workspaces(redirect: str | None) -> tuple[SandboxSettings, list[SandboxSettings]]:
    if redirect is None:
        return SandboxSettings(), []
    acme = SandboxSettings(app=AppSettings(redirect_urls=(redirect,)), installed=False)
    return acme, [acme.neighbour(team=OTHER_TEAM, team_name="Globex")]


def _told(server: SandboxServer, redirect: str | None) -> dict[str, str]:
    app = server.settings.app
    if redirect is None:
        tokens = {"bot_token": server.bot_token, "app_token": server.app_token}
    else:
        tokens = {"client_id": app.client_id, "client_secret": app.client_secret}
    addresses = {"url": server.url, "api_url": server.api_url}
    return {**addresses, **tokens, "signing_secret": server.signing_secret}


if __name__ == "__main__":
    sys.exit(main())
