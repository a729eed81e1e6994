"""The command line beside a stage, each command as a process of its own."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.demo.stage import Stage
from tests import forked
from tests.forked import Forked

PATIENCE = 90.0  # What a sender that broke off had claimed is free again after a minute.


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
    return forked.interlock(*words, env=environment(stage, **others))


@contextmanager
def serving(stage: Stage, *, log: Path | None = None, **others: str) -> Iterator[Forked]:
    """Serve until the block ends; what is logged goes to the file `log`."""
    process = Forked(["serve"], env=environment(stage, **others), stderr=log)
    try:
        stage.slack.wait_for_connection(1, timeout=PATIENCE)
        yield process
    finally:
        process.kill()
        process.wait()
