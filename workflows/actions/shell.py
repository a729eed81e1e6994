"""`shell.run`: one allow-listed program with a list of arguments, never a shell.

Which programs there are, where they run, what they may be told and which of that only looks
stands in `policy.yaml` (`workflows/services.Program`). Starting and stopping them is for
`workflows/actions/process`.
"""

import math
import re
import shlex
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints

from workflows.actions.base import Action, Call, Effect, Model, Plan
from workflows.actions.calls import needed_by, reveal, settled_effect
from workflows.actions.process import Ended, run_program
from workflows.entry import Json
from workflows.errors import (
    ActionFailedError,
    InDoubtError,
    NotPerformedError,
    TransientReadError,
)
from workflows.services import MEBIBYTE, Program, ProgramLimits, Services

PATH = "/usr/local/bin:/usr/bin:/bin"
LIMIT = 1024 * 1024
SHOWN = 200
OVER_LIMIT: Mapping[int, str] = {signal.SIGXCPU: "cpu_limit", signal.SIGXFSZ: "file_size_limit"}
EXPRESSION = re.compile(r"\$\{\{.*?\}\}", re.DOTALL)

Argument = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=8192)]


class ShellCall(Model):
    """What `shell.run` takes: names from `policy.yaml`, and arguments as they are."""

    program: str
    args: tuple[Argument, ...] = Field(default=(), max_length=256)
    folder: str
    stdin: Annotated[str, StringConstraints(max_length=LIMIT)] = ""


class ShellDone(Model):
    """What `shell.run` gives; `is_cut` marks output that was longer than we keep."""

    exit_code: int
    stdout: str
    stderr: str
    is_cut: bool = False


class ShellRun(Action[ShellCall, ShellDone]):
    """Runs one program to its end."""

    name = "shell.run"
    effect = Effect.READ
    takes = ShellCall
    gives = ShellDone
    literals = frozenset({"program", "folder"})

    def __init__(self, services: Services) -> None:
        self._programs = services.programs

    def effect_of(self, arguments: Mapping[str, Json]) -> Effect:
        """Return read where the policy says that these arguments only look, else write.

        An argument that is still an expression is taken for a plain word; what it turns out
        to be is looked at again before the program starts.
        """
        program = self._programs.get(str(arguments.get("program")))
        args = arguments.get("args") or []
        if program is None or not isinstance(args, list | tuple):
            return Effect.WRITE
        line = shlex.join(EXPRESSION.sub("x", str(one)) for one in args)
        return Effect.READ if _matches(program.reads, line) else Effect.WRITE

    def secrets_of(self, arguments: Mapping[str, Json]) -> frozenset[str]:
        return needed_by(arguments.get("program"), self._programs, lambda one: one.needs)

    def admit(self, arguments: ShellCall) -> None:
        _named_folder(self._program(arguments), arguments)

    def describe(self, arguments: ShellCall) -> str:
        return f"{arguments.program} {shlex.join(arguments.args)} in {arguments.folder}"

    def plan(self, arguments: ShellCall, call: Call) -> Plan:
        del call
        program = self._program(arguments)
        folder = self._folder(program, arguments)
        line = shlex.join([program.path, *arguments.args])
        lines = [f"$ cd {shlex.quote(folder)}", f"$ {line}"]
        if arguments.stdin:
            lines += ["with this on its standard input:", *arguments.stdin.splitlines()]
        data: Json = {**arguments.model_dump(mode="json"), "path": program.path, "in": folder}
        return Plan(summary=self.describe(arguments), lines=tuple(lines), data=data)

    def perform(self, arguments: ShellCall, call: Call) -> ShellDone:
        program = self._program(arguments)
        folder = self._folder(program, arguments)
        is_read = settled_effect(self, arguments, call) is Effect.READ
        try:
            ended = run_program(
                [program.path, *arguments.args],
                folder=folder,
                environment=_environment(program, call),
                stdin=arguments.stdin.encode(),
                timeout=call.timeout,
                limit=LIMIT,
                uses=_limits(program),
            )
        except OSError as fault:
            raise _missing(arguments.program, fault.strerror or str(fault)) from fault
        if ended.missing:
            raise _missing(arguments.program, ended.missing)
        return _result(ended, arguments.program, call, is_read=is_read)

    def _program(self, arguments: ShellCall) -> Program:
        program = self._programs.get(arguments.program)
        if program is None:
            raise ActionFailedError(
                f"There is no program named {arguments.program}.",
                error_class="unknown_program",
                hint="Programs are named in policy.yaml.",
            )
        if program.arguments and not _matches(program.arguments, shlex.join(arguments.args)):
            raise ActionFailedError(
                f"{arguments.program} may not be told {shlex.join(arguments.args)}.",
                error_class="arguments_refused",
                hint="Allowed arguments are listed in policy.yaml.",
            )
        return program

    def _folder(self, program: Program, arguments: ShellCall) -> str:
        folder = _named_folder(program, arguments)
        if not Path(folder).is_dir():
            raise NotPerformedError(
                f"The folder {arguments.folder} is not there.", error_class="folder_missing"
            )
        return folder


def _named_folder(program: Program, arguments: ShellCall) -> str:
    folder = program.folders.get(arguments.folder)
    if folder is None:
        raise ActionFailedError(
            f"{arguments.program} has no folder named {arguments.folder}.",
            error_class="unknown_folder",
            hint="Folders are named with the program in policy.yaml.",
        )
    return folder


def _matches(patterns: tuple[str, ...], line: str) -> bool:
    return any(re.fullmatch(one, line) for one in patterns)


def _environment(program: Program, call: Call) -> dict[str, str]:
    secrets = {name: reveal(call, secret) for name, secret in program.secrets.items()}
    return {"PATH": PATH, **program.environment, **secrets}


def _limits(program: Program) -> dict[str, int]:
    """Return what the program may use, in the units of the system."""
    most = program.limits or ProgramLimits()
    chosen = {
        "cpu": None if most.cpu is None else math.ceil(most.cpu.total_seconds()),
        "memory": None if most.memory is None else most.memory * MEBIBYTE,
        "file_size": None if most.file_size is None else most.file_size * MEBIBYTE,
        "processes": most.processes,
    }
    return {name: one for name, one in chosen.items() if one is not None}


def _missing(name: str, why: str) -> NotPerformedError:
    return NotPerformedError(
        f"{name} cannot be started: {why}.",
        error_class="program_missing",
        hint="Its path stands in policy.yaml.",
    )


def _result(ended: Ended, name: str, call: Call, *, is_read: bool) -> ShellDone:
    if ended.is_late or ended.exit_code is None:
        raise _unfinished(ended, name, timeout=call.timeout, is_read=is_read)
    if ended.exit_code != 0:
        code = ended.exit_code
        usual = f"exit_{code}" if code > 0 else f"signal_{-code}"
        raise ActionFailedError(
            f"{name} ended with {code}: {_last_words(ended, call)}",
            error_class=OVER_LIMIT.get(-code, usual),
            partly=not is_read,
        )
    is_cut = ended.stdout.is_cut or ended.stderr.is_cut
    if is_cut and is_read:
        raise ActionFailedError(
            f"{name} wrote more than {LIMIT} bytes.", error_class="too_large", hint="Ask for less."
        )
    return ShellDone(
        exit_code=0,
        stdout=ended.stdout.text(call.redact),
        stderr=ended.stderr.text(call.redact),
        is_cut=is_cut,
    )


def _unfinished(
    ended: Ended, name: str, *, timeout: float, is_read: bool
) -> TransientReadError | InDoubtError:
    if ended.is_late:
        words = f"{name} was stopped after {timeout:g} s."
        if is_read:
            return TransientReadError(words, error_class="stopped")
        return InDoubtError(words, error_class="timeout")
    kind = TransientReadError if is_read else InDoubtError
    return kind(f"Nobody can say how {name} ended.", error_class="end_unknown")


def _last_words(ended: Ended, call: Call) -> str:
    told = (one.end(call.redact).strip() for one in (ended.stderr, ended.stdout))
    said = next((one for one in told if one), "it said nothing")
    return said[-SHOWN:]
