"""Answers to a digest: whoever was asked says the fingerprint, and so holds that head.

Against the holder of the bot's token a digest proves nothing, since its message can be changed
unseen. What a person wrote into the thread cannot be changed by the bot.
"""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.desk import Desk
from bot.payloads import Event
from bot.places import moment_of_ts
from bot.roster import person_id
from bot.views.notice import notice
from bot.wording import code, plural
from storage.anchors import Evidence, anchored, keep_anchor
from storage.checkpoint import Checkpoint, read_note
from storage.checkpoint import fingerprint as fingerprint_of
from storage.outbox_values import MessagePlace, OutboxRow
from workflows.entry import Actor, ActorKind
from workflows.people import CLICK_AGE, Person
from workflows.store import Delivery, Subject

REPLY = "reply"
# One word alone that is about as long as a fingerprint: mistyped, or not of this digest.
# “Understood” is none: of letters like a word's there is one head in ten thousand.
ALONE = re.compile(r"[`\s]*(?![A-Z]?[a-z]+\W*$)[A-Za-z0-9+/=]{10,52}[`.\s]*")
ONLY_ASKED = "Only those whom the digest asks are recorded here. Thank you."
SIGNS = re.compile(r"[A-Za-z0-9+/=]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestReplies:
    """The listeners' part in the threads of digests."""

    desk: Desk

    def take_up(self, happened: Event) -> None:
        """Record a fingerprint that somebody answered a digest with; other words are not ours.

        Raises:
            PeopleUnreadableError: who was asked could not be read; Slack delivers it again.
            StorageError: it was not recorded; as above.
        """
        event = happened.event
        row = self._digest_of(event)
        if row is None:
            return
        words, head = str(event.get("text", "")), self._head_in(row.key)
        is_right = head is not None and _says(words, head)
        if head is None or not (is_right or ALONE.fullmatch(words)):
            return
        person = self._asked(happened)
        if person is not None and is_right:
            if self._record(happened, head, person, digest=row.key):
                self._tell(event, _recorded(head))
        elif self._is_news(happened):
            self._tell(event, ONLY_ASKED if person is None else _differs(head))

    def take_up_missed(
        self, place: MessagePlace, messages: Iterable[Mapping[str, Any]], *, team: str
    ) -> None:
        """Take up what was written below a digest before anybody knew that it stands there.

        Raises:
            PeopleUnreadableError, StorageError: as `take_up`; what was taken up stays so.
        """
        for said in messages:
            event = {**said, "channel": place.channel}
            self.take_up(Event(event_id="", team_id=team, event=event))

    def _digest_of(self, event: Mapping[str, Any]) -> OutboxRow | None:
        is_new = event.get("subtype") in (None, "thread_broadcast")
        thread, ts = str(event.get("thread_ts", "")), str(event.get("ts", ""))
        if not is_new or not event.get("user") or event.get("bot_id") or thread in ("", ts):
            return None
        row = self.desk.store.outbox.at(str(event.get("channel", "")), thread)
        return row if row is not None and row.subject is Subject.DIGEST else None

    def _head_in(self, digest: str) -> Checkpoint | None:
        kept = self.desk.digests.kept(digest)
        return None if kept is None else read_note(kept["head"]["note"]).checkpoint

    def _asked(self, happened: Event) -> Person | None:
        """Return who wrote, None if the digest does not ask them."""
        event = happened.event
        team = str(event.get("user_team") or event.get("team") or happened.team_id)
        directory = self.desk.directory
        person = directory.person(person_id(team, str(event["user"])))
        asked = (directory.members(name, max_age=CLICK_AGE) for name in self.desk.readers)
        return person if any(person.id in one for one in asked) else None

    def _is_news(self, happened: Event) -> bool:
        with self.desk.store.begin() as unit:
            return not unit.is_repeat(_message(happened))

    def _record(self, happened: Event, head: Checkpoint, person: Person, *, digest: str) -> bool:
        """Record an answer, once for each person; False if this message was taken up before."""
        evidence = _evidence(happened, head)
        with self.desk.store.begin() as unit:
            if unit.is_repeat(_message(happened)):
                return False
            actor = Actor(kind=ActorKind.USER, ref=unit.ref(person.id, person.name))
            key = f"{digest}/{actor.ref}"
            if not unit.is_repeat(Delivery(team=happened.team_id, kind="digest_reply", key=key)):
                keep_anchor(unit.transaction, head.size, evidence)
                unit.append(anchored(head.size, evidence, actor=actor))
        return True

    def _tell(self, event: Mapping[str, Any], words: str) -> None:
        channel, thread = str(event["channel"]), str(event["thread_ts"])
        self.desk.hurried.whisper(channel, str(event["user"]), notice(words), thread=thread)


def _says(words: str, head: Checkpoint) -> bool:
    """Say whether the fingerprint stands in words; whoever copies more of the line says it too."""
    root, least = base64.b64encode(head.root).decode(), fingerprint_of(head.root)
    return any(one.startswith(least) and root.startswith(one) for one in SIGNS.findall(words))


def _message(happened: Event) -> Delivery:
    """Return what says that a message was taken up, by whichever way the bot heard of it."""
    key = f"{happened.event['channel']}/{happened.event['ts']}"
    return Delivery(team=happened.team_id, kind="digest_message", key=key)


def _evidence(happened: Event, head: Checkpoint) -> Evidence:
    """Return where the answer stands, without who gave it: the entry says that."""
    event = happened.event
    told = {
        "channel": event["channel"],
        "event": happened.event_id,
        "fingerprint": fingerprint_of(head.root),
        "message_ts": event["ts"],
        "thread_ts": event["thread_ts"],
    }
    return Evidence(
        type=REPLY,
        ref=f"{event['channel']}/{event['ts']}",
        content=json.dumps(told, sort_keys=True, separators=(",", ":")).encode(),
        at=moment_of_ts(event["ts"]),
    )


def _recorded(head: Checkpoint) -> str:
    size = plural(head.size, "entry", "entries")
    return f"✅ Recorded: you hold the head of {size}. Keep this digest, in a mail for example."


def _differs(head: Checkpoint) -> str:
    return (
        "✋ That is not the fingerprint of this digest: by my log it is"
        f" {code(fingerprint_of(head.root))}. If you mistyped it, answer again. If the message"
        " above shows what you wrote, the message or the log was changed: keep what you see, and"
        " have the log checked by somebody else than whoever runs me."
    )
