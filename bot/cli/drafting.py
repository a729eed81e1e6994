"""`interlock new`: asks what a workflow does and writes its file, with tests that pass."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import Any

import click

from bot.cli.output import answer, as_json_option
from bot.settings import read_settings
from bot.whole_files import write_new
from storage.rows import DatabaseRows
from workflows.actions.base import Effect
from workflows.actions.registry import all_actions
from workflows.check import check_text
from workflows.definition import Definition
from workflows.drafting.approvers import approvers_of
from workflows.drafting.draft import Draft, DraftStep, Request, Statement, guarded
from workflows.drafting.specs import (
    EFFECTS,
    METHODS,
    TYPES,
    read_input,
    read_proof,
    read_step,
    read_undo,
)
from workflows.drafting.writing import definition_text, tests_text
from workflows.entry import Json
from workflows.errors import DefinitionError
from workflows.examples import example_value
from workflows.input_values import read_value
from workflows.loading import load_policy
from workflows.rehearsal.form import MONDAY_NOON
from workflows.rehearsal.own_gates import own_gates
from workflows.services import Services
from workflows.step_scope import Actions

FOLDER = click.Path(path_type=Path, file_okay=False)
CHANNEL = "Channel (empty: where the command is typed)"
SQL = "SQL"
PROOF = "proves nothing yet; say how the effect shows: --verify 'ID: /PATH => status == 404'"


@click.command("new")
@click.argument("name", required=False)
@click.option("--title", help="In a few words, what it does.")
@click.option("--owner", metavar="@GROUP", help="Who answers for it.")
@click.option("--deputy", metavar="@GROUP", help="Who answers when the owner is away; approves.")
@click.option("--run-by", multiple=True, metavar="@GROUP", help="Who may start it.")
@click.option("--channel", default=None, metavar="#CHANNEL", help="Where its threads stand.")
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="NAME:TYPE:TITLE",
    help="A field of the form, as days:integer:Older than how many days. Again for more.",
)
@click.option(
    "--step",
    "steps",
    multiple=True,
    metavar="'ID: EFFECT SERVICE METHOD /PATH' or 'ID: EFFECT DATABASE SQL …'",
    help="What it does; EFFECT is read, write or destructive. Again for more, in order.",
)
@click.option(
    "--verify",
    multiple=True,
    metavar="'ID: /PATH => status == 404' or 'ID: SELECT … => COLUMN == VALUE'",
    help="How the bot finds out whether that step has happened.",
)
@click.option(
    "--undo",
    multiple=True,
    metavar="'ID: METHOD /PATH', 'ID: SQL …' or 'ID: none'",
    help="What takes that step back; none says that nothing does.",
)
@click.option("--folder", type=FOLDER, help="Where the files go; else the settings' folder.")
@click.option("--yes", is_flag=True, help="Ask nothing, as with --json.")
@as_json_option
def new_workflow(
    name: str | None,
    *,
    folder: Path | None,
    yes: bool,
    as_json: bool,
    **said: Any,  # noqa: ANN401 - what each of the questions was answered by an option.
) -> None:
    """Write the file of a new workflow, and tests that pass.

    What is not said is asked, one question after the other; with --yes nothing is. Nothing is
    overwritten, and nothing is written that `interlock check` would refuse.
    """
    draft = guarded(_draft(name, said, asks=not (yes or as_json)))
    text, definition = _checked(draft)
    settings = read_settings()
    file = settings.policy_file
    policy = load_policy(file) if file.exists() else own_gates()
    inputs = _examples(definition)
    at = MONDAY_NOON
    approvers = approvers_of(definition, policy, _actions(), inputs, at)
    tests = tests_text(draft, inputs, approvers)
    files = _write(folder or settings.definitions, draft.workflow, text, tests)
    asked = [one.asked for one in draft.steps]
    services = {one.service for one in asked if isinstance(one, Request)} - set(policy.services)
    databases = {one.database for one in asked if isinstance(one, Statement)} - set(
        policy.databases
    )
    data = {
        "ok": True,
        "files": [str(one) for one in files],
        "services_missing": sorted(services),
        "databases_missing": sorted(databases),
    }
    missing = {"services": sorted(services), "databases": sorted(databases)}
    answer(data, _lines(files, missing), as_json=as_json)


def _draft(name: str | None, said: Mapping[str, Any], *, asks: bool) -> Draft:
    steps = _given_steps(said["steps"], said["verify"], said["undo"])
    return Draft(
        workflow=_said(name, "Name, such as close-account", asks=asks),
        title=_said(said["title"], "Title", asks=asks),
        owner=_said(said["owner"], "Owner, such as @platform", asks=asks),
        deputy=_said(said["deputy"], "Deputy, who approves too", asks=asks),
        channel=_said(said["channel"], CHANNEL, asks=asks, default=""),
        run_by=said["run_by"] or _run_by(asks=asks),
        inputs=dict(map(read_input, said["inputs"])) or (_asked_inputs() if asks else {}),
        steps=steps or (tuple(_asked_steps()) if asks else ()),
    )


def _said(given: str | None, question: str, *, asks: bool, default: str | None = None) -> str:
    if given is not None:
        return given
    if not asks and default is not None:
        return default
    if not asks:
        raise click.UsageError(f"With --yes or --json, say it: {question}.")
    return str(click.prompt(question, default=default, show_default=False))


def _run_by(*, asks: bool) -> tuple[str, ...]:
    if not asks:
        return ()
    said = click.prompt(
        "Who may start it (empty: owner and deputy)", default="", show_default=False
    )
    return tuple(said.replace(",", " ").split())


def _asked_inputs() -> dict[str, dict[str, Json]]:
    found: dict[str, dict[str, Json]] = {}
    while name := click.prompt("Input (empty: no more)", default="", show_default=False):
        kind = click.prompt("  Type", type=click.Choice(TYPES), default="string")
        title = click.prompt("  Title", default=name.replace("_", " ").capitalize())
        key, spec = read_input(f"{name}:{kind}:{title}")
        found[key] = spec
    return found


def _asked_steps() -> Iterator[DraftStep]:
    """Ask for steps, at least one."""
    count = 0
    while name := click.prompt(
        "Step (empty: no more)" if count else "First step, such as close",
        default="" if count else None,
        show_default=False,
    ):
        count += 1
        effect = click.prompt("  What it does", type=click.Choice(EFFECTS), default="read")
        service = click.prompt("  Service or database, as the policy calls it")
        usual = "GET" if effect == "read" else "POST"
        method = click.prompt("  Method", type=click.Choice((*METHODS, SQL)), default=usual)
        wanted = "Statement" if method == SQL else "Path, such as /accounts/{account}"
        path = click.prompt(f"  {wanted}")
        step = read_step(f"{name}: {effect} {service} {method} {path}")
        if step.effect is not Effect.READ:
            step = _asked_proof(step)
        yield step


def _asked_proof(step: DraftStep) -> DraftStep:
    is_needed = step.effect is Effect.DESTRUCTIVE
    is_sql = isinstance(step.asked, Statement)
    example = (
        "SELECT count(*) AS old … => old == 0" if is_sql else "/accounts/{account} => status == 404"
    )
    proof = click.prompt(
        f"  How it shows, such as {example}",
        default=None if is_needed else "",
        show_default=False,
    )
    wanted = "SQL …" if is_sql else "METHOD /PATH"
    undo = click.prompt(f"  What takes it back, {wanted}", default="none")
    return replace(
        step,
        proof=read_proof(proof, step.asked) if proof else None,
        undo=read_undo(undo, step.asked),
    )


def _given_steps(
    steps: Sequence[str], verify: Sequence[str], undo: Sequence[str]
) -> tuple[DraftStep, ...]:
    proofs, undos = _by_step(verify), _by_step(undo)
    found = tuple(
        replace(
            step,
            proof=read_proof(proofs.pop(step.id), step.asked) if step.id in proofs else None,
            undo=read_undo(undos.pop(step.id, "none"), step.asked),
        )
        for step in map(read_step, steps)
    )
    for name in (*proofs, *undos):
        raise DefinitionError(f"There is no step {name}.", hint="Name one of those of --step.")
    for step in found:
        if step.effect is Effect.DESTRUCTIVE and step.proof is None:
            raise DefinitionError(f"The destructive step {step.id} {PROOF}.")
    return found


def _by_step(texts: Sequence[str]) -> dict[str, str]:
    parts = (one.partition(":") for one in texts)
    return {name.strip(): rest.strip() for name, _, rest in parts}


def _checked(draft: Draft) -> tuple[str, Definition]:
    """Return the text of a draft, and the definition that it is.

    Raises:
        DefinitionError: something that was said cannot stand in a file.
    """
    text = definition_text(draft)
    definition, faults = check_text(text, f"{draft.workflow}.yaml", _actions())
    if definition is None:
        raise DefinitionError("\n".join(str(one) for one in faults if not one.is_warning))
    return text, definition


def _actions() -> Actions:
    return all_actions(Services(), DatabaseRows(now=lambda: datetime.now(UTC)))


def _examples(definition: Definition) -> Mapping[str, Json]:
    return {name: read_value(spec, example_value(spec)) for name, spec in definition.inputs.items()}


def _write(folder: Path, name: str, text: str, tests: str) -> list[Path]:
    """Write both files, or neither.

    Raises:
        DefinitionError: one of them is there already, or cannot be written.
    """
    files = [folder / f"{name}.yaml", folder / f"{name}.test.yaml"]
    for one in files:
        if one.exists():
            raise DefinitionError(f"{one} is there already.", hint="Choose another name.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_new(files[0], text.encode())
        with _taken_back(files[0]):
            write_new(files[1], tests.encode())
    except OSError as error:
        raise DefinitionError(f"{folder} cannot be written: {error.strerror}.") from error
    return files


@contextmanager
def _taken_back(file: Path) -> Iterator[None]:
    """Take a file away again when the block fails."""
    try:
        yield
    except BaseException:
        file.unlink(missing_ok=True)
        raise


def _lines(files: Sequence[Path], missing: Mapping[str, Sequence[str]]) -> Iterator[str]:
    yield f"Wrote {files[0]} and {files[1]}."
    for section, names in missing.items():
        for name in names:
            yield f"The policy has to say where {name} is, under {section}."
    made, tests = (quote(str(one)) for one in files[:2])
    yield f"Next: interlock check {made} && interlock test {tests}"
