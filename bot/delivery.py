"""Brings one message to Slack: posts it, updates it, or finds it again after a lost answer.

Says what came of it and changes nothing else; rows and consequences are for `outbox`.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, TypeAlias, TypeVar

from bot.addresses import Addresses
from bot.pacing import POST, UPDATE, Pacer, TooSoonError, Urgency
from bot.slack_client import Content, Place, SlackClient
from bot.slack_errors import (
    NOT_UPLOADED,
    SPARED,
    LostAnswerError,
    RateLimitedError,
    RefusedError,
    SlackError,
    UnreadyError,
)
from workflows.entry import Json

EVENT_TYPE = "interlock_message"
CHARTS = frozenset({"data_visualization"})  # In a phased rollout: some workspaces refuse them.
TABLES = frozenset({"data_table", "table"})
# How far back a lost post is looked for: takeovers come within minutes, restarts within days.
LOOK_BACK_SECONDS = 7 * 24 * 3600.0
MOST_LOOKED_THROUGH = 2_000

GONE = frozenset({"message_not_found"})
FROZEN = frozenset({"cant_update_message", "edit_window_closed", "block_mismatch"})
NO_THREAD = frozenset({"thread_not_found", "cannot_reply_to_message", "message_not_found"})
UNINVITED = frozenset({"not_in_channel", "channel_not_found"})
BAD_BLOCKS = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "invalid_attachments"}
)

RESET_SECONDS = 3.0  # A request whose line was cut may still be on its way.
PASSING_SECONDS = 5.0
SETTINGS_SECONDS = 60.0
INVITATION_SECONDS = 10.0
# Slack shows files a moment after it took them, so what was shared is not looked for at once.
SHARED_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that goes out with a message: how it is saved, what people read, its bytes."""

    name: str
    title: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A message on its way: where to, in which thread, where it already stands.

    `may_be_there` says that an earlier post was cut off, so Slack may have it without our
    knowing. `state` tells what it says now from what it said before. `needs_blocks` says that it
    is nothing without its buttons, `urgency` what it goes ahead of.
    """

    id: int
    subject: str
    key: str
    channel: str
    content: Content
    thread: Place | None = None
    place: Place | None = None
    may_be_there: bool = False
    state: int = 0
    needs_blocks: bool = False
    urgency: Urgency = Urgency.WORD
    log: str = ""  # Which log this is told of; two may share a channel.
    shown: Mapping[str, Json] = field(default_factory=dict)  # What of the log leaves with it.
    files: Sequence[Attachment] = ()

    @property
    def mark(self) -> dict[str, Any]:
        """Return the mark by which a lost post is found again: ids only."""
        mark = {"outbox": self.id, "subject": self.subject, "key": self.key}
        return mark | ({"log": self.log} if self.log else {})

    @property
    def metadata(self) -> dict[str, Any]:
        """Return the mark, and the head or the place in the log that the message shows."""
        return {"event_type": EVENT_TYPE, "event_payload": {**self.shown, **self.mark}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """The message stands at `place` and says what it should."""

    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """The files stand in the thread. Slack does not say where, and they stay as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """Not now; `may_be_there` must be remembered until then."""

    after: float
    error: str
    may_be_there: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Undeliverable:
    """Slack will not take it, however often it is tried."""

    error: str


Result: TypeAlias = Delivered | Attached | Later | Undeliverable
T = TypeVar("T")


@dataclass(slots=True)
class _Try:
    """What is known while one parcel is being brought."""

    may_be_there: bool


class Courier:
    """Delivers parcels with one token. Safe to share between threads."""

    def __init__(
        self,
        client: SlackClient,
        pacer: Pacer,
        addresses: Addresses,
        *,
        log: str = "",
        now: Callable[[], float] = time.time,
        awaits_invitation: Callable[[], bool] = lambda: False,
    ) -> None:
        """`awaits_invitation` says that the bot is new, and nobody may have invited it yet."""
        self._client = client
        self._pacer = pacer
        self._addresses = addresses
        self._log = log
        self._now = now
        self._awaits_invitation = awaits_invitation

    def deliver(self, parcel: Parcel, *, posting: Callable[[], None]) -> Result:
        """Bring `parcel` to Slack and say what came of it.

        `posting` is called before a post whose answer could be lost; what it notes makes the
        next process look before it posts again. If it raises, nothing is posted.
        """
        parcel = replace(parcel, log=self._log)
        known = _Try(may_be_there=parcel.may_be_there)
        try:
            return self._deliver(parcel, known, posting)
        except (TooSoonError, SlackError) as error:
            return self.result_of(error, may_be_there=known.may_be_there)

    def replies(self, place: Place) -> list[Mapping[str, Any]]:
        """Return what stands in the thread of a message, as Slack has it.

        Raises:
            SlackError, TooSoonError: it cannot be read, or not now.
        """
        self._pacer.take("conversations.replies")
        found = self._client.messages(place.channel, thread=place.ts)
        return list(islice(found, MOST_LOOKED_THROUGH))

    def result_of(self, error: Exception, *, may_be_there: bool) -> Result:
        """Return what a call that failed means for the message it was made for."""
        match error:
            case TooSoonError():
                return Later(after=error.after, error="paced", may_be_there=may_be_there)
            case RateLimitedError():
                self._pacer.slow_down(error.method, after=error.after)
                return Later(after=error.after, error=error.code, may_be_there=may_be_there)
            case LostAnswerError() if error.method in SPARED:
                return Later(after=SHARED_SECONDS, error=error.code, may_be_there=may_be_there)
            case LostAnswerError():
                return Later(after=RESET_SECONDS, error=error.code, may_be_there=may_be_there)
            case UnreadyError() if error.is_spared:
                return Undeliverable(error=error.code)
            case UnreadyError():
                is_quick = not error.needs_a_person and error.code != NOT_UPLOADED
                wait = PASSING_SECONDS if is_quick else SETTINGS_SECONDS
                return Later(after=wait, error=error.code, may_be_there=may_be_there)
            case RefusedError() if error.code in UNINVITED and self._awaits_invitation():
                return Later(after=INVITATION_SECONDS, error=error.code)
            case SlackError():
                return Undeliverable(error=error.code)
        raise error

    def _deliver(self, parcel: Parcel, known: _Try, posting: Callable[[], None]) -> Result:
        if parcel.files:
            return self._attach(parcel, known, posting)
        channel = self._addresses.postable(parcel.channel)
        place = parcel.place
        if place is None and parcel.may_be_there:
            place = self._find(parcel, channel)
            # What was found must not be posted once more, should its update have to wait.
            known.may_be_there = place is not None
        if place is None:
            return Delivered(place=self._posted(parcel, channel, known, posting))
        self._pacer.take(UPDATE, urgency=parcel.urgency)
        try:
            told = parcel.metadata if parcel.shown else None
            self._accepted(
                parcel, lambda content: self._client.update(place, content, metadata=told)
            )
        except RefusedError as error:
            if error.code not in GONE | FROZEN:
                raise
            is_frozen = error.code in FROZEN
        else:
            return Delivered(place=place)
        if is_frozen:
            return self._tell_below(replace(parcel, place=place), channel, known, posting)
        if parcel.place is not None and parcel.may_be_there:
            # It was posted anew before, and Slack's answer to that was lost.
            return self._deliver(replace(parcel, place=None), known, posting)
        return Delivered(place=self._posted(parcel, channel, known, posting))

    def _tell_below(
        self, parcel: Parcel, channel: str, known: _Try, posting: Callable[[], None]
    ) -> Result:
        """Post the news of what cannot be changed: once, though an answer may have been lost."""
        frozen, is_reply = parcel.place, parcel.thread is not None
        # At the head of a thread it keeps its place, and each of its states is told below it.
        own = parcel.key if is_reply else f"{parcel.key}@{parcel.state}"
        news = replace(parcel, thread=parcel.thread or frozen, key=own)
        there = self._find(news, channel) if known.may_be_there else None
        if there is not None and is_reply:
            return self._deliver(replace(parcel, place=there), known, posting)
        new = there or self._posted(news, channel, known, posting)
        return Delivered(place=new if is_reply or frozen is None else frozen)

    # --- posting ----------------------------------------------------------------------------

    def _posted(
        self, parcel: Parcel, channel: str, known: _Try, posting: Callable[[], None]
    ) -> Place:
        # Paced once, however often Slack wants it plainer: a version that had to wait for its
        # turn would begin with the refused one again.
        self._pacer.take(POST, channel=channel, urgency=parcel.urgency)
        place = self._noted(known, posting, lambda: self._post(parcel, channel))
        self._addresses.remember(parcel.channel, place.channel)
        return place

    @staticmethod
    def _noted(known: _Try, posting: Callable[[], None], call: Callable[[], T]) -> T:
        posting()
        known.may_be_there = True  # Until Slack answers, whatever it answers.
        try:
            return call()
        except LostAnswerError:
            raise
        except (TooSoonError, SlackError):
            known.may_be_there = False
            raise

    def _attach(self, parcel: Parcel, known: _Try, posting: Callable[[], None]) -> Attached:
        from bot.attaching import are_there, share, uploaded  # noqa: PLC0415 - once a week.

        if known.may_be_there and are_there(self._client, self._pacer, parcel):
            return Attached()
        known.may_be_there = False
        self._pacer.take(POST, channel=parcel.channel, urgency=parcel.urgency)
        titles = uploaded(self._client, self._pacer, parcel.files)
        self._noted(known, posting, lambda: share(self._client, self._pacer, titles, parcel))
        return Attached()

    def _post(self, parcel: Parcel, channel: str) -> Place:
        thread = parcel.thread.ts if parcel.thread else None
        try:
            return self._accepted(
                parcel,
                lambda content: self._client.post(
                    channel, content, thread=thread, metadata=parcel.metadata
                ),
            )
        except RefusedError as error:
            if thread is None or error.code not in NO_THREAD:
                raise
            # Somebody deleted the thread's first message: better beside it than not at all.
            return self._post(replace(parcel, thread=None), channel)

    @staticmethod
    def _accepted(parcel: Parcel, call: Callable[[Content], T]) -> T:
        """Make the call; while Slack dislikes the blocks, again with fewer of them."""
        versions = _ever_plainer(parcel)
        while True:
            content, is_last = next(versions)
            try:
                return call(content)
            except RefusedError as error:
                if is_last or error.code not in BAD_BLOCKS:
                    raise

    # --- finding ----------------------------------------------------------------------------

    def _find(self, parcel: Parcel, channel: str) -> Place | None:
        """Return where an earlier post of `parcel` stands, None if there is none.

        It is looked for behind the place that is known already.
        """
        try:
            return self._search(parcel, self._addresses.readable(channel))
        except RefusedError:
            # A place that cannot be read at all cannot have taken the post either.
            return None
        except UnreadyError as error:
            if error.needs_a_person and channel.startswith("D"):
                # Reading direct messages is an optional scope; told twice beats untold.
                return None
            raise

    def _search(self, parcel: Parcel, channel: str) -> Place | None:
        thread = parcel.thread.ts if parcel.thread else None
        self._pacer.take("conversations.replies" if thread else "conversations.history")
        messages = self._client.messages(
            channel, thread=thread, oldest=self._now() - LOOK_BACK_SECONDS
        )
        before = float(parcel.place.ts) if parcel.place is not None else 0.0
        for message in islice(messages, MOST_LOOKED_THROUGH):
            if _is_ours(message, parcel) and float(message["ts"]) > before:
                return Place(channel=channel, ts=str(message["ts"]))
        return None


def _is_ours(message: Mapping[str, Any], parcel: Parcel) -> bool:
    found = message.get("metadata") or {}
    payload = found.get("event_payload") or {}
    return found.get("event_type") == EVENT_TYPE and parcel.mark.items() <= payload.items()


def _ever_plainer(parcel: Parcel) -> Iterator[tuple[Content, bool]]:
    """Yield the content, then without charts, tables, blocks, and whether it is the last.

    A message that is nothing without its buttons keeps the rest of its blocks.
    """
    whole = parcel.content
    versions = [whole]
    for kinds in (CHARTS, CHARTS | TABLES):
        rest = [one for one in whole.blocks if one.get("type") not in kinds]
        if len(rest) < len(versions[-1].blocks):
            versions.append(replace(whole, blocks=rest))
    if versions[-1].blocks and not parcel.needs_blocks:
        versions.append(replace(whole, blocks=[]))
    yield from ((one, one is versions[-1]) for one in versions)
