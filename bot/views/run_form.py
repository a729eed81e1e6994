"""The modals that start a run: choose a workflow, fill in what it asks, or think twice.

The fields themselves come from `bot.forms`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import (
    Block,
    ExternalDataSelectElement,
    InputBlock,
    Option,
    StaticSelectElement,
)
from slack_sdk.models.views import View

from bot import limits
from bot.forms import FormState, blocks_for
from bot.views.pieces import (
    Rendered,
    actions,
    button,
    context,
    header,
    plain,
    plain_section,
    rendered,
    section,
)
from bot.views.symbols import STATUS
from bot.wording import bold, clip, code, escape, link, one_line
from workflows.definition import Definition
from workflows.run import Status

RUN_FORM = "run.form"
RUN_PICK = "run.pick"
PICK_OPTIONS = "run.pick_options"  # The external menu's id, for more workflows than one menu holds.
RUN_AGAIN = "run.again"
_PICK = "workflow"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowChoice:
    """A workflow that somebody may start."""

    name: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FormPurpose:
    """What a form is filled in for: who listens to it, and what its state carries."""

    callback_id: str
    submit: str
    metadata: str
    note: str = ""  # A line of mrkdwn above the fields.


def run_form(
    definition: Definition,
    state: FormState,
    *,
    values: Mapping[str, object] | None = None,
    errors: Mapping[str, str] | None = None,
    purpose: FormPurpose | None = None,
) -> View:
    """Build the form of a workflow, filled with `values`; `errors` stand on top of it."""
    asked = purpose or FormPurpose(callback_id=RUN_FORM, submit="Run", metadata=state.metadata)
    title = one_line(definition.title)
    blocks: list[Block] = []
    if clip(title, limits.VIEW_TITLE) != title:
        blocks.append(header(title))
    if definition.description:
        blocks.append(plain_section(definition.description))
    if asked.note:
        blocks.append(context(asked.note))
    blocks += blocks_for(definition, errors, values, revision=state.revision)
    if not definition.inputs:
        blocks.append(section("It asks for nothing."))
    blocks.append(_footer(definition))
    return View(
        type="modal",
        callback_id=asked.callback_id,
        private_metadata=asked.metadata,
        title=plain(title, limits.VIEW_TITLE),
        submit=plain(asked.submit, limits.VIEW_TITLE),
        close=plain("Cancel", limits.VIEW_TITLE),
        blocks=blocks,
    )


def _footer(definition: Definition) -> Block:
    name, version = code(definition.workflow), code(definition.version[:8])
    return context(
        f"{name} {version} · answered for by {escape(definition.owner)},"
        f" deputy {escape(definition.deputy)}"
    )


def picker(
    choices: Sequence[WorkflowChoice], *, metadata: str = "", callback_id: str = RUN_PICK
) -> View:
    """Build the modal that asks which workflow; its submission is answered with the form."""
    if not choices:
        return View(
            type="modal",
            title=plain("Run a workflow", limits.VIEW_TITLE),
            close=plain("Close", limits.VIEW_TITLE),
            blocks=[section("There is no workflow that you may start. Ask one of the operators.")],
        )
    return View(
        type="modal",
        callback_id=callback_id,
        private_metadata=metadata,
        title=plain("Run a workflow", limits.VIEW_TITLE),
        submit=plain("Next", limits.VIEW_TITLE),
        close=plain("Cancel", limits.VIEW_TITLE),
        blocks=[
            InputBlock(block_id=_PICK, label=plain("Workflow"), element=_menu(choices)),
        ],
    )


def _menu(choices: Sequence[WorkflowChoice]) -> StaticSelectElement | ExternalDataSelectElement:
    words = plain("Choose a workflow", limits.PLACEHOLDER)
    if len(choices) > limits.OPTIONS:
        return ExternalDataSelectElement(
            action_id=PICK_OPTIONS, placeholder=words, min_query_length=0
        )
    return StaticSelectElement(
        action_id=_PICK, placeholder=words, options=picker_options(choices, "")
    )


def picker_options(choices: Sequence[WorkflowChoice], typed: str) -> list[Option]:
    """Return the workflows whose name or title contains what was typed, for the menu."""
    wanted = typed.casefold()
    found = [one for one in choices if wanted in f"{one.name} {one.title}".casefold()]
    return [
        Option(value=clip(one.name, limits.OPTION_VALUE), text=plain(_label(one), limits.OPTION))
        for one in found[: limits.OPTIONS]
    ]


def _label(choice: WorkflowChoice) -> str:
    return f"{one_line(choice.title)} ({choice.name})"


def picked(view: Mapping[str, Any]) -> str:
    """Return the name of the workflow that a submitted picker chose, or nothing."""
    fields = (view.get("state") or {}).get("values", {}).get(_PICK, {})
    chosen = next(iter(fields.values()), None) or {}
    return str((chosen.get("selected_option") or {}).get("value") or "")


def ask_again(title: str, *, value: str, status: Status | None, thread: str = "") -> Rendered:
    """Build the question before the same command starts a second run; no status: none began yet."""
    there = f" {link(thread, 'See that run')}." if thread else ""
    if status is None:
        said = "You typed the same for {} a moment ago, and nothing has started from it."
    else:
        said = f"You started {{}} the same way a moment ago, and it is {STATUS[status][1]}."
    return rendered(
        f"{said.format(escape(title, 200))} Start it once more?",
        [
            section(f"{said.format(bold(title, 200))}{there}"),
            actions(button("Start it once more", RUN_AGAIN, value)),
        ],
    )
