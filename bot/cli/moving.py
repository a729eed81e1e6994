"""`interlock move`: bring the whole log into another database."""

import time
from collections.abc import Callable

import click

from bot.cli.output import answer, as_json_option, refuse_to_ask
from bot.settings import Settings, SettingsError, read_settings
from storage.move_places import spelled
from storage.moving import Moved

SECONDS = 2.0  # How often a long table says how far it is.
LONG = 10_000


@click.command()
@click.option("--from", "source", help="Where the log is, by default a file in the home.")
@click.option("--to", "target", help="An empty database, by default INTERLOCK_DATABASE_URL.")
@click.option("--take-back", is_flag=True, help="Make --from writable again after a move.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json_option
def move(
    *, source: str | None, target: str | None, take_back: bool, yes: bool, as_json: bool
) -> None:
    """Move the log into another database, as it is. Nobody may serve it meanwhile."""
    settings = read_settings()
    origin = source or _source(settings)
    if take_back:
        _take_back(settings, origin, yes=yes, as_json=as_json)
        return
    from bot.relocation import relocate  # noqa: PLC0415 - help must not wait for the database.

    moved = relocate(settings, origin, _target(settings, target), tell=_progress())
    answer(_data(moved), _lines(moved, origin), as_json=as_json)


def _take_back(settings: Settings, origin: str, *, yes: bool, as_json: bool) -> None:
    from bot.relocation import bring_back  # noqa: PLC0415 - as above.

    here = spelled(origin)
    refuse_to_ask(yes=yes, as_json=as_json)
    if not yes:
        click.confirm(
            f"Let the log go on at {here}? The copy it moved to must be given up for good: a log"
            " that goes on at two places is two histories, and effects are done twice.",
            abort=True,
            err=True,
        )
    mark = bring_back(settings, origin)
    said = f"The log at {here} had not moved."
    if mark is not None:
        said = f"The log goes on at {here}, not at {mark.target}."
    answer({"was_moved": mark is not None}, [said], as_json=as_json)


def _source(settings: Settings) -> str:
    if settings.is_sqlite:
        return settings.database_url
    return f"sqlite:///{settings.home / 'interlock.db'}"


def _target(settings: Settings, given: str | None) -> str:
    if given and ":" not in given:
        raise SettingsError(
            f"{given} is no address of a database, and a file of that name is hardly meant.",
            hint=f"Write --to postgresql://user@host/name, or --to sqlite:{given} for a file.",
        )
    if given:
        return given
    if settings.is_sqlite:
        raise SettingsError(
            "Where to move the log is not said.",
            hint="Give --to postgresql://user@host/name, or set INTERLOCK_DATABASE_URL to it.",
        )
    return settings.database_url


def _progress() -> Callable[[str, int, int], None]:
    """Return what tells on standard error how far it is: long tables at their start as well."""
    told_at = time.monotonic()

    def tell(what: str, done: int, total: int) -> None:
        nonlocal told_at
        is_told = (done == total > 0) or (done == 0 and total > LONG)
        if is_told or time.monotonic() - told_at > SECONDS:
            told_at = time.monotonic()
            click.echo(f"{what}: {done} of {total}", err=True)

    return tell


def _data(moved: Moved) -> dict[str, object]:
    return {
        "ok": True,
        "target": moved.target,
        "size": moved.head.size,
        "root": moved.head.root.hex(),
        "fingerprint": moved.head.fingerprint,
        "is_new": moved.is_new,
        "rows": dict(moved.rows),
        "left": list(moved.left),
    }


def _lines(moved: Moved, origin: str) -> list[str]:
    if not moved.is_new:
        return [f"The log is at {moved.target} already; an earlier move had brought it there."]
    head = moved.head
    said = f"Moved {head.size} entries to {moved.target}. They verify there, under the same head:"
    left = [f"Left behind, since it is not ours: the table {name}." for name in moved.left]
    goes_on = (
        "Now set INTERLOCK_DATABASE_URL to that address, with its password, and start the bot."
        " The keys stay in the home."
    )
    stays = f"{spelled(origin)} stays for reading; the bot refuses to serve it."
    return [f"{said} {head.fingerprint}.", *left, goes_on, stays]
