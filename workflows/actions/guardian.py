"""Runs one program and sees to it that nothing of it stays behind.

`workflows/actions/process` starts this file with the interpreter alone, apart from the
product, as `guardian.py LIFELINE REPORT GRACE LIMITS PROGRAM [ARGUMENT…]`. LIFELINE is the read
end of a pipe that only our starter holds open: when it closes, because time is up or
because the starter is dead, however that came, everything ends: SIGTERM to the program's
group, and after GRACE seconds SIGKILL to whatever is left. On Linux even what has left the
group is found, since orphans are handed to us. REPORT gets one line that says how it went.
LIMITS says what the program may use: `cpu=SECONDS,memory=BYTES,file_size=BYTES,processes=COUNT`.
"""

import ctypes
import os
import resource
import select
import signal
import sys
from contextlib import suppress

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
_LIMITS = {
    "cpu": resource.RLIMIT_CPU,
    "memory": resource.RLIMIT_AS,
    "file_size": resource.RLIMIT_FSIZE,
    "processes": resource.RLIMIT_NPROC,
}


def main() -> None:
    """Run the program to its end, or to ours."""
    lifeline, report, grace = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    for ours in (lifeline, report):
        os.set_inheritable(ours, False)  # noqa: FBT003  os takes it by position
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    news = _news_of_children()
    program = _start(sys.argv[5:], report, sys.argv[4])
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)  # Only the lifeline ends us.
    status = _watch(program, lifeline, news, grace)
    _end_everything(program)
    os.write(report, f"{status}\n".encode())


def _news_of_children() -> int:
    """Return a descriptor that can be read whenever a child has ended."""
    news, sends = os.pipe()
    os.set_blocking(sends, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(sends, warn_on_full_buffer=False)
    return news


def _start(argv: list[str], report: int, limits: str) -> int:
    """Fork the program into a group of its own and return its process id."""
    guardian = os.getpid()
    program = os.fork()
    if program:
        with suppress(OSError):  # The program does it too; whoever is first.
            os.setpgid(program, program)
        return program
    try:
        os.setpgid(0, 0)
        for name in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(name, signal.SIG_DFL)  # Python ignores them; a program should not.
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        _limit(limits)
        if os.getppid() == guardian:
            os.execv(argv[0], argv)  # noqa: S606  no shell is the point
    except (OSError, ValueError) as fault:  # A limit above the system's own is a ValueError.
        os.write(report, f"missing {getattr(fault, 'strerror', None) or fault}\n".encode())
    os._exit(127)


def _limit(limits: str) -> None:
    """Hold this process, and whatever it starts, to what it may use; it leaves no core dump."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for word in filter(None, limits.split(",")):
        name, _, most = word.partition("=")
        # The system counts every task of the user, so those there are already come on top.
        number = int(most) + (_tasks_of(os.getuid()) if name == "processes" else 0)
        # One second between the two is the time in which a program may still say something.
        resource.setrlimit(_LIMITS[name], (number, number + 1 if name == "cpu" else number))


def _tasks_of(user: int) -> int:
    count = 0
    for name in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208  light
        with suppress(OSError):
            if os.stat(f"/proc/{name}").st_uid == user:  # noqa: PTH116  light
                count += len(os.listdir(f"/proc/{name}/task"))  # noqa: PTH208  light
    return count


def _watch(program: int, lifeline: int, news: int, grace: float) -> str:
    """Wait for the program or for the end of the lifeline; return how it ended."""
    word, patience = "ended", None
    poll = select.poll()
    poll.register(news, select.POLLIN)
    poll.register(lifeline, select.POLLIN)
    while True:
        done, status = os.waitpid(program, os.WNOHANG)
        if done:
            return f"{word} {os.waitstatus_to_exitcode(status)}"
        ready = {number for number, _ in poll.poll(patience)}
        if news in ready:
            os.read(news, 512)
        if lifeline in ready:
            word, patience = "stopped", grace * 1000
            poll.unregister(lifeline)
            _signal_group(program, signal.SIGTERM)
        elif not ready:
            _signal_group(program, signal.SIGKILL)


def _end_everything(program: int) -> None:
    """Kill what the program left behind, then what that leaves to us, until nothing is left."""
    _signal_group(program, signal.SIGKILL)
    while True:
        for child in _children():
            with suppress(OSError):
                os.kill(child, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children() -> list[int]:
    with suppress(OSError), open("/proc/thread-self/children") as file:  # noqa: PTH123  light
        return [int(one) for one in file.read().split()]
    return []


def _signal_group(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _prctl(option: int, value: int) -> None:
    # Elsewhere than on Linux there is no such call, and the group is all we can end.
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    main()
