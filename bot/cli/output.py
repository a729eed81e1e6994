"""How subcommands answer: for a person, or as JSON with `--json`."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum
from typing import IO, TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from workflows.errors import InputsError, InterlockError, UnknownRunError

if TYPE_CHECKING:
    from workflows.entry import Json  # It brings half the time that help takes.
    from workflows.fault import Fault

WANTS_JSON = "interlock.as_json"
HANG = 4
NO_TEXT = "An argument is no text in UTF-8."

Function = TypeVar("Function", bound=Callable[..., Any])


class Exit(IntEnum):
    """What the exit code says."""

    FINE = 0
    NO = 1
    WRONG = 2
    UNPROVEN = 3


def as_json_option(function: Function) -> Function:
    """Give a subcommand the flag `--json`."""
    option = click.option(
        "--json", "as_json", is_flag=True, is_eager=True, callback=_remember, help="Print JSON."
    )
    return option(function)


def _remember(context: click.Context, _: click.Parameter, value: bool) -> bool:  # noqa: FBT001 - click calls it.
    # A refusal is shown after the subcommand's own context is gone.
    context.meta[WANTS_JSON] = value
    return value


def answer(data: Mapping[str, object], lines: Iterable[str], *, as_json: bool) -> None:
    """Print `data` as one JSON object, or `lines` for a person."""
    if as_json:
        click.echo(json.dumps(data, ensure_ascii=False, sort_keys=True))
        return
    for line in lines:
        click.echo(_hanging(_harmless(line)))


def refuse_to_ask(*, yes: bool, as_json: bool) -> None:
    """Return where nothing has to be asked, or somebody can be.

    Raises:
        click.UsageError: a question would stand among JSON.
    """
    if as_json and not yes:
        raise click.UsageError("With --json nobody can be asked; add --yes.")


def _harmless(line: str) -> str:
    """Return a line in which nothing that somebody wrote moves or colours the terminal."""
    if line.isascii() and line.isprintable():
        return line
    from bot.wording import clean  # noqa: PLC0415 - most lines need none of it.

    return clean(line)


def _hanging(line: str) -> str:
    """Return a line whose own breaks, which somebody wrote, cannot pretend to begin another."""
    if "\n" not in line:
        return line
    margin = len(line) - len(line.lstrip(" ")) + HANG
    return line.rstrip("\n").replace("\n", "\n" + " " * margin)


def leave(code: int) -> NoReturn:
    """End the command with this exit code."""
    raise click.exceptions.Exit(code)


class Refused(click.ClickException):
    """A refusal on its way to the terminal."""

    exit_code = Exit.WRONG

    def __init__(self, refusal: InterlockError, *, as_json: bool) -> None:
        if _kind(refusal) == UnknownRunError.__name__ and not refusal.hint:
            refusal = UnknownRunError(refusal.message, hint="See `interlock runs`.")
        super().__init__(str(refusal))
        self._refusal = refusal
        self._as_json = as_json

    def show(self, file: IO[Any] | None = None) -> None:
        if self._as_json:
            _print(json.dumps({"ok": False, **refusal_data(self._refusal)}), file)
            return
        click.echo(f"interlock: {_harmless(str(self._refusal))}", file=file, err=True)


class Misused(click.ClickException):
    """What click found wrong with the words of a command, for a program that wants JSON."""

    exit_code = Exit.WRONG

    def __init__(self, error: click.UsageError) -> None:
        super().__init__(" ".join(error.format_message().split()))
        self._hint = f"See `{error.ctx.command_path} --help`." if error.ctx is not None else ""

    def show(self, file: IO[Any] | None = None) -> None:
        data = {"refusal": "UsageError", "message": self.message, "hint": self._hint}
        _print(json.dumps({"ok": False, **data}), file)


class Interrupted(click.ClickException):
    """Somebody pressed Ctrl-C, which is no answer: it ends as shells say it, 128 and the signal."""

    exit_code = 128 + signal.SIGINT

    def __init__(self) -> None:
        super().__init__("Aborted!")

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"\n{self.message}", file=file, err=True)


class Unread(click.ClickException):
    """Whoever read the answer has gone away, as `head` does: no answer, so as for Ctrl-C."""

    exit_code = 128 + signal.SIGPIPE

    def __init__(self) -> None:
        super().__init__("Nobody reads this any more.")

    def show(self, file: IO[Any] | None = None) -> None:
        del file
        _leave_unread()


def _print(line: str, file: IO[Any] | None) -> None:
    """Print a refusal; if its reader has gone away, nobody is left to be told of that either."""
    try:
        click.echo(line, file=file)
    except BrokenPipeError:
        _leave_unread()


def _leave_unread() -> None:
    """Have what is still to be written go nowhere.

    See https://docs.python.org/3/library/signal.html#note-on-sigpipe.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def refusal_data(refusal: InterlockError) -> "dict[str, Json]":
    """Return a refusal as data: its kind, what happened, what to do."""
    data: dict[str, Json] = {
        "refusal": _kind(refusal),
        "message": refusal.message,
        "hint": refusal.hint,
    }
    if isinstance(refusal, InputsError):
        data["fields"] = dict(refusal.fields)
    return data


def _kind(refusal: InterlockError) -> str:
    """Return the class of a refusal, also where the process that serves refused."""
    told = getattr(refusal, "kind", "")
    return str(told) or type(refusal).__name__


def fault_data(fault: "Fault") -> dict[str, str | int | bool]:
    """Return what is wrong with a file as data."""
    return {
        "file": fault.file,
        "line": fault.line,
        "column": fault.column,
        "path": fault.path,
        "what": fault.what,
        "right": fault.right,
        "is_warning": fault.is_warning,
    }
