"""`usergroups.*`: the groups by whose handles approvers are named."""

from sandbox.errors import SlackError
from sandbox.hub import Hub
from sandbox.loose import Json
from sandbox.methods.organisation import team_meant
from sandbox.methods.table import method
from sandbox.wire import group_object


def _need_paid_plan(hub: Hub) -> None:
    if not hub.settings.paid_plan:
        raise SlackError("plan_upgrade_required")


@method(
    "usergroups.list",
    optional="include_count include_disabled include_users",
    scopes="usergroups:read",
    tier=2,
)
def list_all(hub: Hub, arguments: Json) -> Json:
    """Return the groups, with their people when asked."""
    _need_paid_plan(hub)
    team = team_meant(hub, arguments)
    groups = [one for one in hub.state.groups.values() if one.team in {"", team}]
    users = bool(arguments.get("include_users"))
    count = bool(arguments.get("include_count"))
    return {
        "usergroups": [
            group_object(hub.state, one, users=users, count=count)
            for one in groups
            if arguments.get("include_disabled") or not one.disabled_at
        ]
    }


@method(
    "usergroups.users.list",
    required="usergroup",
    optional="include_disabled",
    scopes="usergroups:read",
    tier=2,
)
def list_users(hub: Hub, arguments: Json) -> Json:
    """Return the people of one group."""
    _need_paid_plan(hub)
    group = hub.state.groups.get(arguments["usergroup"])
    if group is None:
        raise SlackError("no_such_subteam")
    if group.disabled_at and not arguments.get("include_disabled"):
        raise SlackError("subteam_disabled")
    return {"users": list(group.members)}
