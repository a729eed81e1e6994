"""A process of this release reads the stories that the one before wrote."""

import time

from sqlalchemy import text

from bot.story_reading import StoryReading
from storage.search import find
from storage.search_runs import Sought
from storage.store import SqlStore
from storage.story_words import has_unread
from tests.storage.conftest import clock, home, store
from tests.storage.test_search import runs, write

PATIENCE = 30.0

__all__ = ["clock", "home", "store"]


def test_stories_without_words_are_read_after_the_start(
    store: SqlStore,
) -> None:
    with store.begin() as unit:
        for number in range(5):
            write(unit, f"r{number}", "The request 请求被拒 was denied.")
    with store.database.begin() as tx:
        tx.connection.execute(text("UPDATE summary SET words = NULL"))
    part = StoryReading(store.database)
    part.start()
    until = time.monotonic() + PATIENCE
    while _is_unread(store) and time.monotonic() < until:
        time.sleep(0.01)
    part.stop()

    assert not _is_unread(store)
    assert runs(find(store.database, Sought(words="被拒"))) == {f"r{n}" for n in range(5)}


def _is_unread(store: SqlStore) -> bool:
    with store.database.read() as connection:
        return has_unread(connection)
