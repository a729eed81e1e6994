"""`conversations.*`: places, who is in them, and what was said there."""

from collections.abc import Sequence

from sandbox import limits
from sandbox.errors import SlackError
from sandbox.hub import Hub
from sandbox.loose import Json, Unchecked
from sandbox.methods.organisation import team_meant
from sandbox.methods.pages import page
from sandbox.methods.table import method
from sandbox.records import Channel, Message
from sandbox.wire import channel_object, message_object

READ = "channels:read groups:read im:read mpim:read"
HISTORY = "channels:history groups:history im:history mpim:history"
_FAMILY = {"public": "channels", "private": "groups", "im": "im"}


def _seen(hub: Hub, channel_id: str, right: str, *, inside: bool) -> Channel:
    """Return a conversation the bot may look at.

    Raises:
        SlackError: `channel_not_found`, `not_in_channel` or `missing_scope`.
    """
    channel = hub.state.channel(channel_id)
    member = hub.state.bot in channel.members
    if channel.kind != "public" and not member:
        raise SlackError("channel_not_found")
    need_scope(hub, f"{_FAMILY[channel.kind]}:{right}")
    if inside and not member:
        raise SlackError("not_in_channel")
    return channel


def need_scope(hub: Hub, scope: str) -> None:
    """Refuse unless the bot holds this very scope.

    Raises:
        SlackError: `missing_scope`.
    """
    held = hub.state.scopes
    if scope not in held and not (scope == "im:read" and "im:write" in held):
        provided = ",".join(sorted(held))
        raise SlackError("missing_scope", extra={"needed": scope, "provided": provided})


@method(
    "conversations.open",
    optional="channel prevent_creation return_im users",
    scopes="channels:manage groups:write im:write mpim:write",
    tier=3,
)
def open_direct(hub: Hub, arguments: Json) -> Json:
    """Return the direct conversation with one person."""
    if arguments.get("channel"):
        channel = _seen(hub, arguments["channel"], "read", inside=False)
        return {"channel": channel_object(hub.state, channel)}
    wanted = [one for one in str(arguments.get("users") or "").split(",") if one]
    if not wanted:
        raise SlackError("users_list_not_supplied")
    if len(wanted) > 1:
        raise SlackError("method_not_supported_for_channel_type")
    user = hub.state.user(wanted[0])
    if user.deleted:
        raise SlackError("user_disabled")
    if user.is_bot:
        raise SlackError("cannot_dm_bot")
    channel = hub.state.direct(hub.state.bot, user.id)
    full = channel_object(hub.state, channel)
    return {"channel": full if arguments.get("return_im") else {"id": channel.id}}


@method(
    "conversations.info",
    required="channel",
    optional="include_locale include_num_members",
    scopes=READ,
    tier=3,
)
def info(hub: Hub, arguments: Json) -> Json:
    """Return one conversation; how many people are in it only when asked."""
    channel = _seen(hub, arguments["channel"], "read", inside=False)
    counted = bool(arguments.get("include_num_members"))
    return {"channel": channel_object(hub.state, channel, counted=counted)}


@method(
    "conversations.list",
    optional="cursor exclude_archived limit types",
    scopes=READ,
    tier=2,
)
def list_all(hub: Hub, arguments: Json) -> Json:
    """Return the conversations of the asked types that the bot can know of."""
    wanted = _kinds(hub, arguments)
    team = team_meant(hub, arguments)
    found = [
        one
        for one in hub.state.channels.values()
        if one.kind in wanted
        and one.team in {"", team}
        and (one.kind == "public" or hub.state.bot in one.members)
        and not (arguments.get("exclude_archived") and one.archived)
    ]
    return _listed(hub, found, arguments)


@method(
    "users.conversations",
    optional="cursor exclude_archived limit types user",
    scopes=READ,
    tier=3,
)
def of_user(hub: Hub, arguments: Json) -> Json:
    """Return the conversations that somebody is in; private ones only where the bot is as well."""
    wanted, team = _kinds(hub, arguments), team_meant(hub, arguments)
    user = hub.state.user(str(arguments.get("user") or hub.state.bot)).id
    found = [
        one
        for one in hub.state.channels.values()
        if one.kind in wanted
        and one.team in {"", team}
        and user in one.members
        and (one.kind == "public" or hub.state.bot in one.members)
        and not (arguments.get("exclude_archived") and one.archived)
    ]
    return _listed(hub, found, arguments)


def _kinds(hub: Hub, arguments: Json) -> set[str]:
    """Return the kinds of conversations asked for.

    Raises:
        SlackError: `invalid_types` or `missing_scope`.
    """
    kinds = {"public_channel": "public", "private_channel": "private", "im": "im"}
    types = str(arguments.get("types") or "public_channel").split(",")
    if not set(types) <= {*kinds, "mpim"}:
        raise SlackError("invalid_types")
    wanted = {kinds[one] for one in types if one in kinds}
    for kind in wanted:
        need_scope(hub, f"{_FAMILY[kind]}:read")
    return wanted


def _listed(hub: Hub, found: Sequence[Channel], arguments: Json) -> Json:
    shown, cursor = page(found, arguments)
    return {
        "channels": [channel_object(hub.state, one) for one in shown],
        "response_metadata": {"next_cursor": cursor},
    }


@method("conversations.members", required="channel", optional="cursor limit", scopes=READ, tier=4)
def members(hub: Hub, arguments: Json) -> Json:
    """Return who is in a conversation."""
    channel = _seen(hub, arguments["channel"], "read", inside=False)
    shown, cursor = page(channel.members, arguments)
    return {"members": list(shown), "response_metadata": {"next_cursor": cursor}}


@method(
    "conversations.history",
    required="channel",
    optional="cursor include_all_metadata inclusive latest limit oldest",
    scopes=HISTORY,
    tier=3,
)
def history(hub: Hub, arguments: Json) -> Json:
    """Return the messages outside threads, newest first."""
    channel = _seen(hub, arguments["channel"], "history", inside=True)
    found = [
        one
        for one in reversed(channel.messages.values())
        if not one.is_reply and _within(one, arguments)
    ]
    shown, cursor = page(found, arguments, most=limits.REPLIES_MOST)
    return _messages(hub, list(shown), cursor, arguments) | {"pin_count": 0}


@method(
    "conversations.replies",
    required="channel ts",
    optional="cursor include_all_metadata inclusive latest limit oldest",
    scopes=HISTORY,
    tier=3,
)
def replies(hub: Hub, arguments: Json) -> Json:
    """Return a message and its replies, oldest first; the message itself always comes."""
    channel = _seen(hub, arguments["channel"], "history", inside=True)
    root = channel.messages.get(arguments["ts"])
    if root is None:
        raise SlackError("thread_not_found")
    if root.is_reply:
        return _messages(hub, [root], "", arguments)
    below = [one for one in channel.threads.get(root.ts, []) if _within(one, arguments)]
    shown, cursor = page([root, *below], arguments, most=limits.REPLIES_MOST)
    return _messages(hub, list(shown), cursor, arguments)


def _within(message: Message, arguments: Json) -> bool:
    oldest, latest = arguments.get("oldest"), arguments.get("latest")
    edges = {_moment(one) for one in (oldest, latest) if one}
    moment = _moment(message.ts)
    if moment in edges:
        return bool(arguments.get("inclusive"))
    after = not oldest or moment > _moment(oldest)
    return after and (not latest or moment < _moment(latest))


def _moment(ts: Unchecked) -> int:
    """Return a timestamp in microseconds; as a float, neighbours would fall together."""
    whole, _, rest = str(ts).partition(".")
    try:
        return int(whole) * 1_000_000 + int(rest.ljust(6, "0")[:6] or 0)
    except ValueError as problem:
        raise SlackError("invalid_ts_oldest") from problem


def _messages(hub: Hub, shown: list[Message], cursor: str, arguments: Json) -> Json:
    full = bool(arguments.get("include_all_metadata"))
    made: Json = {
        "messages": [message_object(hub.state, one, full_metadata=full) for one in shown],
        "has_more": bool(cursor),
    }
    if cursor:
        made["response_metadata"] = {"next_cursor": cursor}
    return made
