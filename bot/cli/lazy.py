"""A command group that imports a subcommand only when it is called."""

import importlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import click

from bot.cli.output import NO_TEXT, WANTS_JSON, Misused, Refused
from workflows.errors import InterlockError, StorageError


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
        wants_json = "--json" in ctx.args  # Of words that cannot be read, no option is known.
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            if not wants_json:
                raise
            raise Misused(error) from error
        except InterlockError as refusal:
            raise Refused(refusal, as_json=bool(ctx.meta.get(WANTS_JSON))) from refusal
        except PermissionError as error:
            if error.filename is None:
                raise
            closed = _closed_to_us(str(error.filename))
            raise Refused(closed, as_json=bool(ctx.meta.get(WANTS_JSON))) from error
        except UnicodeEncodeError as error:
            # Bytes that are no UTF-8 reach Python as halves of characters.
            if not any("\ud800" <= one <= "\udfff" for one in str(error.object)):
                raise
            wrong = click.UsageError(NO_TEXT, ctx)
            raise (Misused(wrong) if wants_json else wrong) from error


def _closed_to_us(file: str) -> StorageError:
    return StorageError(
        f"This account may not use {file}.",
        hint="Run the command as the account that the bot runs as.",
    )
