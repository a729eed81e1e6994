"""A real process, killed between the call and its record: told once, and remembered."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox import faults as fault
from tests.bot.speaking.office import BOTH, Office
from workflows.store import Subject

DELIVERER = Path(__file__).parent / "deliverer.py"
ROOT = Path(__file__).parents[3]
STEP, CALL = "ask", "functions.completeError"
# Seconds until what a dead process had claimed is free: a minute, and how much later than this
# one's clock it began.
LATER = 150
PATIENCE = 60.0


@contextmanager
def killed_later(office: Office, tmp_path: Path, database_url: str) -> Iterator[None]:
    """Let another process deliver, and kill it as soon as what happens inside is over."""
    doomed = subprocess.Popen(
        [
            *(sys.executable, str(DELIVERER), str(tmp_path / "home"), database_url),
            *(office.server.api_url, office.server.bot_token),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        yield
    finally:
        doomed.send_signal(signal.SIGKILL)
        doomed.wait()


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
    office.server.faults.next("chat.postMessage", fault.slow(PATIENCE))
    words = "run r1" if subject is Subject.ROOT else "request q1"
    with killed_later(office, tmp_path, database_url):
        office.server.workspace.wait_for(
            lambda: words in [one.text for one in office.server.workspace.everything("#ops")],
            timeout=PATIENCE,
            what="the message of the doomed process",
        )
    assert office.deliver() == 0

    office.deliver(seconds=LATER)

    texts = [one.text for one in office.server.workspace.everything("#ops")]
    assert texts.count(words) == 1
    assert office.store.outbox.place_of(subject, "r1" if subject is Subject.ROOT else "q1")


@BOTH
def test_a_process_killed_while_it_tells_a_workflow_leaves_it_told_once(
    office: Office, tmp_path: Path, database_url: str
) -> None:
    step = office.server.workspace.run_step(STEP, {})
    office.send(
        Subject.BUILDER, f"step/{step.id}", "", run=None, body={"error": "There is no money."}
    )
    office.server.faults.next(CALL, fault.slow(PATIENCE))
    with killed_later(office, tmp_path, database_url):
        office.server.workspace.wait_for(
            lambda: step.state == "failed", timeout=PATIENCE, what="the doomed process to tell it"
        )
    assert office.deliver() == 0

    office.deliver(seconds=LATER)

    row = office.store.outbox.find(Subject.BUILDER, f"step/{step.id}")
    assert step.error == "There is no money."
    assert row is not None
    assert (row.done, row.attempts, office.ledger.lost) == (row.wanted, 0, [])
    assert sum(one.ok for one in office.server.recorder.calls(CALL)) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_step_that_ended_elsewhere_is_given_up_and_not_asked_again(office: Office) -> None:
    step = office.server.workspace.run_step(STEP, {})
    step.state = "failed"
    office.send(Subject.BUILDER, f"step/{step.id}", "", run=None, body={"error": "No."})
    office.deliver(seconds=10)

    assert [(one[0], one[2]) for one in office.ledger.lost] == [
        (Subject.BUILDER, "execution_not_in_running_state")
    ]
    assert len(office.server.recorder.calls(CALL)) == 1
