"""The payloads of gestures: what the app reads when someone types, clicks or submits."""

from sandbox import limits
from sandbox.hub import Hub
from sandbox.loose import Json
from sandbox.records import Channel, Ephemeral, Message, ResponseUrl, Trigger, User, View
from sandbox.wire import message_object, view_object


def new_trigger(hub: Hub, user: User, *, view: str | None = None) -> str:
    """Return leave to open a modal, good once and for a short while."""
    state = hub.state
    trigger = Trigger(
        id=f"{state.next_id('', 12)}.{state.next_id('', 12)}.{state.next_id('', 32).lower()}",
        user=user.id,
        expires=state.now() + state.settings.trigger_seconds,
        view=view,
    )
    state.triggers[trigger.id] = trigger
    return trigger.id


def new_response_url(
    hub: Hub, user: User, channel: Channel, *, about: Message | Ephemeral | None = None
) -> str:
    """Return the address at which the app may answer a gesture."""
    state = hub.state
    token = state.next_id("", 24)
    state.response_urls[token] = ResponseUrl(
        token=token,
        user=user.id,
        channel=channel.id,
        expires=state.now() + limits.RESPONSE_URL_SECONDS,
        message_ts=about.ts if about else None,
        ephemeral=isinstance(about, Ephemeral),
    )
    return f"{state.base_url}/actions/{state.settings.team}/{token}"


def command_payload(hub: Hub, user: User, channel: Channel, *, command: str, text: str) -> Json:
    """Build the flat payload of a slash command."""
    shown = {"im": "directmessage", "private": "privategroup"}.get(channel.kind, channel.name)
    org = hub.settings.organisation
    return {
        "token": hub.app.verification_token,
        "team_id": user.team,
        "team_domain": hub.settings.domain,
        "channel_id": channel.id,
        "channel_name": shown,
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": hub.app.id,
        "is_enterprise_install": "true" if org else "false",
        **({"enterprise_id": org.id, "enterprise_name": org.name} if org else {}),
        "response_url": new_response_url(hub, user, channel),
        "trigger_id": new_trigger(hub, user),
    }


def _common(hub: Hub, user: User, kind: str) -> Json:
    org = hub.settings.organisation
    return {
        "type": kind,
        # Slack names no workspace where the app is installed in all of them.
        "team": None if org else {"id": hub.settings.team, "domain": hub.settings.domain},
        "user": {
            "id": user.id,
            "username": user.name,
            "name": user.name,
            "team_id": user.team,
        },
        "api_app_id": hub.app.id,
        "token": hub.app.verification_token,
        "enterprise": {"id": org.id, "name": org.name} if org else None,
        "is_enterprise_install": org is not None,
    }


def click_on_message(
    hub: Hub,
    user: User,
    *,
    channel: Channel,
    about: Message | Ephemeral,
    action: Json,
    values: Json,
) -> Json:
    """Build `block_actions` for an element of a message."""
    ephemeral = isinstance(about, Ephemeral)
    container = {
        "type": "message",
        "message_ts": about.ts,
        "channel_id": channel.id,
        "is_ephemeral": ephemeral,
    }
    if about.thread_ts:
        container["thread_ts"] = about.thread_ts
    payload = _common(hub, user, "block_actions") | {
        "container": container,
        "trigger_id": new_trigger(hub, user),
        "channel": {"id": channel.id, "name": _channel_name(channel)},
        "state": {"values": values},
        "response_url": new_response_url(hub, user, channel, about=about),
        "actions": [action | {"action_ts": hub.state.next_ts()}],
    }
    # Slack sends no copy of an ephemeral message: it is stored nowhere.
    if isinstance(about, Message):
        payload["message"] = message_object(hub.state, about, full_metadata=True)
    return payload


def _channel_name(channel: Channel) -> str:
    return {"im": "directmessage", "private": "privategroup"}.get(channel.kind, channel.name)


def click_in_view(hub: Hub, user: User, *, view: View, action: Json) -> Json:
    """Build `block_actions` for an element of a modal or Home."""
    return _common(hub, user, "block_actions") | {
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": new_trigger(hub, user, view=view.id if view.type == "modal" else None),
        "view": view_object(hub.state, view),
        "actions": [action | {"action_ts": hub.state.next_ts()}],
    }


def submission(hub: Hub, user: User, *, view: View) -> Json:
    """Build `view_submission`."""
    return _common(hub, user, "view_submission") | {
        "trigger_id": new_trigger(hub, user, view=view.id),
        "view": view_object(hub.state, view),
        "response_urls": _chosen_channels(hub, user, view),
    }


def _chosen_channels(hub: Hub, user: User, view: View) -> list[Json]:
    found: list[Json] = []
    for block in view.content["blocks"]:
        element = block.get("element", {})
        if not element.get("response_url_enabled"):
            continue
        value = view.values.get(block["block_id"], {}).get(element["action_id"], {})
        chosen = value.get("selected_conversation") or value.get("selected_channel")
        if chosen in hub.state.channels:
            channel = hub.state.channels[chosen]
            found.append(
                {
                    "block_id": block["block_id"],
                    "action_id": element["action_id"],
                    "channel_id": channel.id,
                    "response_url": new_response_url(hub, user, channel),
                }
            )
    return found


def closed(hub: Hub, user: User, *, view: View, cleared: bool) -> Json:
    """Build `view_closed`."""
    return _common(hub, user, "view_closed") | {
        "view": view_object(hub.state, view),
        "is_cleared": cleared,
    }


def suggestion(hub: Hub, user: User, *, place: Json, element: Json, typed: str) -> Json:
    """Build `block_suggestion`: the choices for what has been typed so far."""
    return _common(hub, user, "block_suggestion") | {
        **place,
        "block_id": element["block_id"],
        "action_id": element["action_id"],
        "value": typed,
    }


def global_shortcut(hub: Hub, user: User, *, callback_id: str) -> Json:
    """Build `shortcut`."""
    return _common(hub, user, "shortcut") | {
        "callback_id": callback_id,
        "trigger_id": new_trigger(hub, user),
        "action_ts": hub.state.next_ts(),
    }


def message_shortcut(
    hub: Hub, user: User, *, callback_id: str, channel: Channel, message: Message
) -> Json:
    """Build `message_action`."""
    return _common(hub, user, "message_action") | {
        "callback_id": callback_id,
        "trigger_id": new_trigger(hub, user),
        "response_url": new_response_url(hub, user, channel, about=message),
        "message_ts": message.ts,
        "action_ts": hub.state.next_ts(),
        "channel": {"id": channel.id, "name": _channel_name(channel)},
        "message": message_object(hub.state, message, full_metadata=True),
    }
