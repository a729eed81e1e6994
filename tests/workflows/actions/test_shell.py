"""`shell.run`, with real programs that do not want to end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from pydantic import ValidationError

from workflows.actions import process
from workflows.actions.base import MARGIN, Call, Effect
from workflows.actions.shell import LIMIT, ShellCall, ShellRun
from workflows.errors import (
    ActionFailedError,
    InDoubtError,
    NotPerformedError,
    TransientReadError,
)
from workflows.redaction import Redactor
from workflows.services import Services

ROOT = Path(__file__).resolve().parents[3]
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
PATIENCE = 60.0  # Two interpreters may have to start first, on a machine with much else to do.


def a_runner(folder: Path, **program: object) -> ShellRun:
    declared = {"path": sys.executable, "folders": {"here": str(folder)}, **program}
    return ShellRun(Services.model_validate({"programs": {"python": declared}}))


def python(*args: str, **known: object) -> ShellCall:
    return ShellCall(program="python", args=args, folder="here", **known)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_for(path: Path) -> str:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if path.exists() and path.read_text().endswith("\n"):
            return path.read_text()
        time.sleep(0.02)
    raise AssertionError(f"{path.name} was never written")


def ends_soon(pid: int) -> bool:
    until = time.monotonic() + 30  # By itself each of them would go on for a minute.
    while is_alive(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not is_alive(pid)


@pytest.fixture
def deaf() -> Iterator[None]:
    """Hold SIGTERM back from whatever this thread starts: from its birth, however slow that is."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    yield
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def test_a_program_gets_its_arguments_as_they_are_and_no_shell_reads_them(
    tmp_path: Path, a_call: Callable[..., Call]
) -> None:
    words = ("$(touch broken)", "; touch broken", "a b", "*")
    code = "import sys; print(sys.argv[1:])"

    done = a_runner(tmp_path).perform(python("-c", code, *words), a_call())

    assert done.stdout == f"{list(words)}\n"
    assert not (tmp_path / "broken").exists()


def test_a_program_sees_only_the_environment_it_was_given(
    tmp_path: Path, a_call: Callable[..., Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "a token of ours")
    runner = a_runner(tmp_path, environment={"MODE": "fast"}, secrets={"TOKEN": "deploy"})
    code = "import os; print(sorted(os.environ)); print(os.environ['TOKEN'])"

    done = runner.perform(python("-c", code), a_call(secrets={"deploy": "opensesame"}))

    names = [name for name in ("LC_CTYPE", "MODE", "PATH", "TOKEN") if name in done.stdout]
    assert "SLACK_BOT_TOKEN" not in done.stdout
    assert done.stdout.splitlines() == [str(names), "opensesame"]


def test_standard_input_reaches_the_program(tmp_path: Path, a_call: Callable[..., Call]) -> None:
    code = "import sys; print(len(sys.stdin.read()))"

    done = a_runner(tmp_path).perform(python("-c", code, stdin="x" * 300_000), a_call())

    assert done.stdout == "300000\n"


def test_a_program_that_does_not_read_its_input_still_ends(
    tmp_path: Path, a_call: Callable[..., Call]
) -> None:
    done = a_runner(tmp_path).perform(python("-c", "print(1)", stdin="x" * 900_000), a_call())

    assert done.stdout == "1\n"


@pytest.mark.usefixtures("deaf")
def test_a_program_that_ignores_sigterm_is_killed_after_its_grace(
    tmp_path: Path, a_call: Callable[..., Call]
) -> None:
    started = time.monotonic()

    with pytest.raises(InDoubtError, match=r"stopped after 0\.5 s") as caught:
        a_runner(tmp_path).perform(python("-c", STUBBORN), a_call(timeout=0.5))

    assert caught.value.error_class == "timeout"
    assert 1.4 < time.monotonic() - started < 30  # By itself it would go on for a minute.


def test_grandchildren_end_with_the_program_even_those_that_left_its_group(
    tmp_path: Path, a_call: Callable[..., Call]
) -> None:
    child = f"import os, signal, time; os.setsid(); {STUBBORN}"
    code = (
        "import subprocess, sys, time\n"
        f"codes = [{child!r}, {STUBBORN!r}]\n"
        "pids = [subprocess.Popen([sys.executable, '-c', code]).pid for code in codes]\n"
        "open('pids', 'w').write(' '.join(map(str, pids)) + '\\n')\n"
        "time.sleep(0.3)\n"
    )

    done = a_runner(tmp_path).perform(python("-c", code), a_call())

    pids = [int(one) for one in wait_for(tmp_path / "pids").split()]
    assert done.exit_code == 0
    assert [is_alive(pid) for pid in pids] == [False, False]


def test_a_program_does_not_outlive_a_worker_that_is_killed(tmp_path: Path) -> None:
    grandchild = (
        f"open('grandchild', 'w').write(str(__import__('os').getpid()) + '\\n'); {STUBBORN}"
    )
    code = (
        "import os, subprocess, sys\n"
        "open('child', 'w').write(f'{os.getpid()}\\n')\n"
        f"subprocess.run([sys.executable, '-c', {grandchild!r}])\n"
    )
    worker = (
        "from workflows.actions.process import run_program\n"
        f"run_program([{sys.executable!r}, '-c', {code!r}], folder={str(tmp_path)!r},"
        " environment={}, stdin=b'', timeout=60, limit=1000)"
    )
    running = subprocess.Popen([sys.executable, "-c", worker], cwd=ROOT)
    child = int(wait_for(tmp_path / "child"))
    grandchild_pid = int(wait_for(tmp_path / "grandchild"))

    os.kill(running.pid, signal.SIGKILL)
    running.wait()

    assert ends_soon(child)
    assert ends_soon(grandchild_pid)


def test_a_worker_killed_while_its_thread_waits_leaves_no_guardian(tmp_path: Path) -> None:
    worker = (
        "import threading\n"
        "from workflows.actions.process import run_program\n"
        f"go = lambda: run_program(['/bin/sleep', '60'], folder={str(tmp_path)!r},"
        " environment={}, stdin=b'', timeout=60, limit=1000)\n"
        "threading.Thread(target=go, daemon=True).start()\n"
        "import time; time.sleep(60)"
    )
    running = subprocess.Popen([sys.executable, "-c", worker], cwd=ROOT)
    children = Path(f"/proc/{running.pid}/task")
    until = time.monotonic() + PATIENCE
    pids: list[int] = []
    while not pids and time.monotonic() < until:
        files = children.glob("*/children")
        pids = [int(one) for file in files for one in file.read_text().split()]

    os.kill(running.pid, signal.SIGKILL)
    running.wait()

    assert len(pids) == 1
    assert ends_soon(pids[0])


def test_output_of_an_effect_is_cut_and_marked(tmp_path: Path, a_call: Callable[..., Call]) -> None:
    code = f"import sys; sys.stdout.write('x' * {LIMIT + 5})"

    done = a_runner(tmp_path).perform(python("-c", code), a_call())

    assert done.is_cut
    assert len(done.stdout) == LIMIT


def test_no_beginning_of_a_secret_is_left_where_long_output_ends(
    tmp_path: Path, a_call: Callable[..., Call]
) -> None:
    secret = "tk-" + "0123456789" * 4
    before = (LIMIT + MARGIN) // 2 - 10  # Letters of two bytes each: the reading ends in it.
    code = f"import sys; sys.stdout.buffer.write(('ä' * {before} + '{secret}').encode())"
    call = a_call(redact=Redactor([secret]))

    done = a_runner(tmp_path).perform(python("-c", code), call)
    with pytest.raises(ActionFailedError) as caught:
        a_runner(tmp_path).perform(python("-c", f"{code}; sys.exit(1)"), call)

    assert done.is_cut
    assert done.stdout == "ä" * (LIMIT // 2)
    assert "tk-" not in str(caught.value)


def test_output_of_a_read_that_is_too_long_is_an_error(
    tmp_path: Path, a_call: Callable[..., Call]
) -> None:
    code = f"import sys; sys.stdout.write('x' * {LIMIT + 5})"

    with pytest.raises(ActionFailedError, match="wrote more than"):
        a_runner(tmp_path, reads=(".*",)).perform(python("-c", code), a_call())


def test_a_program_that_fails_may_have_done_part_of_it(
    tmp_path: Path, a_call: Callable[..., Call]
) -> None:
    with pytest.raises(ActionFailedError, match="ended with 3: no such release") as caught:
        a_runner(tmp_path).perform(
            python("-c", "import sys; print('no such release', file=sys.stderr); sys.exit(3)"),
            a_call(),
        )

    assert caught.value.partly
    assert caught.value.error_class == "exit_3"


def test_the_last_words_of_a_program_that_said_much_are_told(
    tmp_path: Path, a_call: Callable[..., Call]
) -> None:
    secret = "tk-" + "0123456789" * 4
    code = (
        "import sys; say = sys.stderr.write; "
        f"say('{secret}' * {LIMIT // 20}); say('no space left'); sys.exit(3)"
    )

    with pytest.raises(ActionFailedError, match=r"no space left$") as caught:
        a_runner(tmp_path).perform(python("-c", code), a_call(redact=Redactor([secret])))

    assert "0123" not in str(caught.value).replace("[secret removed]", "")


def test_a_read_that_fails_has_done_nothing(tmp_path: Path, a_call: Callable[..., Call]) -> None:
    with pytest.raises(ActionFailedError) as caught:
        a_runner(tmp_path, reads=(".*",)).perform(python("-c", "exit(1)"), a_call())

    assert not caught.value.partly


def test_a_program_whose_guardian_is_ended_from_outside_is_in_doubt_by_its_own_name(
    tmp_path: Path, a_call: Callable[..., Call]
) -> None:
    code = "import os, signal; os.kill(os.getppid(), signal.SIGKILL)"

    with pytest.raises(InDoubtError, match="Nobody can say how python ended") as caught:
        a_runner(tmp_path).perform(python("-c", code), a_call())

    assert caught.value.error_class == "end_unknown"


def test_a_read_that_takes_too_long_may_be_tried_again(
    tmp_path: Path, a_call: Callable[..., Call]
) -> None:
    with pytest.raises(TransientReadError, match="stopped after") as caught:
        a_runner(tmp_path, reads=(".*",)).perform(
            python("-c", "import time; time.sleep(60)"), a_call(timeout=0.3)
        )

    assert caught.value.error_class == "stopped"


@pytest.mark.parametrize("path", ["/no/such/program", "/etc/passwd"])
def test_a_program_that_cannot_start_has_done_nothing(
    path: str, tmp_path: Path, a_call: Callable[..., Call]
) -> None:
    with pytest.raises(NotPerformedError, match="cannot be started"):
        a_runner(tmp_path, path=path).perform(python("x"), a_call())


def test_a_missing_folder_is_told_before_anything_starts(
    tmp_path: Path, a_call: Callable[..., Call]
) -> None:
    runner = a_runner(tmp_path / "gone")

    with pytest.raises(NotPerformedError, match="is not there"):
        runner.perform(python("-c", "1"), a_call())


def test_only_arguments_that_match_the_allow_list_are_accepted(
    tmp_path: Path, a_call: Callable[..., Call]
) -> None:
    runner = a_runner(tmp_path, arguments=(r"-c \S+",))

    with pytest.raises(ActionFailedError, match="may not be told"):
        runner.perform(python("-c", "1", "-extra"), a_call())
    assert runner.perform(python("-c", "1"), a_call()).exit_code == 0


def test_one_argument_with_a_space_does_not_pass_for_two(tmp_path: Path) -> None:
    runner = a_runner(tmp_path, reads=("log --oneline",))

    assert runner.effect_of({"program": "python", "args": ["log", "--oneline"]}) is Effect.READ
    assert runner.effect_of({"program": "python", "args": ["log --oneline"]}) is Effect.WRITE


def test_an_expression_that_turns_out_to_be_an_option_does_not_pass_as_a_read(
    tmp_path: Path, a_call: Callable[..., Call]
) -> None:
    runner = a_runner(tmp_path, reads=(r"show \w+",))
    args = ["show", "${{ inputs.release }}"]

    assert runner.effect_of({"program": "python", "args": args}) is Effect.READ
    with pytest.raises(ActionFailedError, match="let through as read"):
        runner.perform(python("show", "--output=x"), a_call(effect=Effect.READ))


def test_a_program_that_nobody_named_is_refused(
    tmp_path: Path, a_call: Callable[..., Call]
) -> None:
    call = ShellCall(program="rm", args=("-rf", "/"), folder="here")

    with pytest.raises(ActionFailedError, match="no program named rm"):
        a_runner(tmp_path).perform(call, a_call())


def test_a_missing_secret_is_told_and_nothing_starts(
    tmp_path: Path, a_call: Callable[..., Call]
) -> None:
    runner = a_runner(tmp_path, secrets={"TOKEN": "deploy"})

    with pytest.raises(ActionFailedError, match="no secret named deploy"):
        runner.perform(python("-c", "open('ran', 'w')"), a_call())
    assert not (tmp_path / "ran").exists()


def test_a_plan_says_the_very_command(tmp_path: Path, a_call: Callable[..., Call]) -> None:
    plan = a_runner(tmp_path).plan(python("reset", "a b"), a_call())

    assert plan.summary == "python reset 'a b' in here"
    assert plan.lines[1] == f"$ {sys.executable} reset 'a b'"


def test_a_null_byte_in_an_argument_is_refused_at_the_door() -> None:
    with pytest.raises(ValidationError):
        python("a\0b")


@pytest.mark.usefixtures("deaf")
def test_a_program_that_tidies_up_at_sigterm_is_given_the_time(
    tmp_path: Path, a_call: Callable[..., Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "GRACE", PATIENCE)  # It begins with the start of an interpreter.
    code = (
        "import signal, sys, time\n"
        "def tidy(*_):\n"
        "    time.sleep(0.3)\n"
        "    open('tidied', 'w').write('yes\\n')\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, tidy)\n"
        "signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})\n"
        "time.sleep(60)\n"
    )

    with pytest.raises(InDoubtError):
        a_runner(tmp_path).perform(python("-c", code), a_call(timeout=0.5))
    assert wait_for(tmp_path / "tidied") == "yes\n"


def test_many_programs_at_once_keep_their_output_apart_and_leave_nothing_open(
    tmp_path: Path, a_call: Callable[..., Call]
) -> None:
    runner = a_runner(tmp_path)
    runner.perform(python("-c", "1"), a_call())
    before = open_files()

    def run(number: int) -> str:
        return runner.perform(python("-c", f"print({number})"), a_call(timeout=PATIENCE)).stdout

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(run, range(16)))

    assert said == [f"{number}\n" for number in range(16)]
    # What other tests of this process left behind may open and close files of its own meanwhile.
    until = time.monotonic() + PATIENCE
    while (left := open_files() - before) and time.monotonic() < until:
        time.sleep(0.02)
    assert left == set()


def open_files() -> set[tuple[str, Path]]:
    """Return the number of each open file of this process, and what it leads to."""
    found = set()
    for one in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # Among them is the listing itself.
            found.add((one.name, one.readlink()))
    return found


def test_a_program_sees_none_of_our_pipes(tmp_path: Path, a_call: Callable[..., Call]) -> None:
    code = "import os; print(sorted(map(int, os.listdir('/proc/self/fd')))[:4])"

    done = a_runner(tmp_path).perform(python("-c", code), a_call())

    # The fourth is the listing itself, closed again by the time it is printed.
    assert done.stdout == "[0, 1, 2, 3]\n"
