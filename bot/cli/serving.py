"""`interlock serve`, `worker` and `migrate`: bring the bot up."""

import gc

import click

from bot.cli.output import answer, as_json_option
from bot.settings import Settings, read_settings

CONCURRENCY = click.option(
    "--concurrency",
    type=click.IntRange(1, 64),
    help="How many runs are worked on at once; by default INTERLOCK_THREADS.",
)


@click.command()
@click.option("--no-worker", is_flag=True, help="Leave the runs to `interlock worker`.")
@CONCURRENCY
def serve(*, no_worker: bool, concurrency: int | None) -> None:
    """Run the bot until it is told to stop (SIGTERM or Ctrl-C)."""
    from bot.serve import serve_until_stopped  # noqa: PLC0415 - help must not wait for it.

    settings = _settings(concurrency)
    if settings.serves_many:
        from bot.workspaces.serve import serve_workspaces  # noqa: PLC0415 - as above.

        gc.freeze()  # As below.
        return serve_workspaces(settings, continues_runs=not no_worker)
    # What was imported stays until the end, so no collection need look at it again. Those of
    # what comes later are cheaper then, and come sooner, before much has gathered.
    gc.freeze()
    return serve_until_stopped(settings, continues_runs=not no_worker)


@click.command()
@CONCURRENCY
def worker(*, concurrency: int | None) -> None:
    """Continue runs beside the bot, on as many machines as wanted. Needs Postgres."""
    from bot.worker import work_until_stopped  # noqa: PLC0415 - as above.

    gc.freeze()  # As above.
    work_until_stopped(_settings(concurrency))


def _settings(concurrency: int | None) -> Settings:
    settings = read_settings()
    return settings.model_copy(update={"threads": concurrency}) if concurrency else settings


@click.command()
@as_json_option
def migrate(*, as_json: bool) -> None:
    """Bring the database up to this release."""
    from bot.workspaces.upgrading import databases_of  # noqa: PLC0415 - as above.

    settings = read_settings()
    many = settings.serves_many and not settings.workspace
    changed = [_upgraded(one) for one in databases_of(settings)] if many else []
    if many:
        said = f"Of {len(changed)} databases {sum(changed)} were brought up to date."
    else:
        changed = [_upgraded(settings.database_url)]
        was = "was brought" if changed[0] else "is"
        said = f"The database {was} up to date."
    answer({"changed": any(changed)}, [said], as_json=as_json)


def _upgraded(address: str) -> bool:
    """Bring one database up to this release; say whether that changed it."""
    from storage.database import open_database  # noqa: PLC0415 - as above.
    from storage.migrate import is_current, upgrade  # noqa: PLC0415 - as above.

    database = open_database(address)
    try:
        was_current = is_current(database.engine)
        upgrade(database.engine)
    finally:
        database.close()
    return not was_current
