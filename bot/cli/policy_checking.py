"""`interlock policy check`: what is wrong with a policy, and what is odd about it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from bot.cli.output import Exit, answer, as_json_option, fault_data, leave
from bot.settings import read_settings
from storage.rows import DatabaseRows
from workflows.actions.registry import all_actions
from workflows.check import check as check_files
from workflows.check import policies_in
from workflows.duration import duration_text
from workflows.judged_steps import judged_steps
from workflows.loading import read_policy, read_text
from workflows.policy import Policy
from workflows.policy_lint import Linted, lint_policy, ungated
from workflows.policy_lint_steps import Around
from workflows.secret_use import secrets_of

EXISTING = click.Path(path_type=Path, exists=True)


@click.command("check")
@click.argument("paths", nargs=-1, type=EXISTING, metavar="[PATH]...")
@click.option(
    "--workflows",
    "around",
    multiple=True,
    type=EXISTING,
    help="Workflow files or folders to look at it with; can be given again.",
)
@as_json_option
def policy_check(paths: tuple[Path, ...], around: tuple[Path, ...], *, as_json: bool) -> None:
    """Say what is wrong with policy files, by default with the one of the settings.

    Of a folder the files that are policies are meant. Each is looked at together with workflow
    files: those of the settings, unless --workflows names others. What is only odd is a
    warning, and the file can be used all the same.
    """
    settings = read_settings()
    files = policies_in(paths) if paths else [settings.policy_file]
    if not files:
        raise click.UsageError("There is no policy file in these folders.")
    found = [_checked(one, around or (settings.definitions,)) for one in files]
    is_fine = all(one.data["ok"] for one in found)
    if len(files) == 1:
        answer(found[0].data, [*found[0].faults, *found[0].lines], as_json=as_json)
    else:
        lines = [line for one in found for line in one.among_others]
        told = {"ok": is_fine, "policies": [one.data for one in found]}
        answer(told, [*lines, _verdict(found)], as_json=as_json)
    leave(Exit.FINE if is_fine else Exit.NO)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    """What was found out about one file: as data, and as faults and what else there is to say."""

    data: Mapping[str, Any]
    faults: Sequence[str]  # Each names its file.
    lines: Sequence[str]

    @property
    def among_others(self) -> Iterator[str]:
        """Yield the same where other files are told of too."""
        yield from self.faults
        yield from (f"{self.data['file']}: {one}" for one in self.lines)


def _checked(file: Path, around: Sequence[Path]) -> _Checked:
    loaded = read_policy(read_text(file), str(file))
    if loaded.model is None:
        faults = [fault_data(one) for one in loaded.faults]
        data = {"ok": False, "file": str(file), "digest": None, "faults": faults}
        told = [*map(str, loaded.faults)]
        return _Checked(data=data, faults=told, lines=["It cannot be used."])
    beside = around_policy(around, loaded.model)
    linted = lint_policy(loaded.model, loaded.document, beside)
    odd = [*ungated(loaded.model, loaded.document), *linted.faults]
    found = {
        "ok": True,
        "file": str(file),
        "digest": loaded.model.digest,
        "terms": {cls.value: duration_text(term) for cls, term in loaded.model.terms.items()},
        "faults": [fault_data(one) for one in odd],
        "not_analysed": list(linted.not_analysed),
        "workflows": None if beside is None else len(beside.definitions),
    }
    lines = [*_lines(loaded.model.digest, linted, beside)]
    return _Checked(data=found, faults=[*map(str, odd)], lines=lines)


def _lines(digest: str, linted: Linted, around: Around | None) -> Iterator[str]:
    if linted.not_analysed:
        yield f"Whether these rules can match was not found out: {', '.join(linted.not_analysed)}."
    if around is None:
        yield "No workflow files were looked at."
    yield f"The policy can be used; its digest is {digest}."


def _verdict(found: Sequence[_Checked]) -> str:
    faults = [fault for one in found for fault in one.data["faults"]]
    warnings = sum(bool(one["is_warning"]) for one in faults)
    return f"{len(found)} file(s), {len(faults) - warnings} fault(s), {warnings} warning(s)."


def around_policy(paths: Sequence[Path], found: Policy) -> Around | None:
    """Return the workflows in `paths` as a policy is looked at with them, None without any.

    Files with faults of their own are left out; `interlock check` is for those.
    """
    actions = all_actions(found.targets, DatabaseRows(now=lambda: datetime.now(UTC)))
    definitions = check_files([one for one in paths if one.exists()], actions).definitions
    if not definitions:
        return None
    return Around(
        definitions=definitions,
        steps=tuple(judged_steps(definitions, actions)),
        actions=frozenset(actions),
        secrets={one.workflow: secrets_of(one, actions) for one in definitions},
    )
