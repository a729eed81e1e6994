"""Each person's open modals and Home: how they appear, change, stack up and go away."""

from sandbox import limits
from sandbox.errors import SlackError
from sandbox.hub import Hub
from sandbox.loose import Json
from sandbox.records import User, View

_BEHIND = 20  # How many earlier contents of a Home somebody may still look at.
_INITIAL = {
    "initial_value": "value",
    "initial_option": "selected_option",
    "initial_options": "selected_options",
    "initial_user": "selected_user",
    "initial_users": "selected_users",
    "initial_conversation": "selected_conversation",
    "initial_conversations": "selected_conversations",
    "initial_channel": "selected_channel",
    "initial_channels": "selected_channels",
    "initial_date": "selected_date",
    "initial_time": "selected_time",
    "initial_date_time": "selected_date_time",
}


def new_view(hub: Hub, user: str, content: Json) -> View:
    """Build a view that nobody sees yet, its fields holding their initial values."""
    state = hub.state
    view_id = state.next_id("V")
    filled = content | {"blocks": _with_ids(hub, content["blocks"])}
    return View(
        id=view_id,
        user=user,
        hash=_new_hash(hub),
        content=filled,
        root=view_id,
        values=initial_values(filled["blocks"]),
    )


def _new_hash(hub: Hub) -> str:
    return f"{int(hub.state.now())}.{hub.state.next_id('', 8)}"


def _with_ids(hub: Hub, blocks: list[Json]) -> list[Json]:
    return [_with_id(hub, block) for block in blocks]


def _with_id(hub: Hub, block: Json) -> Json:
    made = dict(block)
    made.setdefault("block_id", hub.state.next_id("", 5))
    if block["type"] == "input":
        made["element"] = {"action_id": hub.state.next_id("", 5), **block["element"]}
    return made


def elements_of(block: Json) -> list[Json]:
    """Return the interactive elements of a block, each with the block's id."""
    found = [block.get("element"), block.get("accessory"), *block.get("elements", [])]
    block_id = block.get("block_id")
    return [
        {**one, "block_id": block_id}
        for one in found
        if isinstance(one, dict)
        and one.get("type") not in {None, "image", "mrkdwn", "plain_text"}
        and not str(one.get("type")).startswith("rich_text")
    ]


def initial_values(blocks: list[Json]) -> dict[str, dict[str, Json]]:
    """Return the state of a form nobody has touched."""
    values: dict[str, dict[str, Json]] = {}
    for element in (one for block in blocks for one in elements_of(block)):
        if element["type"] in {"button", "overflow"} or "action_id" not in element:
            continue
        values.setdefault(element["block_id"], {})[element["action_id"]] = _initial(element)
    return values


def _initial(element: Json) -> Json:
    made: Json = {"type": element["type"]} | empty_value(element["type"])
    for name, target in _INITIAL.items():
        if element.get(name) is not None:
            made[target] = element[name]
    return made


def empty_value(kind: str) -> Json:
    """Return what the state of an untouched element holds beside its type."""
    if kind in {"checkboxes", "multi_static_select", "multi_external_select"}:
        return {"selected_options": []}
    if kind == "file_input":
        return {"files": []}
    if kind.startswith("multi_"):
        return {"selected_" + kind.removeprefix("multi_").removesuffix("_select"): []}
    return {_SINGLE.get(kind, "value"): None}


_SINGLE = {
    "static_select": "selected_option",
    "external_select": "selected_option",
    "radio_buttons": "selected_option",
    "users_select": "selected_user",
    "conversations_select": "selected_conversation",
    "channels_select": "selected_channel",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
}


def top_view(hub: Hub, user: str) -> View | None:
    """Return the modal the person looks at."""
    stack = hub.state.stacks.get(user)
    return hub.state.views[stack[-1]] if stack else None


def push_view(hub: Hub, view: View, *, fresh: bool) -> None:
    """Put a modal in front; `fresh` closes whatever was open before.

    Raises:
        SlackError: `push_limit_reached`, with three in the stack.
    """
    if fresh:
        close_all(hub, view.user)
    stack = hub.state.stacks.setdefault(view.user, [])
    if len(stack) >= limits.VIEW_STACK:
        raise SlackError("push_limit_reached")
    if stack:
        view.previous, view.root = stack[-1], hub.state.views[stack[0]].root
    stack.append(view.id)
    hub.state.views[view.id] = view
    hub.state.changed("view_opened", user=view.user, view=view.id)


def replace_view(hub: Hub, view: View, content: Json) -> None:
    """Show other content in a view; what was typed under the same ids stays."""
    filled = content | {"blocks": _with_ids(hub, content["blocks"])}
    typed = view.values
    view.content, view.hash = filled, _new_hash(hub)
    view.values = initial_values(filled["blocks"])
    view.errors, view.trouble = {}, None
    for block_id, actions in view.values.items():
        for action_id, fresh in actions.items():
            kept = typed.get(block_id, {}).get(action_id)
            if kept is not None and kept["type"] == fresh["type"]:
                actions[action_id] = kept
    hub.state.changed("view_changed", user=view.user, view=view.id)


def close_top(hub: Hub, user: str) -> View | None:
    """Close the modal in front; the one below shows again."""
    stack = hub.state.stacks.get(user) or []
    if not stack:
        return None
    view = hub.state.views.pop(stack.pop())
    hub.state.changed("view_closed", user=user, view=view.id)
    return view


def close_all(hub: Hub, user: str) -> None:
    """Close every modal of the person."""
    while close_top(hub, user) is not None:
        pass


def show_home(hub: Hub, user: User, content: Json) -> View:
    """Show this Home to the person."""
    view = hub.state.views.get(user.home) if user.home else None
    if view is None:
        view = new_view(hub, user.id, content)
        user.home = view.id
        hub.state.views[view.id] = view
        hub.state.changed("home", user=user.id)
        return view
    view.earlier = [*view.earlier, view.content["blocks"]][-_BEHIND:]
    replace_view(hub, view, content)
    hub.state.changed("home", user=user.id)
    return view
