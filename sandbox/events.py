"""Events: what happens in the workspace, told to the app where it subscribed and may know."""

from collections.abc import Mapping
from typing import Any

from sandbox.delivery.envelope import Delivery
from sandbox.hub import Hub
from sandbox.loose import Json, Unchecked
from sandbox.records import Channel, Execution, Group, Message, User
from sandbox.steps import declared, needed
from sandbox.wire import group_object, message_object, user_object

_LAST_WORDS = frozenset({"tokens_revoked", "app_uninstalled"})
_SUBSCRIPTION = {"public": "message.channels", "private": "message.groups", "im": "message.im"}


def emit(hub: Hub, event: Json, *, subscription: str | None = None) -> Delivery | None:
    """Deliver an event when the app subscribed to it and is there, or has just been."""
    if (subscription or event["type"]) not in hub.app.events:
        return None
    if not hub.state.installed and event["type"] not in _LAST_WORDS:
        return None
    state = hub.state
    delivery = Delivery(
        id=state.next_id("", 24).lower(),
        kind="events_api",
        type=str(event["type"]),
        payload=_callback(hub, event),
        at=state.now(),
    )
    return hub.courier.deliver(delivery)


def _callback(hub: Hub, event: Json) -> Json:
    state, org = hub.state, hub.settings.organisation
    made: Json = {
        "token": hub.app.verification_token,
        "team_id": state.settings.team,
        "context_team_id": state.settings.team,
        "context_enterprise_id": org.id if org else None,
        "api_app_id": hub.app.id,
        "event": event,
        "type": "event_callback",
        "event_id": state.next_id("Ev"),
        "event_time": int(state.now()),
        "is_ext_shared_channel": _is_shared(hub, event.get("channel")),
        "event_context": state.next_id("4-", 20),
    }
    if org is not None:
        made["enterprise_id"] = org.id
    if event["type"] in _LAST_WORDS:
        return made  # Slack names no installation when it tells of its end.
    return made | {"authorizations": [_authorization(hub)]}


def _authorization(hub: Hub) -> Json:
    org = hub.settings.organisation
    return {
        "enterprise_id": org.id if org else None,
        "team_id": hub.settings.team,
        "user_id": hub.state.bot,
        "is_bot": True,
        "is_enterprise_install": org is not None,
    }


def function_executed(hub: Hub, execution: Execution) -> None:
    """Tell that a workflow has come to one of the app's steps."""
    state = hub.state
    known = hub.app.functions[execution.callback_id]
    emit(
        hub,
        {
            "type": "function_executed",
            "function": {
                "id": "Fn0" + execution.callback_id.upper().replace("_", ""),
                "callback_id": execution.callback_id,
                "title": known["title"],
                "description": known.get("description", ""),
                "type": "app",
                "input_parameters": _parameters(known, "input_parameters"),
                "output_parameters": _parameters(known, "output_parameters"),
                "app_id": hub.app.id,
                "date_created": int(state.now()),
                "date_updated": int(state.now()),
                "date_deleted": 0,
                "form_enabled": False,
            },
            "inputs": dict(execution.inputs),
            "function_execution_id": execution.id,
            "workflow_execution_id": state.next_id("Wx"),
            "event_ts": state.next_ts(),
            "bot_access_token": execution.token,
        },
    )


def _parameters(step: Mapping[str, Any], side: str) -> list[Json]:
    return [
        {
            "type": one["type"],
            "name": name,
            "title": one.get("title", name),
            "description": one.get("description", ""),
            "is_required": name in needed(step, side),
        }
        for name, one in declared(step, side).items()
    ]


def _is_shared(hub: Hub, channel: Unchecked) -> bool:
    found = hub.state.channels.get(channel) if isinstance(channel, str) else None
    return found is not None and found.shared


def message_posted(hub: Hub, channel: Channel, message: Message) -> None:
    """Tell of a new message, and of a mention of the app in it."""
    if hub.state.bot not in channel.members:
        return
    event = message_object(hub.state, message, full_metadata=True) | _place(channel)
    emit(hub, event, subscription=_SUBSCRIPTION[channel.kind])
    if f"<@{hub.state.bot}>" in message.text and message.user != hub.state.bot:
        mention = {name: value for name, value in event.items() if name != "channel_type"}
        emit(hub, mention | {"type": "app_mention"})


def message_changed(hub: Hub, channel: Channel, before: Json, message: Message) -> None:
    """Tell of an edited message."""
    _changed(hub, channel, "message_changed", before, message)


def message_deleted(hub: Hub, channel: Channel, before: Json) -> None:
    """Tell of a deleted message."""
    _changed(hub, channel, "message_deleted", before, None)


def _changed(
    hub: Hub, channel: Channel, subtype: str, before: Json, message: Message | None
) -> None:
    if hub.state.bot not in channel.members:
        return
    ts = hub.state.next_ts()
    event: Json = {
        "type": "message",
        "subtype": subtype,
        "hidden": True,
        "ts": ts,
        "event_ts": ts,
        "previous_message": before,
        **_place(channel),
    }
    if message is None:
        event["deleted_ts"] = before["ts"]
    else:
        event["message"] = message_object(hub.state, message, full_metadata=True)
    event["event_ts"] = ts
    emit(hub, event, subscription=_SUBSCRIPTION[channel.kind])


def _place(channel: Channel) -> Json:
    kinds = {"public": "channel", "private": "group", "im": "im"}
    made: Json = {"channel": channel.id, "channel_type": kinds[channel.kind]}
    if channel.messages:
        made["event_ts"] = next(reversed(channel.messages))
    return made


def group_changed(hub: Hub, group: Group, *, added: list[str], removed: list[str]) -> None:
    """Tell who joined and left a user group, and how it looks now."""
    now = int(hub.state.now())
    emit(
        hub,
        {
            "type": "subteam_members_changed",
            "subteam_id": group.id,
            "team_id": hub.settings.team,
            "date_previous_update": group.updated or group.created,
            "date_update": now,
            "added_users": added,
            "added_users_count": len(added),
            "removed_users": removed,
            "removed_users_count": len(removed),
            "event_ts": hub.state.next_ts(),
        },
    )
    group.updated = now
    group_updated(hub, group)


def group_updated(hub: Hub, group: Group) -> None:
    """Tell how a user group looks now."""
    subteam = group_object(hub.state, group, users=True, count=True)
    emit(hub, {"type": "subteam_updated", "subteam": subteam, "event_ts": hub.state.next_ts()})


def membership_changed(hub: Hub, channel: Channel, user: User, *, joined: bool) -> None:
    """Tell that someone joined or left a channel the app is in."""
    if hub.state.bot not in channel.members and user.id != hub.state.bot:
        return
    kind = "member_joined_channel" if joined else "member_left_channel"
    emit(
        hub,
        {
            "type": kind,
            "user": user.id,
            "channel": channel.id,
            "channel_type": "G" if channel.kind == "private" else "C",
            "team": user.team,
            "event_ts": hub.state.next_ts(),
        },
    )


def user_changed(hub: Hub, user: User) -> None:
    """Tell how an account looks now."""
    now = hub.state.next_ts()
    emit(
        hub,
        {"type": "user_change", "user": user_object(hub.state, user), "event_ts": now},
    )


def uninstalled(hub: Hub) -> None:
    """Tell the app that its tokens are worth nothing any more, and that it is gone."""
    now = hub.state.next_ts()
    tokens = {"oauth": [], "bot": [hub.state.bot]}
    emit(hub, {"type": "tokens_revoked", "tokens": tokens, "event_ts": now})
    emit(hub, {"type": "app_uninstalled", "event_ts": now})


def home_opened(hub: Hub, user: User, *, tab: str, channel: str, view: Json | None) -> None:
    """Tell that someone looks at the app's Home or Messages tab."""
    event: Json = {
        "type": "app_home_opened",
        "user": user.id,
        "channel": channel,
        "tab": tab,
        "event_ts": hub.state.next_ts(),
    }
    emit(hub, event | ({"view": view} if view is not None else {}))
