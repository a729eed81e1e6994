"""What people write in a run's thread: kept for its summary, and never taken for a decision."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.desk import Desk
from bot.one_identity import identity_of
from bot.payloads import Event
from bot.roster import person_id
from bot.said import words_of_message
from bot.secret_words import IN_A_THREAD, shows_secret
from bot.views.notice import notice
from bot.views.pieces import Rendered
from storage.unit import SqlUnit
from workflows.credentials import without_credentials
from workflows.entry import RunId
from workflows.people import PersonId
from workflows.store import Delivery
from workflows.summarising import sum_up_again

DECIDING_WORDS = re.compile(
    r"\W*(lgtm|approved?|ok(ay)?|go( ahead)?|ship it|yes|\+1|:\+1:|:white_check_mark:|👍|✅)\W*",
    re.IGNORECASE,
)
MOST_WORDS = 4_000
POINTER = (
    "✋ Words in a thread decide nothing. If you may decide this, use the buttons on the card."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Threads:
    """The listeners' part in what is said around a run."""

    desk: Desk

    def take_up(self, happened: Event) -> None:
        """Keep, change or forget a person's message in a run's thread; anything else is not ours.

        Raises:
            StorageError: it was not kept; Slack delivers the event again.
        """
        event = happened.event
        said = _message_of(event)
        if said is None:
            return
        run = self.desk.store.outbox.run_at(str(event.get("channel", "")), str(said["thread_ts"]))
        if run is None:
            return
        if event.get("subtype") == "message_deleted":
            self._forget(happened, run, str(said["ts"]))
            return
        if self._keep(happened, run, said):
            self._tell_of_secret(happened, said)
        self._point_to_the_button(happened, run, said)

    def answer_mention(self, happened: Event) -> None:
        """Say privately what can be asked. The message itself comes as an event of its own."""
        event = happened.event
        user, channel = str(event.get("user", "")), str(event.get("channel", ""))
        if user and channel and not event.get("bot_id"):
            thread = str(event.get("thread_ts", ""))
            team = str(event.get("user_team") or event.get("team") or happened.team_id)
            has_secret = shows_secret(self.desk.holds_secret, str(event.get("text", "")))
            asker = identity_of(self.desk.directory, team, user)
            shown = notice(IN_A_THREAD) if has_secret else self._help(asker)
            self.desk.hurried.whisper(channel, user, shown, thread=thread)

    def _help(self, asker: PersonId) -> Rendered:
        from bot.commands import help_for  # noqa: PLC0415 - most that is said mentions nobody.

        return help_for(self.desk, asker)

    def _keep(self, happened: Event, run: RunId, said: Mapping[str, Any]) -> bool:
        """Keep a message without the secrets in it; say whether it was news."""
        author = author_of(said, happened.team_id)
        person = self.desk.directory.person(author)
        # Half a secret is not known any more, so nothing is cut before.
        text = without_credentials(self.desk.redact(words_of_message(said)))[:MOST_WORDS]
        with self.desk.store.begin() as unit:
            if unit.is_repeat(happened.delivery) or _is_late(unit, happened, run, said):
                return False
            author_ref = unit.ref(person.id, person.name)
            unit.add_thread_message(run, str(said["ts"]), author=author_ref, text=text)
            sum_up_again(unit, run)
        return True

    def _tell_of_secret(self, happened: Event, said: Mapping[str, Any]) -> None:
        if shows_secret(self.desk.holds_secret, str(said.get("text", ""))):
            channel, thread = str(happened.event["channel"]), str(said["thread_ts"])
            told = notice(IN_A_THREAD)
            self.desk.hurried.whisper(channel, str(said["user"]), told, thread=thread)

    def _forget(self, happened: Event, run: RunId, ts: str) -> None:
        with self.desk.store.begin() as unit:
            if not unit.is_repeat(happened.delivery):
                unit.is_repeat(_message(happened, ts))
                unit.drop_thread_message(run, ts)
                sum_up_again(unit, run)

    def _point_to_the_button(self, happened: Event, run: RunId, said: Mapping[str, Any]) -> None:
        if not DECIDING_WORDS.fullmatch(str(said.get("text", "")).strip()):
            return
        with self.desk.store.begin() as unit:
            is_open = unit.open_request(run) is not None
        if is_open:
            channel, thread = str(happened.event["channel"]), str(said["thread_ts"])
            self.desk.hurried.whisper(channel, str(said["user"]), notice(POINTER), thread=thread)


def _message_of(event: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the person's threaded message that an event is about, if it is about one."""
    subtype = event.get("subtype")
    said = event
    if subtype == "message_changed":
        said = event.get("message", {})
    elif subtype == "message_deleted":
        said = event.get("previous_message", {})
    elif subtype not in (None, "thread_broadcast", "file_share"):
        return None
    return said if is_reply_of_a_person(said) else None


def is_reply_of_a_person(said: Mapping[str, Any]) -> bool:
    """Say whether a message is one that somebody wrote in a thread."""
    is_reply = said.get("thread_ts") and said.get("thread_ts") != said.get("ts")
    return bool(is_reply and said.get("user") and not said.get("bot_id"))


def author_of(said: Mapping[str, Any], team: str) -> PersonId:
    """Return who wrote a message; `team` is theirs where it names none."""
    return person_id(str(said.get("user_team") or said.get("team") or team), str(said["user"]))


def _is_late(unit: SqlUnit, happened: Event, run: RunId, said: Mapping[str, Any]) -> bool:
    """Say whether something newer about the same message was taken up before.

    Slack delivers an event again when it was not taken, maybe after the one that followed it:
    what was edited would get its old words back, and what was deleted would be kept.
    """
    ts = str(said["ts"])
    is_known = unit.is_repeat(_message(happened, ts))
    if happened.event.get("subtype") != "message_changed":
        return is_known
    is_kept = ts in {one.ts for one in unit.thread_messages(run)}
    return is_known and not is_kept


def _message(happened: Event, ts: str) -> Delivery:
    return as_taken_up(happened.team_id, str(happened.event.get("channel", "")), ts)


def as_taken_up(team: str, channel: str, ts: str) -> Delivery:
    """Return what says that the words of a message were taken up once."""
    return Delivery(team=team, kind="thread_message", key=f"{channel}/{ts}")
