"""The form that changes what is asked while people decide: the run's form with its values in it."""

from collections.abc import Mapping
from typing import Any

from slack_sdk.models.blocks import InputBlock
from slack_sdk.models.views import View

from bot import limits
from bot.forms import state_of
from bot.views.pieces import plain
from bot.views.run_form import FormPurpose, run_form
from workflows.definition import Definition
from workflows.entry import Json

CHANGE_FORM = "request.change_form"
_NOTE = (
    "Approvals given so far will no longer count: people decide anew about what you send."
    " Whoever changes it does not decide it."
)
_KEPT = "Its present value cannot be shown here. Left open, it stays as it is."


def change_form(definition: Definition, values: Mapping[str, Json], *, about: str) -> View:
    """Build the form; `about` is what its submission is told to be about."""
    purpose = FormPurpose(callback_id=CHANGE_FORM, submit="Change", metadata=about, note=_NOTE)
    form = run_form(definition, state_of(definition), values=values, purpose=purpose)
    for name in not_shown(form, values):
        block = _block(form, name)
        block.hint, block.optional = plain(_KEPT, limits.HINT), True
    return form


def not_shown(form: View, values: Mapping[str, Json]) -> list[str]:
    """Return the inputs with a value that the form does not show, such as a text too long."""
    blocks = {_name(one): one for one in form.blocks or [] if isinstance(one, InputBlock)}
    return [
        name
        for name, value in values.items()
        if value is not None and name in blocks and not _is_filled(blocks[name])
    ]


def _block(form: View, name: str) -> InputBlock:
    return next(
        one for one in form.blocks or [] if isinstance(one, InputBlock) and _name(one) == name
    )


def _name(block: InputBlock) -> str:
    return str(block.block_id).partition(".")[0]


def _is_filled(block: InputBlock) -> bool:
    element: dict[str, Any] = block.element.to_dict() if block.element is not None else {}
    return any(name.startswith("initial_") for name in element)
