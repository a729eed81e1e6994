"""Messages come, change and go here, whoever caused it: method, person or response URL.

Also what follows from them: who is notified with which words, and which events are told.
Whether a caller may do it is checked before, by the method or the driver.
"""

from collections.abc import Iterator

from sandbox import events
from sandbox.hub import Hub
from sandbox.loose import Json, Unchecked
from sandbox.records import Channel, Ephemeral, Message, Notification
from sandbox.wire import message_object
from sandbox.words import mentioned, readable

NO_TEXT = "This content can't be displayed."


def with_block_ids(hub: Hub, blocks: list[Json]) -> list[Json]:
    """Return the blocks as Slack stores them: each with an id of its own."""
    return [
        block if block.get("block_id") else {**block, "block_id": hub.state.next_id("", 5)}
        for block in blocks
    ]


def post(hub: Hub, channel: Channel, message: Message) -> Message:
    """Store a message, notify people and tell the app."""
    _join_thread(hub, channel, message)
    channel.messages[message.ts] = message
    if message.thread_ts is not None:
        channel.threads.setdefault(message.thread_ts, []).append(message)
    for person in _to_notify(hub, channel, message):
        _notify(hub, person, message)
    events.message_posted(hub, channel, message)
    hub.state.changed("message", channel=channel.id, ts=message.ts, thread_ts=message.thread_ts)
    return message


def _join_thread(hub: Hub, channel: Channel, message: Message) -> None:
    if message.thread_ts is None:
        return
    root = channel.messages.get(message.thread_ts)
    if root is None:
        hub.recorder.blame("thread_ts names no message of this channel", "thread_ts")
        return
    if root.is_reply:
        hub.recorder.blame("thread_ts names a reply, not the message above it", "thread_ts")
        message.thread_ts = root.thread_ts
        root = channel.messages.get(str(root.thread_ts), root)
    root.thread_ts = root.ts


def _to_notify(hub: Hub, channel: Channel, message: Message) -> list[str]:
    everyone = [one for one in channel.members if one not in {message.user, hub.state.bot}]
    if channel.kind == "im":
        return everyone
    words = [message.text, *_calling(message.blocks)]
    called = {one for text in words for one in mentioned(hub.state, text)}
    if message.is_reply:
        called |= _followers(channel, message, hub)
    return [one for one in everyone if one in called]


def _calling(node: Unchecked) -> Iterator[str]:
    """Yield the texts of blocks in which a mention calls somebody: plain text never does."""
    if isinstance(node, list):
        for one in node:
            yield from _calling(one)
    elif isinstance(node, dict):
        match node.get("type"):
            case "mrkdwn" | "markdown":
                yield str(node["text"])
            case "user":
                yield f"<@{node['user_id']}>"
            case "usergroup":
                yield f"<!subteam^{node['usergroup_id']}>"
            case "broadcast":
                yield f"<!{node['range']}>"
        for value in node.values():
            yield from _calling(value)


def _followers(channel: Channel, message: Message, hub: Hub) -> set[str]:
    root = channel.messages.get(str(message.thread_ts))
    thread = [*([root] if root else []), *channel.threads[str(message.thread_ts)]]
    authors = {one.user for one in thread}
    return authors | {one for each in thread for one in mentioned(hub.state, each.text)}


def _notify(hub: Hub, person: str, message: Message) -> None:
    hub.state.notifications.append(
        Notification(
            at=hub.state.now(),
            user=person,
            channel=message.channel,
            ts=message.ts,
            text=readable(hub.state, message.text) or NO_TEXT,
        )
    )


def edit(hub: Hub, channel: Channel, message: Message, changes: Json) -> Message:
    """Replace parts of a message; an edit notifies nobody."""
    before = message_object(hub.state, message, full_metadata=True)
    for name, value in changes.items():
        setattr(message, name, value)
    message.change += 1
    events.message_changed(hub, channel, before, message)
    hub.state.changed(
        "message_changed", channel=channel.id, ts=message.ts, thread_ts=message.thread_ts
    )
    return message


def delete(hub: Hub, channel: Channel, message: Message) -> None:
    """Take a message away; one that has replies leaves a tombstone."""
    before = message_object(hub.state, message, full_metadata=True)
    if "reply_count" in before:
        message.subtype, message.user, message.bot_id = "tombstone", "USLACKBOT", None
        message.text, message.blocks = "This message was deleted.", []
        message.metadata = None
    else:
        channel.messages.pop(message.ts)
        if message.is_reply:
            channel.threads[str(message.thread_ts)].remove(message)
    events.message_deleted(hub, channel, before)
    hub.state.changed("message_deleted", channel=channel.id, ts=message.ts)


def whisper(hub: Hub, ephemeral: Ephemeral) -> Ephemeral:
    """Show something to one person only; in a thread that has no replies nobody sees it."""
    threads = hub.state.channels[ephemeral.channel].threads
    if ephemeral.thread_ts is not None and not threads.get(ephemeral.thread_ts):
        hub.recorder.blame("nobody sees this: the thread has no replies", "an ephemeral message")
        return ephemeral
    hub.state.ephemerals.append(ephemeral)
    hub.state.changed("ephemeral", channel=ephemeral.channel, user=ephemeral.to)
    return ephemeral
