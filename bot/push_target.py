"""Where entries are pushed to, and the ways to say them: JSON lines over HTTP, or syslog.

What a target answers is never kept or logged, only what kind of trouble it was.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from bot.settings import Settings, SettingsError
from storage.evidence.derived.written import EVENTS, Event, Form

SHORT = 8
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


class PushError(Exception):
    """A target did not take a batch; the text says why, in words without secrets."""

    def __init__(self, words: str, *, after: float = 0.0) -> None:
        """Take after how many seconds it wants to be asked again, where it said so."""
        super().__init__(words)
        self.after = after


class PushTooLargeError(PushError):
    """A target takes fewer events at once."""


@dataclass(frozen=True, slots=True)
class Told:
    """One entry on its way: its kind, its time as the trail writes it, and the event."""

    kind: str
    ts: str
    event: bytes


class Target(Protocol):
    """A system that takes events."""

    def send(self, events: Sequence[Told]) -> None:
        """Hand over events; return once they are taken.

        Raises:
            PushError: they were not, or nobody knows.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """What the settings say of pushing. `name` is the address as people may read it."""

    url: str = field(repr=False)
    name: str
    authorization: str = field(repr=False)
    event: Event


def push_of(settings: Settings) -> Push | None:
    """Return what is to be pushed where, None if nothing is.

    Raises:
        SettingsError: the token would go over the network for everybody to read.
    """
    if not settings.push_url:
        return None
    parts = urlsplit(settings.push_url)
    token = settings.push_token.get_secret_value() if settings.push_token else ""
    if token and parts.scheme != "https" and parts.hostname not in LOCAL:
        raise SettingsError(
            "INTERLOCK_PUSH_TOKEN would be sent in the clear.",
            hint="Give INTERLOCK_PUSH_URL as https://…, or leave the token out.",
        )
    return Push(
        url=settings.push_url,
        name=_name(settings.push_url),
        authorization=token if " " in token or not token else f"Bearer {token}",
        event=EVENTS[Form(settings.push_format)],
    )


def _name(url: str) -> str:
    """Return an address as people may read it: some systems are let in by what stands in it."""
    parts = urlsplit(url)
    host = f"{parts.scheme}://{parts.netloc}"
    if url == host:
        return url
    return f"{host}/… ({hashlib.sha256(url.encode()).hexdigest()[:SHORT]})"


def target_of(push: Push) -> Target:
    """Return what speaks with the target."""
    if push.url.startswith("syslog:"):
        from bot.push_syslog import SyslogTarget  # noqa: PLC0415 - only who pushes so needs it.

        parts = urlsplit(push.url)
        return SyslogTarget(parts.hostname or "", parts.port or 0)
    from bot.push_http import HttpTarget  # noqa: PLC0415 - it brings httpx.

    return HttpTarget(push.url, authorization=push.authorization)
