"""`interlock policy check`: what is wrong with a policy, and what is odd about it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from bot.cli.output import Exit, answer, as_json_option, fault_data, leave
from bot.settings import read_settings
from storage.rows import DatabaseRows
from workflows.actions.registry import all_actions
from workflows.check import check as check_files
from workflows.duration import duration_text
from workflows.judged_steps import judged_steps
from workflows.loading import read_policy, read_text
from workflows.policy import Policy
from workflows.policy_lint import Linted, lint_policy, ungated
from workflows.policy_lint_steps import Around
from workflows.secret_use import secrets_of

EXISTING = click.Path(path_type=Path, exists=True)
FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command("check")
@click.argument("path", required=False, type=EXISTING)
@click.option("--workflows", "folder", type=FOLDER, help="Workflow files to look at it with.")
@as_json_option
def policy_check(path: Path | None, folder: Path | None, *, as_json: bool) -> None:
    """Say what is wrong with a policy file, by default the one of the settings.

    It is looked at together with workflow files: those of the settings, unless --workflows
    names others. What is only odd is a warning, and the file can be used all the same.
    """
    settings = read_settings()
    file = path or settings.policy_file
    loaded = read_policy(read_text(file), str(file))
    if loaded.model is None:
        faults = [fault_data(one) for one in loaded.faults]
        data = {"ok": False, "digest": None, "faults": faults}
        answer(data, [*map(str, loaded.faults), "It cannot be used."], as_json=as_json)
        leave(Exit.NO)
    around = around_policy(folder or settings.definitions, loaded.model)
    linted = lint_policy(loaded.model, loaded.document, around)
    open_door = list(ungated(loaded.model, loaded.document))
    found = {
        "ok": True,
        "digest": loaded.model.digest,
        "terms": {cls.value: duration_text(term) for cls, term in loaded.model.terms.items()},
        "faults": [fault_data(one) for one in (*open_door, *linted.faults)],
        "not_analysed": list(linted.not_analysed),
        "workflows": None if around is None else len(around.definitions),
    }
    lines = [*map(str, open_door), *_checked(loaded.model.digest, linted, around)]
    answer(found, lines, as_json=as_json)


def _checked(digest: str, linted: Linted, around: Around | None) -> Iterator[str]:
    yield from map(str, linted.faults)
    if linted.not_analysed:
        yield f"Whether these rules can match was not found out: {', '.join(linted.not_analysed)}."
    if around is None:
        yield "No workflow files were looked at."
    yield f"The policy can be used; its digest is {digest}."


def around_policy(folder: Path, found: Policy) -> Around | None:
    """Return the workflows in `folder` as a policy is looked at with them, None without any.

    Files with faults of their own are left out; `interlock check` is for those.
    """
    if not folder.exists():
        return None
    actions = all_actions(found.targets, DatabaseRows(now=lambda: datetime.now(UTC)))
    definitions = check_files([folder], actions).definitions
    if not definitions:
        return None
    return Around(
        definitions=definitions,
        steps=tuple(judged_steps(definitions, actions)),
        actions=frozenset(actions),
        secrets={one.workflow: secrets_of(one, actions) for one in definitions},
    )
