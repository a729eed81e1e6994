"""Commands that cannot say what they would: their reader left, the disk is full, or Ctrl-C."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import forked


@pytest.mark.parametrize("words", [("show", "nosuchrun"), ("show",)])
def test_a_refusal_that_nobody_reads_any_more_ends_without_a_trace(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "bot.cli", *words, "--json"],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "INTERLOCK_HOME": str(tmp_path)},
        timeout=60,
        check=False,
    )
    os.close(writer)

    assert done.stderr == ""
    assert done.returncode == 2


@pytest.mark.parametrize("words", [("audit", "verify"), ("audit", "verify", "--json")])
def test_a_verification_that_nobody_reads_any_more_calls_no_log_broken(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    environment = {**os.environ, "INTERLOCK_HOME": str(tmp_path / "home")}
    forked.interlock("init", env=environment)
    reader, writer = os.pipe()
    os.close(reader)
    said = tmp_path / "errors"
    with said.open("wb") as errors, Path(os.devnull).open("rb") as nothing:
        streams = (nothing.fileno(), writer, errors.fileno())
        running = forked.begin(words, env=environment, folder=tmp_path, streams=streams)
        running.join(60)
    os.close(writer)

    assert running.exitcode == 128 + signal.SIGPIPE
    assert said.read_text() == ""


@pytest.mark.parametrize("words", [("runs",), ("runs", "--json")])
def test_an_answer_for_which_there_is_no_room_is_no_answer(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    environment = {**os.environ, "INTERLOCK_HOME": str(tmp_path / "home")}
    forked.interlock("init", env=environment)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "bot.cli", *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            timeout=60,
            check=False,
        )

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "No space left on device" in done.stderr


INTERRUPTED = """
import os, signal, sys
import storage.verify
def interrupted(*_, **__):
    os.kill(os.getpid(), signal.SIGINT)
    signal.pause()
# Whoever was started in the background is to ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)
storage.verify.verify_database = interrupted
from bot.cli import main
main(["audit", "verify"])
"""


def test_a_verification_that_somebody_broke_off_calls_no_log_broken(tmp_path: Path) -> None:
    environment = {**os.environ, "INTERLOCK_HOME": str(tmp_path / "home")}
    forked.interlock("init", env=environment)
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=False,
    )

    assert done.returncode == 128 + signal.SIGINT
    assert "Traceback" not in done.stderr
