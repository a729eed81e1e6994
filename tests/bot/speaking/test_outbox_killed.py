"""A real process, killed between the post and its record: one message afterwards."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox import faults as fault
from tests.bot.speaking.office import BOTH, Office
from workflows.store import Subject

DELIVERER = Path(__file__).parent / "deliverer.py"
ROOT = Path(__file__).parents[3]


@BOTH
@pytest.mark.parametrize("subject", [Subject.ROOT, Subject.CARD])
def test_a_process_killed_while_it_posts_leaves_one_message(
    office: Office, tmp_path: Path, database_url: str, subject: Subject
) -> None:
    office.start_run()
    office.send(Subject.ROOT, "r1", "run r1")
    if subject is Subject.CARD:
        office.deliver()
        office.send(Subject.CARD, "q1", "request q1")
    office.server.faults.next("chat.postMessage", fault.slow(30))
    words = "run r1" if subject is Subject.ROOT else "request q1"
    doomed = subprocess.Popen(
        [
            *(sys.executable, str(DELIVERER), str(tmp_path / "home"), database_url),
            *(office.server.api_url, office.server.bot_token),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        office.server.workspace.wait_for(
            lambda: words in [one.text for one in office.server.workspace.everything("#ops")],
            timeout=20,
            what="the message of the doomed process",
        )
    finally:
        doomed.send_signal(signal.SIGKILL)
        doomed.wait()
    assert office.deliver() == 0

    office.deliver(seconds=70)

    texts = [one.text for one in office.server.workspace.everything("#ops")]
    assert texts.count(words) == 1
    assert office.store.outbox.place_of(subject, "r1" if subject is Subject.ROOT else "q1")
