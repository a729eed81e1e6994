"""What people wrote below a run's first message while nobody knew yet that it stands there.

Slack tells of each reply once. Of a message whose answer was lost on the way the bot does not
know the place until it finds it again, and what is written there meanwhile belongs to no run.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from bot.directory import Directory
from bot.said import words_of_message
from bot.threads import MOST_WORDS, as_taken_up, author_of, is_reply_of_a_person
from storage.outbox_values import MessagePlace
from storage.store import SqlStore
from workflows.entry import RunId
from workflows.errors import PeopleUnreadableError
from workflows.people import PersonId
from workflows.summarising import sum_up_again


def keep_missed(
    store: SqlStore,
    directory: Directory,
    redact: Callable[[str], str],
    *,
    team: str,
    run: RunId,
    place: MessagePlace,
    messages: Iterable[Mapping[str, Any]],
) -> None:
    """Keep what people wrote in a thread, as far as it was not taken up before.

    Raises:
        StorageError: it was not kept.
    """
    for said in messages:
        if not is_reply_of_a_person(said):
            continue
        author, ts = author_of(said, team), str(said["ts"])
        name = _name(directory, author)
        text = redact(words_of_message(said))[:MOST_WORDS]
        with store.begin() as unit:
            if not unit.is_repeat(as_taken_up(team, place.channel, ts)):
                unit.add_thread_message(run, ts, author=unit.ref(author, name), text=text)
                sum_up_again(unit, run)


def _name(directory: Directory, author: PersonId) -> str:
    with suppress(PeopleUnreadableError):  # Slack says it another time; their words count now.
        return directory.person(author).name
    return ""
