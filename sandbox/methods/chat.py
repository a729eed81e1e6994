"""`chat.*`: post, update, delete, whisper, link."""

import json

from sandbox import limits, posting
from sandbox.errors import SlackError
from sandbox.hub import Hub
from sandbox.loose import Json, Unchecked
from sandbox.methods.table import method
from sandbox.records import Channel, Ephemeral, Message
from sandbox.rules.blocks import check_message_blocks
from sandbox.rules.shapes import units
from sandbox.wire import message_object
from sandbox.words import find_channel


def place_for_bot(hub: Hub, name: str) -> Channel:
    """Return the conversation the bot may write to.

    Raises:
        SlackError: `channel_not_found`, `not_in_channel` or `is_archived`.
    """
    state = hub.state
    user = state.users.get(name)
    if user is not None and not user.deleted and not user.is_bot:
        return state.direct(state.bot, user.id)
    channel = state.channels.get(name) or (find_channel(state, name) if name[:1] == "#" else None)
    if channel is None or (channel.kind != "public" and state.bot not in channel.members):
        raise SlackError("channel_not_found")
    if channel.archived:
        raise SlackError("is_archived")
    if state.bot not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def content_of(hub: Hub, arguments: Json) -> Json:
    """Return the text, blocks and attachments of a post, checked.

    Raises:
        SlackError: `markdown_text_conflict`, `no_text`, or what the blocks deserve.
    """
    text, marked = arguments.get("text") or "", arguments.get("markdown_text") or ""
    if marked and (text or arguments.get("blocks")):
        raise SlackError("markdown_text_conflict")
    if units(marked) > limits.MARKDOWN_TEXT:
        raise SlackError("msg_too_long")
    blocks = arguments.get("blocks") or []
    if marked:
        text, blocks = marked, [{"type": "markdown", "text": marked}]
    blocks = check_message_blocks(blocks)
    _check_files(hub, blocks)
    attachments = arguments.get("attachments") or []
    if not (text.strip() or blocks or attachments):
        raise SlackError("no_text")
    return {
        "text": text,
        "blocks": posting.with_block_ids(hub, blocks),
        "attachments": attachments,
    }


def _check_files(hub: Hub, blocks: list[Json]) -> None:
    for place, block in enumerate(blocks):
        wanted = block.get("slack_file", {}).get("id")
        file = hub.state.files.get(wanted) if wanted else None
        if wanted and (file is None or not file.completed or file.team != hub.settings.team):
            raise SlackError(
                "invalid_blocks", [f"[ERROR] invalid slack file [json-pointer:/blocks/{place}]"]
            )


def _metadata(arguments: Json) -> Json | None:
    metadata = arguments.get("metadata")
    if metadata in (None, {}):
        return None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_type"), str):
        raise SlackError("invalid_metadata_format")
    if not isinstance(metadata.get("event_payload"), dict):
        raise SlackError("invalid_metadata_format")
    if len(json.dumps(metadata).encode()) > limits.METADATA_BYTES:
        raise SlackError("metadata_too_large")
    return metadata


@method(
    "chat.postMessage",
    required="channel",
    optional="as_user attachments blocks icon_emoji icon_url link_names markdown_text metadata "
    "mrkdwn parse reply_broadcast text thread_ts unfurl_links unfurl_media username",
    scopes="chat:write",
    posts=True,
)
def post_message(hub: Hub, arguments: Json) -> Json:
    """Post as the bot."""
    channel = place_for_bot(hub, arguments["channel"])
    _name_what_is_not_played(hub, arguments)
    content = content_of(hub, arguments)
    content["text"] = content["text"][: limits.MESSAGE_TEXT]
    message = bot_message(
        hub,
        channel,
        thread_ts=arguments.get("thread_ts") or None,
        metadata=_metadata(arguments),
        **content,
    )
    posting.post(hub, channel, message)
    shown = message_object(hub.state, message, full_metadata=True)
    return {"channel": channel.id, "ts": message.ts, "message": shown}


def bot_message(hub: Hub, channel: Channel, **content: Unchecked) -> Message:
    """Build a message of the bot that is not posted yet."""
    state = hub.state
    bot = state.users[state.bot]
    return Message(
        ts=state.next_ts(), channel=channel.id, user=bot.id, bot_id=bot.bot_id, **content
    )


def _name_what_is_not_played(hub: Hub, arguments: Json) -> None:
    customized = arguments.keys() & {"username", "icon_emoji", "icon_url"}
    if customized and "chat:write.customize" not in hub.state.scopes:
        hub.recorder.blame("needs chat:write.customize", ", ".join(sorted(customized)))
    if arguments.get("reply_broadcast"):
        hub.recorder.blame("the sandbox shows no broadcast of a reply", "reply_broadcast")


def own_message(hub: Hub, arguments: Json, error: str, *, archived: str) -> tuple[Channel, Message]:
    """Return a message of the bot, or refuse with `error` when someone else wrote it.

    Raises:
        SlackError: `channel_not_found`, `message_not_found`, `archived` or `error`.
    """
    channel = hub.state.channel(arguments["channel"])
    if channel.kind != "public" and hub.state.bot not in channel.members:
        raise SlackError("channel_not_found")
    message = hub.state.message(channel.id, arguments["ts"])
    if message.subtype == "tombstone":
        raise SlackError("message_not_found")
    if message.user != hub.state.bot:
        raise SlackError(error)
    if channel.archived:
        raise SlackError(archived)
    return channel, message


@method(
    "chat.update",
    required="channel ts",
    optional="as_user attachments blocks file_ids link_names markdown_text metadata parse "
    "reply_broadcast text",
    scopes="chat:write",
    tier=3,
)
def update(hub: Hub, arguments: Json) -> Json:
    """Change a message of the bot; `text` alone removes the blocks, metadata stays."""
    channel, message = own_message(hub, arguments, "cant_update_message", archived="is_inactive")
    content = content_of(hub, arguments)
    if units(content["text"]) > limits.UPDATE_TEXT:
        raise SlackError("msg_too_long")
    if _rich(message.blocks) and content["blocks"] and not _rich(content["blocks"]):
        raise SlackError("block_mismatch")
    if not content["blocks"]:
        content["edited"] = {"user": hub.state.bot, "ts": hub.state.next_ts()}
    if "metadata" in arguments:
        content["metadata"] = _metadata(arguments)
    posting.edit(hub, channel, message, content)
    shown = message_object(hub.state, message, full_metadata=True)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": shown}


def _rich(blocks: list[Json]) -> bool:
    return bool(blocks) and all(one["type"] == "rich_text" for one in blocks)


@method("chat.delete", required="channel ts", optional="as_user", scopes="chat:write", tier=3)
def delete(hub: Hub, arguments: Json) -> Json:
    """Delete a message of the bot."""
    channel, message = own_message(hub, arguments, "cant_delete_message", archived="is_archived")
    posting.delete(hub, channel, message)
    return {"channel": channel.id, "ts": message.ts}


@method(
    "chat.postEphemeral",
    required="channel user",
    optional="as_user attachments blocks icon_emoji icon_url link_names markdown_text parse text "
    "thread_ts username",
    scopes="chat:write",
    tier=4,
)
def post_ephemeral(hub: Hub, arguments: Json) -> Json:
    """Whisper to someone who is in the channel."""
    channel = place_for_bot(hub, arguments["channel"])
    user = hub.state.user(arguments["user"])
    if user.id not in channel.members or user.deleted:
        raise SlackError("user_not_in_channel")
    content = content_of(hub, arguments)
    content.pop("attachments")
    made = Ephemeral(
        ts=hub.state.next_ts(),
        channel=channel.id,
        to=user.id,
        author=hub.state.bot,
        thread_ts=arguments.get("thread_ts") or None,
        **content,
    )
    posting.whisper(hub, made)
    return {"message_ts": made.ts}


@method("chat.getPermalink", required="channel message_ts")
def get_permalink(hub: Hub, arguments: Json) -> Json:
    """Return the address of a message the bot can see."""
    channel = hub.state.channel(arguments["channel"])
    if hub.state.bot not in channel.members and channel.kind != "public":
        raise SlackError("channel_not_found")
    message = hub.state.message(channel.id, arguments["message_ts"])
    return {"channel": channel.id, "permalink": permalink(hub, message)}


def permalink(hub: Hub, message: Message) -> str:
    """Build the address of a message; a reply's names its thread as well."""
    link = f"{hub.state.base_url}/archives/{message.channel}/p{message.ts.replace('.', '')}"
    if message.is_reply:
        return f"{link}?thread_ts={message.thread_ts}&cid={message.channel}"
    return link
