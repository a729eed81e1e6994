"""A program that wants more of the machine than the policy lets it have does not get it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.workflows.actions.test_shell import a_runner, python
from workflows.actions.base import Call
from workflows.actions.shell import ShellDone
from workflows.errors import ActionFailedError

ASKS = "import resource as r; print(*r.getrlimit(r.RLIMIT_{}))"


def runs(folder: Path, call: Call, code: str, **limits: object) -> ShellDone:
    return a_runner(folder, limits=limits).perform(python("-c", code), call)


def test_a_program_that_only_burns_time_is_ended_by_the_system(
    tmp_path: Path, a_call: Callable[..., Call]
) -> None:
    with pytest.raises(ActionFailedError) as refusal:
        runs(tmp_path, a_call(timeout=60.0), "while True: pass", cpu="1s")

    assert refusal.value.error_class == "cpu_limit"


def test_memory_ends_where_the_policy_says(tmp_path: Path, a_call: Callable[..., Call]) -> None:
    with pytest.raises(ActionFailedError, match="MemoryError"):
        runs(tmp_path, a_call(), "b = bytearray(400 * 1024 * 1024)", memory=200)


def test_a_file_grows_no_larger_than_the_policy_says(
    tmp_path: Path, a_call: Callable[..., Call]
) -> None:
    code = "import os\nwith open('f', 'wb') as f:\n  for _ in range(64): f.write(bytes(65536))"
    with pytest.raises(ActionFailedError, match="File too large"):
        runs(tmp_path, a_call(), code, file_size=1)

    assert (tmp_path / "f").stat().st_size == 1024 * 1024


def test_what_a_program_starts_is_held_to_the_same(
    tmp_path: Path, a_call: Callable[..., Call]
) -> None:
    code = (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {ASKS.format('FSIZE')!r}])"
    )

    assert runs(tmp_path, a_call(), code, file_size=3).stdout == f"{3 << 20} {3 << 20}\n"


def test_processes_are_counted_on_top_of_those_the_user_has(
    tmp_path: Path, a_call: Callable[..., Call]
) -> None:
    soft, hard = runs(tmp_path, a_call(), ASKS.format("NPROC"), processes=7).stdout.split()

    assert soft == hard
    assert 7 < int(soft) < 100_000


def test_no_program_leaves_its_memory_behind(tmp_path: Path, a_call: Callable[..., Call]) -> None:
    done = a_runner(tmp_path).perform(python("-c", ASKS.format("CORE")), a_call())

    assert done.stdout == "0 0\n"
