"""Addresses of messages: made from where they stand, and read back; and Slack's moments."""

import re
from datetime import UTC, datetime

_CHANNEL = re.compile(r"[CDG][A-Z0-9]{2,20}")
_TS = re.compile(r"[0-9]{1,15}\.[0-9]{6}")


def is_place(channel: str, ts: str) -> bool:
    """Say whether these are a channel and a message of Slack's."""
    return bool(_CHANNEL.fullmatch(channel) and _TS.fullmatch(ts))


def moment_of_ts(ts: str) -> datetime:
    """Return the moment of one of Slack's timestamps, which name messages and time what happens."""
    return datetime.fromtimestamp(float(ts), UTC)


def permalink(workspace: str, channel: str, ts: str, *, thread: str = "") -> str:
    """Return the address of a message; a reply's names its thread as well."""
    link = f"{workspace}archives/{channel}/p{ts.replace('.', '')}"
    return f"{link}?thread_ts={thread}&cid={channel}" if thread and thread != ts else link


def is_ours(workspace: str, link: str) -> bool:
    """Say whether `link` is the address of a message of this workspace."""
    rest = link.removeprefix(f"{workspace}archives/")
    return rest != link and bool(
        re.fullmatch(r"[CDG][A-Z0-9]{2,20}/p[0-9]{7,21}(\?thread_ts=[0-9.]+&cid=[A-Z0-9]+)?", rest)
    )


def place_in(link: str) -> tuple[str, str] | None:
    """Return the channel and the thread of the message at `link`, None where it names none."""
    found = re.search(
        r"/archives/([CDG][A-Z0-9]{2,20})/p([0-9]{1,15})([0-9]{6})(?:\?thread_ts=([0-9.]+))?", link
    )
    return None if found is None else (found[1], found[4] or f"{found[2]}.{found[3]}")
