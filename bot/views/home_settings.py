"""The modal behind Settings on a Home tab: what its reader wants to be told directly."""

from collections.abc import Mapping
from typing import Any

from slack_sdk.models.blocks import InputBlock, Option, RadioButtonsElement
from slack_sdk.models.views import View

from bot import limits
from bot.views.pieces import plain, section
from storage.home_values import Told

HOME_SETTINGS_FORM = "home.settings_form"
TOLD = "told"  # Both the block and the field in it.

_WORDS = {
    Told.ALL: ("Everything", "Each approval, rejection and end"),
    Told.TROUBLE: ("What did not go well", "Rejected, expired, withdrawn, failed"),
    Told.NOTHING: ("Nothing", "The run's thread says it all the same"),
}


def settings_modal(told: Told) -> View:
    """Build the form with what stands now."""
    options = {one: _option(one) for one in Told}
    return View(
        type="modal",
        callback_id=HOME_SETTINGS_FORM,
        title=plain("Settings", limits.VIEW_TITLE),
        close=plain("Back", limits.VIEW_TITLE),
        submit=plain("Save", limits.VIEW_TITLE),
        blocks=[
            section("These are yours alone. Whether you are asked to decide is for the policy."),
            InputBlock(
                block_id=TOLD,
                label=plain("Tell me directly about runs I asked for", limits.LABEL),
                element=RadioButtonsElement(
                    action_id=TOLD, options=list(options.values()), initial_option=options[told]
                ),
            ),
        ],
    )


def _option(told: Told) -> Option:
    label, description = _WORDS[told]
    return Option(
        value=told.value,
        text=plain(label, limits.OPTION),
        description=plain(description, limits.OPTION),
    )


def chosen(state: Mapping[str, Any]) -> Told | None:
    """Return what a sent form chose, None where it says nothing that we know."""
    field = state.get("values", {}).get(TOLD, {}).get(TOLD, {})
    value = (field.get("selected_option") or {}).get("value")
    return Told(value) if value in set(Told) else None
