"""What one person's Slack shows, as one JSON document for the page.

    {
      "version": 41,                      # grows with every change; also in each notice
      "now": 1767600000.5,
      "connections": 2,                   # sockets the app holds; 0 means it is not running
      "workspaces": [{"id", "name", "url"}],        # this one and the others of the sandbox
      "team": {"id": "T0ACME", "name": "Acme", "domain": "acme"},
      "me": PERSON, "people": [PERSON], "groups": [{"id", "handle", "name", "members": [id]}],
      "app": {"id", "name", "installed": bool, "bot": user id, "commands": ["/ops"],
              "shortcuts": {id: kind}, "shortcut_names": {id: name}},
      "channels": [{"id", "name", "kind": "public|private|im", "archived", "member": bool,
                    "members": [id], "with": user id of an im, "count": messages}],
      "messages": {channel id: [MESSAGE]},          # outside threads, oldest first
      "threads": {channel id: {ts of the root: [MESSAGE]}},          # replies, oldest first
      "view": VIEW or null,               # the modal in front
      "home": VIEW or null,
      "complaints": [{"at", "kind": "command|click|submission|shortcut", "text", "error",
                      "channel", "message_ts", "action_id"}],
      "notifications": [{"at", "channel", "ts", "text"}]
    }

    PERSON:  {"id", "name", "real_name", "bot", "guest", "deleted", "stranger", "team",
              "tz": the zone of their clock}
    MESSAGE: {"ts", "channel", "user", "text" (markup), "words" (readable), "blocks",
              "thread_ts", "replies": count, "latest_reply", "edited": bool,
              "change": redraw when it grows, "ephemeral": bool, "subtype",
              "files": [{"id", "name", "title", "url"}], "reactions": {name: [user id]}}
    VIEW:    {"id", "hash", "type", "title", "submit", "close" (strings or null), "blocks",
              "callback_id", "values": {block_id: {action_id: state}},
              "errors": {block_id: text}, "trouble": text or null, "depth": 1..3}

Only channels the person is in have messages; public ones they are not in are listed without.
"""

from sandbox.hub import Hub
from sandbox.loose import Json, Unchecked
from sandbox.records import Channel, Ephemeral, Message, User, View
from sandbox.screens import top_view
from sandbox.wire import file_object, replies_of
from sandbox.words import readable


def picture_for(hub: Hub, user: User) -> Json:
    """Build the document for one person."""
    state = hub.state
    with state.lock:
        places = [one for one in state.channels.values() if _listed(one, user)]
        inside = [one for one in places if user.id in one.members]
        view, home = top_view(hub, user.id), state.views.get(user.home or "")
        return {
            "version": state.version,
            "now": state.now(),
            "connections": hub.connections,
            "team": _team(hub),
            "workspaces": [_workspace(one) for one in hub.cluster.hubs],
            "me": _person(user),
            "people": [_person(one) for one in state.users.values()],
            "groups": [_group(one) for one in state.groups.values()],
            "app": _app(hub),
            "channels": [_channel(one, user) for one in places],
            "messages": {one.id: _messages(hub, one, user) for one in inside},
            "threads": {one.id: _threads(hub, one, user) for one in inside},
            "view": _view(hub, view) if view else None,
            "home": _view(hub, home) if home else None,
            "complaints": _complaints(hub, user),
            "notifications": _notifications(hub, user),
        }


def _team(hub: Hub) -> Json:
    org, settings = hub.settings.organisation, hub.settings
    name = org.name if org else settings.team_name
    return {"id": settings.installed_as, "name": name, "domain": settings.domain}


def _workspace(hub: Hub) -> Json:
    team = _team(hub)
    return {"id": team["id"], "name": team["name"], "url": f"{hub.state.base_url}/"}


def _listed(channel: Channel, user: User) -> bool:
    outsider = user.is_restricted or user.is_stranger
    return user.id in channel.members or (channel.kind == "public" and not outsider)


def _person(user: User) -> Json:
    return {
        "id": user.id,
        "name": user.name,
        "real_name": user.real_name,
        "bot": user.is_bot,
        "guest": user.is_restricted,
        "deleted": user.deleted,
        "stranger": user.is_stranger,
        "team": user.team,
        "tz": user.tz,
    }


def _group(group: Unchecked) -> Json:
    return {
        "id": group.id,
        "handle": group.handle,
        "name": group.name,
        "members": list(group.members),
    }


def _app(hub: Hub) -> Json:
    return {
        "id": hub.app.id,
        "name": hub.app.name,
        "installed": hub.state.installed,
        "bot": hub.state.bot,
        "commands": sorted(hub.app.commands),
        "shortcuts": dict(hub.app.shortcuts or {}),
        "shortcut_names": dict(hub.app.shortcut_names),
    }


def _channel(channel: Channel, user: User) -> Json:
    made: Json = {
        "id": channel.id,
        "name": channel.name,
        "kind": channel.kind,
        "archived": channel.archived,
        "member": user.id in channel.members,
        "members": list(channel.members),
        "count": len(channel.messages),
    }
    if channel.kind == "im":
        made["with"] = next((one for one in channel.members if one != user.id), user.id)
    return made


def _messages(hub: Hub, channel: Channel, user: User) -> list[Json]:
    stored = [one for one in channel.messages.values() if not one.is_reply]
    whispered = [one for one in _whispered(hub, channel, user) if one.thread_ts is None]
    both: list[Message | Ephemeral] = [*stored, *whispered]
    shown = sorted(both, key=lambda one: one.ts)
    return [message_picture(hub, one) for one in shown]


def _threads(hub: Hub, channel: Channel, user: User) -> dict[str, list[Json]]:
    found: dict[str, list[Message | Ephemeral]] = {}
    for message in channel.messages.values():
        if message.is_reply:
            found.setdefault(str(message.thread_ts), []).append(message)
    for whispered in _whispered(hub, channel, user):
        if whispered.thread_ts is not None:
            found.setdefault(whispered.thread_ts, []).append(whispered)
    return {
        root: [message_picture(hub, one) for one in sorted(replies, key=lambda each: each.ts)]
        for root, replies in found.items()
    }


def _whispered(hub: Hub, channel: Channel, user: User) -> list[Ephemeral]:
    return [one for one in hub.state.ephemerals if one.channel == channel.id and one.to == user.id]


def message_picture(hub: Hub, message: Message | Ephemeral) -> Json:
    """Build the document of one message."""
    made: Json = {
        "ts": message.ts,
        "channel": message.channel,
        "text": message.text,
        "words": readable(hub.state, message.text),
        "blocks": message.blocks,
        "thread_ts": message.thread_ts,
        "ephemeral": isinstance(message, Ephemeral),
    }
    if isinstance(message, Ephemeral):
        return made | {"user": message.author, "edited": False, "change": 0, "replies": 0}
    replies = replies_of(hub.state, message)
    return made | {
        "user": message.user,
        "edited": message.edited is not None,
        "change": message.change,
        "replies": len(replies),
        "latest_reply": replies[-1].ts if replies else None,
        "subtype": message.subtype,
        "files": [_file(hub, one) for one in message.files],
        "reactions": {name: list(users) for name, users in message.reactions.items()},
    }


def _file(hub: Hub, file_id: str) -> Json:
    full = file_object(hub.state, hub.state.files[file_id])
    named = {name: full[name] for name in ("id", "name", "title")}
    return {**named, "url": full["url_private"]}


def _view(hub: Hub, view: View) -> Json:
    content = view.content
    return {
        "id": view.id,
        "hash": view.hash,
        "type": view.type,
        **{name: content.get(name, {}).get("text") for name in ("title", "submit", "close")},
        "blocks": content["blocks"],
        "callback_id": content.get("callback_id", ""),
        "values": view.values,
        "errors": view.errors,
        "trouble": view.trouble,
        "depth": len(hub.state.stacks.get(view.user, [])),
    }


def _complaints(hub: Hub, user: User) -> list[Json]:
    return [
        {
            "at": one.at,
            "kind": one.kind,
            "text": one.text,
            "error": one.error,
            "channel": one.channel,
            "message_ts": one.message_ts,
            "action_id": one.action_id,
        }
        for one in hub.state.complaints
        if one.user == user.id
    ]


def _notifications(hub: Hub, user: User) -> list[Json]:
    return [
        {"at": one.at, "channel": one.channel, "ts": one.ts, "text": one.text}
        for one in hub.state.notifications
        if one.user == user.id
    ]
