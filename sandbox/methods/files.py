"""`files.*`: an upload in three steps; the second goes to an address of its own."""

from sandbox import posting
from sandbox.errors import SlackError
from sandbox.hub import Hub
from sandbox.loose import Json
from sandbox.methods.chat import bot_message, content_of, place_for_bot
from sandbox.methods.table import method
from sandbox.records import File
from sandbox.wire import file_object


@method(
    "files.getUploadURLExternal",
    required="filename length",
    optional="alt_text alt_txt snippet_type",
    scopes="files:write",
    tier=4,
)
def get_upload_url(hub: Hub, arguments: Json) -> Json:
    """Return where to send the bytes, and the file's future id."""
    if not isinstance(arguments["length"], int) or arguments["length"] <= 0:
        raise SlackError("invalid_arguments", ["[ERROR] length must be greater than 0"])
    state = hub.state
    file = File(
        id=state.next_id("F"),
        team=hub.settings.team,
        user=state.bot,
        name=arguments["filename"],
        size=arguments["length"],
        token=state.next_id("", 32),
    )
    state.files[file.id] = file
    return {"file_id": file.id, "upload_url": f"{state.base_url}/upload/v1/{file.token}"}


@method(
    "files.completeUploadExternal",
    required="files",
    optional="blocks channel_id channels initial_comment thread_ts",
    scopes="files:write",
    tier=4,
)
def complete_upload(hub: Hub, arguments: Json) -> Json:
    """Finish uploads and share them where asked."""
    wanted = arguments["files"]
    if not isinstance(wanted, list) or not wanted:
        raise SlackError(
            "invalid_arguments", ["[ERROR] must provide an array [json-pointer:/files]"]
        )
    files = [_uploaded(hub, one) for one in wanted]
    names = [arguments.get("channel_id"), *str(arguments.get("channels") or "").split(",")]
    places = [place_for_bot(hub, one) for one in names if one]
    for file, one in zip(files, wanted, strict=True):
        file.completed, file.title = True, one.get("title") or file.name
        file.channels += [place.id for place in places]
    for place in places:
        message = bot_message(
            hub,
            place,
            thread_ts=arguments.get("thread_ts") or None,
            files=[file.id for file in files],
            **_comment(hub, arguments),
        )
        posting.post(hub, place, message)
    return {"files": [{"id": file.id, "title": file.title} for file in files]}


@method(
    "files.info", required="file", optional="count cursor limit page", scopes="files:read", tier=4
)
def info(hub: Hub, arguments: Json) -> Json:
    """Return a file that the bot can see: its own, one in its forms, one in a place it is in."""
    file = hub.state.files.get(arguments["file"])
    if file is None or not file.completed or not _is_seen(hub, file):
        raise SlackError("file_not_found")
    return {"file": file_object(hub.state, file), "comments": [], "content_html": None}


def _is_seen(hub: Hub, file: File) -> bool:
    if file.in_form or file.user == hub.state.bot:
        return True
    places = [hub.state.channels[one] for one in file.channels if one in hub.state.channels]
    return any(hub.state.bot in place.members for place in places)


def _uploaded(hub: Hub, wanted: Json) -> File:
    file = hub.state.files.get(wanted.get("id", ""))
    if file is None or file.content is None:
        raise SlackError("file_not_found")
    return file


def _comment(hub: Hub, arguments: Json) -> Json:
    text, blocks = arguments.get("initial_comment") or "", arguments.get("blocks")
    if not text and not blocks:
        return {"text": ""}
    return content_of(hub, {"text": text, "blocks": blocks})


def receive(hub: Hub, token: str, content: bytes) -> bool:
    """Take the bytes of an upload; tell whether the address and the length were right."""
    with hub.state.lock:
        for file in hub.state.files.values():
            if file.token == token and not file.completed and len(content) == file.size:
                file.content = content
                return True
    return False
