"""A command group that imports a subcommand only when it is called."""

import errno
import importlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import click

from bot.cli.output import NO_TEXT, WANTS_JSON, Interrupted, Misused, Refused, Unread
from workflows.errors import InterlockError, StorageError, UnusableDatabaseError

LASTING = frozenset(
    {"serve", "worker", "demo", "sandbox"}
)  # Started again, they look by themselves.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Place(NamedTuple):
    """Where a subcommand lives, and its line in the help."""

    module: str
    name: str
    summary: str


class LazyGroup(click.Group):
    """Lists subcommands from a table, and turns refusals into a sentence and exit code 2."""

    def __init__(self, *, places: Mapping[str, Place], **settings: Any) -> None:  # noqa: ANN401 - handed on to click.
        super().__init__(**settings)
        self._places = places

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        place = self._places.get(cmd_name)
        if place is None:
            return None
        command = getattr(importlib.import_module(place.module), place.name)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.summary) for name, place in self._places.items()])

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as in click.
        try:
            return self._invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, OSError):
            raise
        except Exception as error:
            # A defect of ours, or rows in which somebody wrote what nothing expects there.
            told = _of_rows(error, ctx)
            if told is None:
                raise
            raise Refused(told, as_json=bool(ctx.meta.get(WANTS_JSON))) from error

    def _invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as in click.
        wants_json = "--json" in ctx.args  # Of words that cannot be read, no option is known.
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            if not wants_json:
                raise
            raise Misused(error) from error
        except InterlockError as refusal:
            told = _of_rows(refusal, ctx) if isinstance(refusal, UnusableDatabaseError) else None
            raise Refused(told or refusal, as_json=bool(ctx.meta.get(WANTS_JSON))) from refusal
        except BrokenPipeError:
            raise Unread from None
        except OSError as error:
            refused = _refused(error, as_json=bool(ctx.meta.get(WANTS_JSON)))
            if refused is None:
                raise
            raise refused from error
        except UnicodeEncodeError as error:
            # Bytes that are no UTF-8 reach Python as halves of characters.
            if not any("\ud800" <= one <= "\udfff" for one in str(error.object)):
                raise
            wrong = click.UsageError(NO_TEXT, ctx)
            raise (Misused(wrong) if wants_json else wrong) from error
        except KeyboardInterrupt:
            raise Interrupted from None


def _of_rows(error: Exception, ctx: click.Context) -> InterlockError | None:
    """Return what is odd about the rows that a command read, None where that is not the cause."""
    if ctx.invoked_subcommand in LASTING:
        return None
    # Loaded by nothing that goes well.
    from bot.cli.odd_rows import refusal_of_rows  # noqa: PLC0415 - as said.

    return refusal_of_rows(error)


def _refused(error: OSError, *, as_json: bool) -> Refused | None:
    """Return a trouble with files as a refusal, None where it is a defect of ours."""
    if error.errno in FULL:
        # JSON would go where there is no room.
        return Refused(_no_room(error), as_json=False)
    if isinstance(error, PermissionError) and error.filename is not None:
        return Refused(_closed_to_us(str(error.filename)), as_json=as_json)
    if error.errno == errno.EROFS and error.filename is not None:
        return Refused(_taking_no_changes(error), as_json=as_json)
    return None


def _no_room(error: OSError) -> StorageError:
    return StorageError(
        f"What this command writes cannot be written: {error.strerror}.",
        hint="Free some space. What it was to change may be changed: look before you repeat it.",
    )


def _closed_to_us(file: str) -> StorageError:
    return StorageError(
        f"This account may not use {file}.",
        hint="Run the command as the account that the bot runs as.",
    )


def _taking_no_changes(error: OSError) -> StorageError:
    return StorageError(
        f"{error.filename} cannot be written: {error.strerror}.",
        hint="Have the folder mounted so that it takes changes (for a systemd unit, name it in"
        " ReadWritePaths), or set INTERLOCK_HOME to another one.",
    )
