"""The command line beside a stage, each command as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sandbox.demo.stage import Stage

INTERLOCK = Path(sys.executable).with_name("interlock")
PATIENCE = 60.0  # One lost call to Slack alone takes ten seconds.


def environment(stage: Stage, **others: str) -> dict[str, str]:
    slack = stage.slack
    return {
        "PATH": os.environ["PATH"],
        "INTERLOCK_HOME": str(stage.home),
        "INTERLOCK_WORKFLOWS": str(stage.workflows),
        "INTERLOCK_POLICY": str(stage.policy),
        "INTERLOCK_CHANNEL": "ops",
        "SLACK_API_URL": slack.api_url,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        **others,
    }


def interlock(stage: Stage, *words: str, **others: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [INTERLOCK, *words],
        env=environment(stage, **others),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def serving(
    stage: Stage, *, log: Path | None = None, **others: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Serve until the block ends; what is logged goes to the file `log`."""
    with (log or Path(os.devnull)).open("ab") as told:
        yield from _serving(stage, told, others)


def _serving(
    stage: Stage, told: IO[bytes], others: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [INTERLOCK, "serve"],
        env=environment(stage, **others),
        stdout=subprocess.DEVNULL,
        stderr=told,
    )
    try:
        stage.slack.wait_for_connection(1, timeout=PATIENCE)
        yield process
    finally:
        process.kill()
        process.wait()
