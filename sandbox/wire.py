"""How records look on the wire: the JSON objects of Slack's methods and payloads."""

from sandbox.loose import Json
from sandbox.records import Channel, File, Group, Message, User, View
from sandbox.state import State


def user_object(state: State, user: User) -> Json:
    """Build a `user` as `users.info` returns it."""
    made: Json = {
        "id": user.id,
        "team_id": user.team,
        "name": user.name,
        "deleted": user.deleted,
        "profile": _profile(state, user),
        "is_bot": user.is_bot,
        "is_app_user": False,
        "updated": 0,
    }
    if not user.deleted:  # Of a deactivated account Slack tells none of these.
        made |= {
            "real_name": user.real_name,
            "tz": user.tz,
            "is_admin": user.is_admin,
            "is_owner": False,
            "is_primary_owner": False,
            "is_restricted": user.is_restricted,
            "is_ultra_restricted": user.is_ultra_restricted,
        }
    if user.is_stranger:
        made["is_stranger"] = True
    org = state.settings.organisation
    if org is not None and not user.is_stranger:
        made["enterprise_user"] = {
            "id": user.id,
            "enterprise_id": org.id,
            "enterprise_name": org.name,
            "is_admin": user.is_admin,
            "is_owner": False,
            "teams": list(user.teams),
        }
    return made


def _profile(state: State, user: User) -> Json:
    profile: Json = {
        "real_name": user.real_name,
        "display_name": user.display_name or user.name,
        "team": user.team,
    }
    if user.bot_id:
        profile |= {"bot_id": user.bot_id, "api_app_id": state.settings.app.id}
    elif "users:read.email" in state.scopes:
        profile["email"] = user.email
    return profile


def channel_object(state: State, channel: Channel, *, counted: bool = True) -> Json:
    """Build a `channel` as lists hold it; `conversations.info` counts its people when asked."""
    made: Json = {
        "id": channel.id,
        "created": channel.created,
        "is_archived": channel.archived,
        "is_channel": channel.kind == "public",
        "is_group": channel.kind == "private",
        "is_im": channel.kind == "im",
        "is_mpim": False,
        "is_private": channel.kind != "public",
        "is_ext_shared": channel.shared,
        "is_org_shared": False,
        "context_team_id": channel.team or state.settings.team,
    }
    if channel.kind == "im":
        made["user"] = next((one for one in channel.members if one != state.bot), state.bot)
        return made
    return made | {
        "name": channel.name,
        "name_normalized": channel.name,
        "creator": channel.creator,
        "is_member": state.bot in channel.members,
        "is_general": channel.name == "general",
        **({"num_members": len(channel.members)} if counted else {}),
        "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
    }


def group_object(state: State, group: Group, *, users: bool, count: bool) -> Json:
    """Build a `usergroup` as `usergroups.list` returns it."""
    made: Json = {
        "id": group.id,
        "team_id": group.team or state.settings.team,
        "is_usergroup": True,
        "name": group.name,
        "description": "",
        "handle": group.handle,
        "is_external": False,
        "date_create": group.created,
        "date_update": group.updated or group.created,
        "date_delete": group.disabled_at,
        "auto_type": None,
        "created_by": state.bot,
        "updated_by": state.bot,
        "deleted_by": None,
        "prefs": {"channels": [], "groups": []},
    }
    if users:
        made["users"] = list(group.members)
    if count or users:
        made["user_count"] = len(group.members)
    return made


def message_object(state: State, message: Message, *, full_metadata: bool = False) -> Json:
    """Build a `message` as history, replies, answers and clicks hold it."""
    made: Json = {"type": "message"}
    if message.subtype:
        made["subtype"] = message.subtype
    made |= {
        "user": message.user,
        "text": message.text,
        "ts": message.ts,
        "team": state.settings.team,
    }
    for name in ("client_msg_id", "bot_id", "thread_ts", "edited", "blocks", "attachments"):
        if value := getattr(message, name):
            made[name] = value
    if message.bot_id:
        made["app_id"] = state.settings.app.id
        made["bot_profile"] = _bot_profile(state, message.bot_id)
    if message.is_reply and (root := _root(state, message)) is not None:
        made["parent_user_id"] = root.user
    if message.files:
        made["files"] = [file_object(state, state.files[one]) for one in message.files]
    if message.metadata:
        brief = {"event_type": message.metadata["event_type"]}
        made["metadata"] = message.metadata if full_metadata else brief
    if message.reactions:
        made["reactions"] = [
            {"name": name, "users": list(users), "count": len(users)}
            for name, users in message.reactions.items()
        ]
    return made | _thread_facts(state, message)


def _bot_profile(state: State, bot_id: str) -> Json:
    app = state.settings.app
    return {
        "id": bot_id,
        "app_id": app.id,
        "name": app.name,
        "icons": {},
        "deleted": False,
        "updated": 0,
        "team_id": state.settings.team,
    }


def _root(state: State, message: Message) -> Message | None:
    return state.channels[message.channel].messages.get(str(message.thread_ts))


def _thread_facts(state: State, message: Message) -> Json:
    replies = replies_of(state, message)
    if not replies:
        return {}
    users = list(dict.fromkeys(one.user for one in replies))
    return {
        "reply_count": len(replies),
        "reply_users_count": len(users),
        "reply_users": users,
        "latest_reply": replies[-1].ts,
        "is_locked": False,
    }


def replies_of(state: State, message: Message) -> list[Message]:
    """Return the replies below a message, oldest first."""
    return list(state.channels[message.channel].threads.get(message.ts, []))


def file_object(state: State, file: File) -> Json:
    """Build a `file` as the upload's last step, a message and a form hold it."""
    ending = file.name.rpartition(".")[2].lower() if "." in file.name else "binary"
    made: Json = {
        "id": file.id,
        "created": int(float(file.id and state.now())),
        "name": file.name,
        "title": file.title or file.name,
        "filetype": ending,
        "user": file.user,
        "user_team": file.team,
        "size": file.size,
        "mode": "hosted",
        "is_external": False,
        "is_public": False,
        "url_private": f"{state.base_url}/files/{file.id}/{file.name}",
        "permalink": f"{state.base_url}/files/{file.id}/{file.name}",
    }
    return made | {"channels": list(file.channels)}


def view_object(state: State, view: View) -> Json:
    """Build a `view` as the view methods return it and as submissions carry it."""
    content = view.content
    made: Json = {
        "id": view.id,
        "team_id": state.settings.team,
        "type": view.type,
        "blocks": content["blocks"],
        "private_metadata": content.get("private_metadata", ""),
        "callback_id": content.get("callback_id", ""),
        "state": {"values": view.values},
        "hash": view.hash,
        "clear_on_close": content.get("clear_on_close", False),
        "notify_on_close": content.get("notify_on_close", False),
        "previous_view_id": view.previous,
        "root_view_id": view.root,
        "app_id": state.settings.app.id,
        "external_id": content.get("external_id", ""),
        "app_installed_team_id": state.settings.installed_as,
        "bot_id": state.users[state.bot].bot_id,
    }
    for name in ("title", "submit", "close"):
        made[name] = content.get(name)
    return made
