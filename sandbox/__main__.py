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

from sandbox.seed import seed
from sandbox.server import SandboxServer

ABOUT = "Run only the pretend Slack. It prints one line of JSON with its addresses and tokens."


def main() -> int:
    """Serve the seeded workspace until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="interlock sandbox", description=ABOUT)
    parser.add_argument("--port", type=int, default=0, help="0 chooses a free one")
    parser.add_argument("--home", type=Path, help="where to write sandbox.json")
    asked = parser.parse_args()
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with SandboxServer(port=asked.port) as server:
        seed(server.workspace)
        line = json.dumps(
            {
                "url": server.url,
                "api_url": server.api_url,
                "bot_token": server.bot_token,
                "app_token": server.app_token,
                "signing_secret": server.signing_secret,
            }
        )
        if asked.home is not None:
            asked.home.mkdir(parents=True, exist_ok=True)
            (asked.home / "sandbox.json").write_text(line + "\n")
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
        stopped.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
