"""Puts files into a thread by Slack's upload in three steps; the last one shows them all at once.

What was uploaded and never shared nobody sees, and Slack throws it away. So only the last call
could show a file twice: before it is repeated, the thread is looked through. Imported when a
message with files is delivered, and no earlier.
"""

import http.client
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any
from urllib.request import Request, urlopen

from bot.delivery import MOST_LOOKED_THROUGH, Attachment, Parcel
from bot.pacing import Pacer
from bot.slack_client import Place, SlackClient
from bot.slack_errors import NOT_UPLOADED, UnreadyError
from bot.tls import tls_for

UPLOAD, SHARE = "files.getUploadURLExternal", "files.completeUploadExternal"
UPLOAD_SECONDS = 10.0


def uploaded(client: SlackClient, pacer: Pacer, files: Sequence[Attachment]) -> dict[str, str]:
    """Hand the files in, and return their titles by the ids that Slack gave them.

    Raises:
        SlackError: nothing is to be seen of any.
        TooSoonError: as above.
    """
    return {_upload(client, pacer, one): one.title for one in files}


def _upload(client: SlackClient, pacer: Pacer, file: Attachment) -> str:
    pacer.take(UPLOAD)
    length = len(file.content)
    answer = client.ask(
        UPLOAD, lambda web: web.files_getUploadURLExternal(filename=file.name, length=length)
    )
    _send(str(answer["upload_url"]), file.content)
    return str(answer["file_id"])


def _send(url: str, content: bytes) -> None:
    """Send the bytes to where Slack wants them; the address is the permission, no token goes."""
    request = Request(url, data=content, method="POST")  # noqa: S310 - an address from Slack.
    request.add_header("Content-Type", "application/octet-stream")
    try:
        with urlopen(request, timeout=UPLOAD_SECONDS, context=tls_for(url)) as answer:  # noqa: S310 - as above.
            answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise UnreadyError("upload", NOT_UPLOADED, detail=type(error).__name__) from error


def share(client: SlackClient, pacer: Pacer, titles: Mapping[str, str], parcel: Parcel) -> None:
    """Show uploaded files below the message that the parcel's thread begins with, in one reply.

    Raises:
        SlackError: they are not to be seen, or, if its answer was lost, perhaps.
        TooSoonError: they are not to be seen.
    """
    pacer.take(SHARE)
    files: list[dict[str, str | None]] = [
        {"id": one, "title": title} for one, title in titles.items()
    ]
    client.ask(
        SHARE,
        lambda web: web.files_completeUploadExternal(
            files=files,
            channel_id=parcel.channel,
            thread_ts=parcel.thread.ts if parcel.thread else None,
            initial_comment=parcel.content.text,
        ),
    )


def are_there(client: SlackClient, pacer: Pacer, parcel: Parcel) -> bool:
    """Say whether the thread has a reply with these files by whoever began it.

    Slack takes no mark along with files. Somebody else may put a file of the same name there.
    """
    if parcel.thread is None:
        return False
    pacer.take("conversations.replies")
    root: Place = parcel.thread
    author, names = None, {one.name for one in parcel.files}
    messages = client.messages(root.channel, thread=root.ts)
    for message in islice(messages, MOST_LOOKED_THROUGH):
        if message.get("ts") == root.ts:
            author = message.get("user")
        elif message.get("user") == author and names <= _names(message):
            return True
    return False


def _names(message: Mapping[str, Any]) -> set[str]:
    return {str(one.get("name", "")) for one in message.get("files") or ()}
