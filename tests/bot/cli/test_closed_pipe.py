"""Commands whose reader went away before they had said anything."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


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
