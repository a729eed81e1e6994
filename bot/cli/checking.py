"""`interlock check` and `schema`: for whoever writes workflow files."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from bot.cli.output import Exit, answer, as_json_option, fault_data, leave
from bot.cli.ruling import ruling_if_any
from bot.settings import read_settings
from storage.rows import DatabaseRows
from workflows.actions.registry import all_actions
from workflows.check import check as check_files
from workflows.check import files_in, is_test
from workflows.check import schema as schema_of_files
from workflows.fault import Fault
from workflows.loading import read_text
from workflows.services import Services

EXISTING = click.Path(path_type=Path, exists=True)


@click.command()
@click.argument("paths", nargs=-1, type=EXISTING)
@click.option("--policy", "policy_file", type=EXISTING, help="Check gates and services against it.")
@click.option("--drift", is_flag=True, help="Say instead where files and what is active differ.")
@as_json_option
def check(paths: tuple[Path, ...], policy_file: Path | None, *, drift: bool, as_json: bool) -> None:
    """Say what is wrong with workflow files, each fault at its place.

    Without --policy the policy in force counts, or the settings' file where none is; without
    any, services and gates are not checked.
    """
    if drift:
        from bot.cli.catalog import check_drift  # noqa: PLC0415 - plain checks need no database.

        check_drift(as_json=as_json)
    if not paths:
        raise click.UsageError("Name files or folders, or ask for --drift.")
    ruling = ruling_if_any(read_settings(), policy_file)
    policy = ruling.policy if ruling is not None else None
    targets = policy.targets if policy is not None else Services()
    actions = all_actions(targets, DatabaseRows(now=lambda: datetime.now(UTC)))
    tests = [one for one in paths if is_test(one)]
    files = [one for one in paths if one not in tests]
    report = check_files(files, actions, policy)
    faults = [*report.faults, *(fault for one in tests for fault in _test_faults(one))]
    errors = [one for one in faults if not one.is_warning]
    count = len(files_in(files)) + len(tests)
    told = _verdict(count, len(errors), len(faults) - len(errors))
    data = {
        "ok": not errors,
        "files": count,
        "policy_checked": policy is not None,
        **(ruling.data if ruling is not None else {}),
        "faults": [fault_data(one) for one in faults],
    }
    remarks = [ruling.remark] if ruling is not None and ruling.remark else []
    answer(data, [*map(str, faults), *remarks, told], as_json=as_json)
    leave(Exit.NO if errors else Exit.FINE)


@click.command()
@click.option("--tests", is_flag=True, help="Of the files that hold their tests.")
def schema(*, tests: bool) -> None:
    """Print the JSON Schema of workflow files, for editors."""
    from workflows.rehearsal.form import play_schema  # noqa: PLC0415 - few ask for it.

    made = play_schema() if tests else schema_of_files()
    click.echo(json.dumps(made, indent=2, sort_keys=True))


def _test_faults(file: Path) -> Sequence[Fault]:
    """Return what is wrong with the form of a test file; what it names is for `interlock test`."""
    from workflows.rehearsal.reading import read_play  # noqa: PLC0415 - most files are none.

    return read_play(read_text(file), str(file)).faults


def _verdict(files: int, errors: int, warnings: int) -> str:
    return f"{files} file(s), {errors} fault(s), {warnings} warning(s)."
