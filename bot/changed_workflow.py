"""Says that a workflow was changed while somebody filled in a form of it: since when, by whom."""

from bot.catalog_story import Change, story_of
from bot.desk import Desk
from bot.wording import clip
from workflows.definition import Definition

_LATELY = 20  # Of what became of it; more than that happens to no workflow while a form is open.
_NAME = 60


def changed_meanwhile(desk: Desk, definition: Definition) -> str:
    """Return what is to be told, short enough for one line of a form."""
    version, command = definition.version[:8], f"{desk.command} diff {definition.workflow}"
    story = story_of(desk.store.database, definition.workflow, most=_LATELY)
    active = (one for one in story if one.what == "active")
    newest = next((one for one in active if one.version == definition.version), None)
    told = "" if newest is None else f" It has version {version} {_since(newest)}."
    return f"The workflow was changed while this form was open.{told} See {command}."


def _since(change: Change) -> str:
    """Say since when, and who wanted it."""
    by = "as its file says" if change.by is None else f"by {clip(change.by.plain, _NAME)}"
    return f"since {change.at:%Y-%m-%d %H:%M} UTC, {by}"
