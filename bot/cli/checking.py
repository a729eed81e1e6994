"""`interlock check` and `schema`: for whoever writes workflow files."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from bot.cli.output import Exit, answer, as_json_option, fault_data, leave
from bot.settings import read_settings
from storage.rows import DatabaseRows
from workflows.actions.registry import all_actions
from workflows.check import check as check_files
from workflows.check import files_in
from workflows.check import schema as schema_of_files
from workflows.loading import load_policy
from workflows.policy import Policy
from workflows.services import Services

EXISTING = click.Path(path_type=Path, exists=True)


@click.command()
@click.argument("paths", nargs=-1, type=EXISTING)
@click.option("--policy", "policy_file", type=EXISTING, help="Check gates and services against it.")
@click.option("--drift", is_flag=True, help="Say instead where files and what is active differ.")
@as_json_option
def check(paths: tuple[Path, ...], policy_file: Path | None, *, drift: bool, as_json: bool) -> None:
    """Say what is wrong with workflow files, each fault at its place.

    Without --policy the settings' policy counts, if there is one; without any, services and
    gates are not checked.
    """
    if drift:
        from bot.cli.catalog import check_drift  # noqa: PLC0415 - plain checks need no database.

        check_drift(as_json=as_json)
    if not paths:
        raise click.UsageError("Name files or folders, or ask for --drift.")
    policy = _policy(policy_file)
    targets = policy.targets if policy is not None else Services()
    actions = all_actions(targets, DatabaseRows(now=lambda: datetime.now(UTC)))
    report = check_files(list(paths), actions, policy)
    count = len(files_in(list(paths)))
    told = _verdict(count, len(report.errors), len(report.warnings))
    data = {
        "ok": not report.errors,
        "files": count,
        "policy_checked": policy is not None,
        "faults": [fault_data(one) for one in report.faults],
    }
    answer(data, [*map(str, report.faults), told], as_json=as_json)
    leave(Exit.NO if report.errors else Exit.FINE)


@click.command()
def schema() -> None:
    """Print the JSON Schema of workflow files, for editors."""
    click.echo(json.dumps(schema_of_files(), indent=2, sort_keys=True))


def _policy(file: Path | None) -> Policy | None:
    if file is not None:
        return load_policy(file)
    usual = read_settings().policy_file
    return load_policy(usual) if usual.exists() else None


def _verdict(files: int, errors: int, warnings: int) -> str:
    return f"{files} file(s), {errors} fault(s), {warnings} warning(s)."
