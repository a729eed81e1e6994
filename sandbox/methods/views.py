"""`views.*`: modals and Home."""

from sandbox.errors import SlackError
from sandbox.hub import Hub
from sandbox.loose import Json, Unchecked
from sandbox.methods.table import method
from sandbox.records import Trigger, View
from sandbox.rules.views import check_view
from sandbox.screens import new_view, push_view, replace_view, show_home, top_view
from sandbox.wire import view_object


def _use_trigger(hub: Hub, arguments: Json) -> Trigger:
    trigger_id = arguments.get("trigger_id") or arguments.get("interactivity_pointer")
    if not trigger_id:
        raise SlackError(
            "invalid_arguments", ["[ERROR] missing required field: trigger_id [json-pointer:]"]
        )
    trigger = hub.state.triggers.get(trigger_id)
    if trigger is None:
        raise SlackError("invalid_trigger_id")
    if trigger.used:
        raise SlackError("exchanged_trigger_id")
    if hub.state.now() > trigger.expires:
        raise SlackError("expired_trigger_id")
    return trigger


def _checked(hub: Hub, view: Unchecked, *, kind: str) -> Json:
    """Return the view when Slack would take it from this app."""
    content = check_view(view, kind=kind)
    kinds = [block.get("element", {}).get("type") for block in content["blocks"]]
    if "file_input" in kinds and "files:read" not in hub.app.scopes:
        raise SlackError("missing_scope", extra={"needed": "files:read"})
    return content


def _unique_external_id(hub: Hub, view: Json, other_than: str | None = None) -> None:
    wanted = view.get("external_id")
    for shown in hub.state.views.values():
        if wanted and shown.content.get("external_id") == wanted and shown.id != other_than:
            raise SlackError("duplicate_external_id")


@method("views.open", required="view", optional="trigger_id interactivity_pointer", tier=4)
def open_view(hub: Hub, arguments: Json) -> Json:
    """Open a modal; from within a modal it goes on top, elsewhere it closes what was open."""
    content = _checked(hub, arguments["view"], kind="modal")
    trigger = _use_trigger(hub, arguments)
    _unique_external_id(hub, content)
    return _pushed(hub, trigger, content)


@method("views.push", required="view", optional="trigger_id interactivity_pointer", tier=4)
def push(hub: Hub, arguments: Json) -> Json:
    """Put a modal on top of the one whose element gave the trigger."""
    content = _checked(hub, arguments["view"], kind="modal")
    trigger = _use_trigger(hub, arguments)
    if trigger.view is None or top_view(hub, trigger.user) is None:
        raise SlackError("not_found")
    _unique_external_id(hub, content)
    return _pushed(hub, trigger, content)


def _pushed(hub: Hub, trigger: Trigger, content: Json) -> Json:
    view = new_view(hub, trigger.user, content)
    push_view(hub, view, fresh=trigger.view is None)
    trigger.used = True
    return {"view": view_object(hub.state, view)}


@method("views.update", required="view", optional="external_id hash view_id", tier=4)
def update(hub: Hub, arguments: Json) -> Json:
    """Replace what a view shows; `hash` guards against overwriting something newer."""
    view = _named_view(hub, arguments)
    content = _checked(hub, arguments["view"], kind=view.type)
    if arguments.get("hash") and arguments["hash"] != view.hash:
        raise SlackError("hash_conflict")
    _unique_external_id(hub, content, other_than=view.id)
    replace_view(hub, view, content)
    return {"view": view_object(hub.state, view)}


def _named_view(hub: Hub, arguments: Json) -> View:
    wanted, external = arguments.get("view_id"), arguments.get("external_id")
    if bool(wanted) == bool(external):
        raise SlackError(
            "invalid_arguments", ["[ERROR] give exactly one of view_id and external_id"]
        )
    for view in hub.state.views.values():
        if wanted == view.id or (external and view.content.get("external_id") == external):
            return view
    raise SlackError("not_found")


@method("views.publish", required="user_id view", optional="hash", tier=4)
def publish(hub: Hub, arguments: Json) -> Json:
    """Show this Home to one person."""
    user = hub.state.user(arguments["user_id"])
    content = _checked(hub, arguments["view"], kind="home")
    if not hub.app.has_home or user.deleted or user.is_stranger:
        raise SlackError("not_enabled")
    shown = hub.state.views.get(user.home) if user.home else None
    if arguments.get("hash") and (shown is None or arguments["hash"] != shown.hash):
        raise SlackError("hash_conflict")
    return {"view": view_object(hub.state, show_home(hub, user, content))}
