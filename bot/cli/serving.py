"""`interlock init`, `serve` and `migrate`: bring the bot up."""

import gc

import click

from bot.cli.new_log import data_about, lines_about
from bot.cli.output import answer, as_json_option
from bot.settings import read_settings


@click.command()
@as_json_option
def init(*, as_json: bool) -> None:
    """Make the home folder: signing keys, database, a policy to start from."""
    from bot.opening import begin_log  # noqa: PLC0415 - help must not wait for the database.

    settings = read_settings()
    memory = begin_log(settings)
    memory.database.close()
    data, lines = data_about(settings, memory), lines_about(settings, memory)
    answer(data, lines, as_json=as_json)


@click.command()
def serve() -> None:
    """Run the bot until it is told to stop (SIGTERM or Ctrl-C)."""
    from bot.serve import serve_until_stopped  # noqa: PLC0415 - as above.

    # What was imported stays until the end, so no collection need look at it again. Those of
    # what comes later are cheaper then, and come sooner, before much has gathered.
    gc.freeze()
    serve_until_stopped(read_settings())


@click.command()
@as_json_option
def migrate(*, as_json: bool) -> None:
    """Bring the database up to this release."""
    from storage.database import open_database  # noqa: PLC0415 - as above.
    from storage.migrate import is_current, upgrade  # noqa: PLC0415 - as above.

    database = open_database(read_settings().database_url)
    was_current = is_current(database.engine)
    upgrade(database.engine)
    database.close()
    said = "The database is up to date." if was_current else "The database was brought up to date."
    answer({"changed": not was_current}, [said], as_json=as_json)
