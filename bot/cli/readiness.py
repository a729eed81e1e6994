"""`interlock readiness`: how far the active version of a workflow is trusted, and what it lacks."""

from datetime import UTC, datetime

import click

from bot.cli.output import Exit, answer, as_json_option, leave
from bot.cli.reading import opened
from bot.policy_in_force import policy_of
from bot.settings import read_settings
from bot.version_readiness import read_readiness, readiness_data, readiness_lines
from storage.published import active_versions, canonical_of
from storage.transaction import Database
from workflows.definition import Definition
from workflows.errors import UnknownWorkflowError


@click.command()
@click.argument("workflow")
@as_json_option
def readiness(workflow: str, *, as_json: bool) -> None:
    """Say where WORKFLOW stands on its way to run unwatched. Exit code 1 while it is on trial."""
    settings = read_settings()
    with opened(settings) as database:
        policy = policy_of(settings, database)
        definition = _active(database, workflow)
        found = read_readiness(database, policy, definition, now=datetime.now(UTC))
    answer(readiness_data(found), readiness_lines(found), as_json=as_json)
    leave(Exit.FINE if found.is_unattended else Exit.NO)


def _active(database: Database, workflow: str) -> Definition:
    version = active_versions(database).get(workflow)
    stored = canonical_of(database, version) if version is not None else None
    if stored is None:
        raise UnknownWorkflowError(
            f"There is no workflow {workflow}.", hint="See `interlock workflows`."
        )
    return Definition.from_canonical(stored.encode())
