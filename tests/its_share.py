"""The bot's verification of its own log, with its share of a busy machine.

The real process takes only what time others leave; beside other tests that may be none for
minutes. What it finds and says is the same, and that it yields has a test of its own.
"""

import shlex
import sys
from pathlib import Path

import pytest

SCRIPT = """\
import os, runpy, sys
os.nice = lambda _: 0
runpy.run_module(sys.argv[2], run_name="__main__")
"""


def with_its_share(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Have whatever Python starts as a process not yield to others, from a file in `folder`."""
    script, program = folder / "its-share.py", folder / "its-share"
    script.write_text(SCRIPT)
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {script} "$@"\n')
    program.chmod(0o755)
    patch.setattr(sys, "executable", str(program))
