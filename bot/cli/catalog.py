"""`interlock workflows`, `history` and `diff`: what is active, since when, and what changed."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NoReturn

import click

from bot.catalog_lines import Standing, known_version, standings
from bot.catalog_story import Change, story_of
from bot.checked_files import CheckedFiles
from bot.cli.output import Exit, answer, as_json_option, leave
from bot.cli.reading import opened
from bot.drift import Drift, drifts, policy_drift
from bot.policy_in_force import gating
from bot.settings import Settings, read_settings
from bot.stored_texts import read_version
from bot.wording import plural
from storage.published import active_versions, canonical_of, was_published
from storage.rows import DatabaseRows
from storage.transaction import Database
from workflows.actions.registry import all_actions
from workflows.catalog import Catalog
from workflows.comparing import difference
from workflows.definition import Definition
from workflows.errors import DefinitionError, UnknownWorkflowError
from workflows.fault import nearest
from workflows.loading import load_policy
from workflows.moments import stamp
from workflows.own_workflows import is_own
from workflows.portrait import Actions, Known
from workflows.services import Services


@click.command()
@click.option(
    "--long", "is_long", is_flag=True, help="Owner, level, success, last failure, runs, drift."
)
@as_json_option
def workflows(*, is_long: bool, as_json: bool) -> None:
    """List the workflows that can be run, with their versions."""
    from bot.bespoke import bespoke  # noqa: PLC0415 - seldom asked for.

    settings = read_settings()
    with opened(settings) as database:
        found = [_row(database, *one) for one in active_versions(database).items()]
        found = [one for one in found if not is_own(one["workflow"])]
        if is_long:
            now = datetime.now(UTC)
            seen = [
                *found_drift(settings, database),
                *bespoke(database, _active(database), now=now),
            ]
            more = standings(database, seen, now=now)
            found = [{**one, **_standing(more[one["workflow"]])} for one in found]
    lines = [line for one in found for line in _lines(one, is_long=is_long)]
    answer({"workflows": found}, lines or ["None has been published yet."], as_json=as_json)


@click.command()
@click.argument("workflow")
@as_json_option
def history(workflow: str, *, as_json: bool) -> None:
    """Say who proposed and agreed to each version of WORKFLOW, when and why, newest first."""
    with opened(read_settings()) as database:
        found = story_of(database, workflow)
        if not found:
            raise _unknown(database, workflow)
    data = {"workflow": workflow, "changes": [one.data for one in found]}
    answer(data, [_change_line(one) for one in found], as_json=as_json)


@click.command()
@click.argument("workflow")
@click.argument("versions", nargs=-1, metavar="[A [B]]")
@as_json_option
def diff(workflow: str, versions: tuple[str, ...], *, as_json: bool) -> None:
    """Say in words what version B of WORKFLOW changes against version A.

    Without B it is the active version; without either, its file against the active version.
    The start of a digest is enough.
    """
    if len(versions) > 2:  # noqa: PLR2004 - two versions.
        raise click.UsageError("Name two versions at most.")
    settings = read_settings()
    with opened(settings) as database:
        known = known_here(settings, database)
        before, after = _two(settings, database, workflow, versions, known)
    lines = difference(before, after, known)
    data = {
        "workflow": workflow,
        "before": None if before is None else before.version,
        "after": after.version,
        "changes": lines,
    }
    answer(data, lines or ["Nothing differs."], as_json=as_json)


def check_drift(*, as_json: bool) -> NoReturn:
    """Say what has drifted, and leave with 1 if something has."""
    settings = read_settings()
    with opened(settings) as database:
        found = found_drift(settings, database)
    lines = [f"{one.workflow}: {one.words}" for one in found]
    data = {"ok": not found, "drift": [one.data for one in found]}
    answer(data, lines or ["Everything is as people agreed to it."], as_json=as_json)
    leave(Exit.NO if found else Exit.FINE)


def found_drift(settings: Settings, database: Database) -> list[Drift]:
    """Return what has drifted, as far as this machine's files and actions show."""
    actions = actions_here(settings, database)
    folder, files, file = settings.definitions, None, settings.policy_file
    if folder.exists():
        checked = CheckedFiles(settings.home, is_published=lambda one: was_published(database, one))
        files = checked.read(folder)
    of_policy = policy_drift(database, lambda: load_policy(file)) if file.exists() else []
    return [*of_policy, *drifts(database, actions, files)]


def actions_here(settings: Settings, database: Database) -> Actions:
    """Return the actions that are installed here, with the targets of the policy that counts."""
    agreed, file = gating(database), settings.policy_file
    policy = load_policy(file) if agreed is None and file.exists() else agreed
    targets = Services() if policy is None else policy.targets
    return all_actions(targets, DatabaseRows(now=lambda: datetime.now(UTC)))


def known_here(settings: Settings, database: Database) -> Known:
    """Return what is needed to say what definitions do."""
    by_name = {one.workflow: one for one in _active(database)}
    return Known(actions=actions_here(settings, database), find=by_name.get)


def _two(
    settings: Settings,
    database: Database,
    workflow: str,
    versions: Sequence[str],
    known: Known,
) -> tuple[Definition | None, Definition]:
    """Return the two definitions to compare."""
    if versions:
        found = [known_version(database, workflow, one) for one in (*versions, "")[:2]]
        before, after = (_definition(database, one) for one in found)
        return before, after
    return known.find(workflow), _in_files(settings, database, workflow)


def _in_files(settings: Settings, database: Database, workflow: str) -> Definition:
    files = Catalog.load([settings.definitions], actions_here(settings, database))
    if workflow not in files.names():
        raise _unknown(database, workflow)
    return files.find(workflow)


def _active(database: Database) -> Iterator[Definition]:
    for version in active_versions(database).values():
        with suppress(DefinitionError):
            yield _definition(database, version)


def _definition(database: Database, version: str) -> Definition:
    """Return the definition of a version.

    Raises:
        DefinitionError: its text was altered, or only a newer release can read it.
    """
    return read_version(canonical_of(database, version) or "", version)


def _unknown(database: Database, workflow: str) -> UnknownWorkflowError:
    near = nearest(workflow, active_versions(database))
    hint = f"Did you mean {near}?" if near else "See `interlock workflows`."
    return UnknownWorkflowError(f"There is no workflow called {workflow!r}.", hint=hint)


def _row(database: Database, name: str, version: str) -> dict[str, Any]:
    try:
        found = _definition(database, version)
    except DefinitionError as error:
        told = {"title": error.message, "owner": "", "best_effort": False}
    else:
        told = {"title": found.title, "owner": found.owner, "best_effort": found.is_best_effort}
    return {"workflow": name, "version": version, **told}


def _standing(one: Standing) -> dict[str, Any]:
    failed_at = one.went.failed_at
    return {
        "level": one.level,
        "success": one.went.rate,
        "last_failure": None if failed_at is None else stamp(failed_at),
        "going": [some.data for some in one.going],
        "drift": list(one.drifted),
    }


def _lines(one: dict[str, Any], *, is_long: bool) -> Iterator[str]:
    yield f"{one['workflow']:<32} {one['version'][:8]}  {one['title']}"
    if is_long:
        rate = "no runs ended" if one["success"] is None else f"{one['success']} % succeeded"
        failed = f", last failure {one['last_failure']}" if one["last_failure"] else ""
        hasty = ", best effort" if one["best_effort"] else ""
        yield f"    {one['owner']}, {one['level']}{hasty}, in 30 days {rate}{failed}"
        yield from (_going(some, one["version"]) for some in one["going"])
        yield from (f"    drift: {words}" for words in one["drift"])


def _going(one: dict[str, Any], active: str) -> str:
    """Say who runs what version just now."""
    older = "" if one["version"] == active else ", not the active version"
    asked = f", asked for by {', '.join(one['asked_by'])}" if one["asked_by"] else ""
    return f"    going on: {plural(one['runs'], 'run')} by {one['version'][:8]}{older}{asked}"


def _change_line(change: Change) -> str:
    number = "" if change.index is None else f"#{change.index}  "
    return f"{number}{stamp(change.at)}  {change.words}"
