"""Every action there is, by the name that definitions use.

Our own take the services and the port to databases; those of other packages come through
the entry point `interlock.actions`, each naming an `Action` class that needs no arguments.
"""

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from workflows.actions.access import AccessReportAction, AccessReviewAction
from workflows.actions.base import Action, Rows
from workflows.actions.erase import EraseAction, HeldAction
from workflows.actions.http import HttpRequest
from workflows.actions.model import ModelAsk
from workflows.actions.publish import PolicyAction, PublishAction, RetireAction
from workflows.actions.shell import ShellRun
from workflows.actions.slack import SlackPostAction
from workflows.actions.slack_release import SlackReleaseAction
from workflows.actions.sql import SqlExecute, SqlQuery
from workflows.actions.timed import Timed
from workflows.errors import DefinitionError
from workflows.model.desk import ModelDesk, no_desk
from workflows.services import Services

GROUP = "interlock.actions"


def shipped_actions(
    services: Services, rows: Rows, desk: ModelDesk | None = None
) -> dict[str, Action[Any, Any]]:
    """Return our own actions, bound to the targets of one policy; without a desk, no model."""
    actions: tuple[Action[Any, Any], ...] = (
        HttpRequest(services),
        SqlQuery(services, rows),
        SqlExecute(services, rows),
        ShellRun(services),
        SlackPostAction(),
        SlackReleaseAction(),
        ModelAsk(desk or no_desk()),
        EraseAction(),
        HeldAction(),
        AccessReportAction(),
        AccessReviewAction(),
        PublishAction(),
        RetireAction(),
        PolicyAction(),
    )
    return {action.name: action for action in actions}


def all_actions(
    services: Services, rows: Rows, desk: ModelDesk | None = None
) -> dict[str, Action[Any, Any]]:
    """Return our own actions and those of installed packages.

    Raises:
        DefinitionError: a package's action cannot be used, or takes a name that is taken.
    """
    actions = shipped_actions(services, rows, desk)
    for action in foreign_actions(entry_points(group=GROUP)):
        if action.name in actions:
            raise DefinitionError(
                f"There are two actions named {action.name}.",
                hint="Remove one of the packages that bring them.",
            )
        actions[action.name] = action if action.is_delivered else Timed(action)
    return actions


def foreign_actions(points: Iterable[EntryPoint]) -> list[Action[Any, Any]]:
    """Return one action for each entry point, in the order of their names.

    Raises:
        DefinitionError: an entry point names no usable action.
    """
    return [_loaded(point) for point in sorted(points, key=lambda one: one.name)]


def _loaded(point: EntryPoint) -> Action[Any, Any]:
    try:
        action = point.load()()
    except Exception as fault:  # Code of others may fail in any way.
        raise DefinitionError(f"The action {point.name} cannot be loaded: {fault}.") from fault
    if not isinstance(action, Action):
        raise DefinitionError(f"{point.value} is no action.", hint="Name a class of Action.")
    return action
