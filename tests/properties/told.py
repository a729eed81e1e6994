"""Everything that is said of runs, said: messages, timelines, stories, the queue of exceptions.

`say_all` raises where something cannot be said, and where Slack would not take it.
"""

import json
from collections.abc import Iterator

from bot.cli.moments import moment_data, moment_lines
from bot.entry_words import words_about
from bot.exception_queue import queued
from bot.rendering import Rendering
from bot.run_reading import RunReader
from bot.summary_words import summary_words
from bot.timeline import actors_in, timeline
from bot.wording import Who
from storage.history import read_run
from storage.listing import people_of
from storage.outbox_values import OutboxRow
from storage.refusals import read_beside
from storage.summaries import read_summary
from tests.bot.payload_checks import faults_of_message
from tests.properties.office import Office
from workflows.entry import RunId
from workflows.store import Subject


class Names:
    """A directory that knows every group and person by the name it is given."""

    def who(self, name: str) -> Who:
        return Who(name=name.removeprefix("@"))


def say_all(office: Office, runs: list[RunId]) -> None:
    """Say whatever can be said of these runs as they stand now."""
    for run in runs:
        say_run(office, run)
    queued(office.database, office.house.shelf.version)
    reader = RunReader(
        office.store,
        office.house.shelf,
        Names(),  # type: ignore[arg-type]  # All that is asked of a directory here.
        workspace_url="https://acme.slack.com/",
    )
    rendering = Rendering(office.store, reader, now=office.clock)
    for row in outbox_rows(office):
        letter = rendering.render(row)
        if letter is not None:
            payload = {"text": letter.content.text, "blocks": list(letter.content.blocks)}
            assert faults_of_message(payload) == [], (row.subject, row.key)


def say_run(office: Office, run: RunId) -> None:
    """Say of one run what the command line says."""
    with office.database.read() as connection:
        entries = read_run(connection, run)
        summary = read_summary(connection, run, of=entries)
        refused = read_beside(connection, run, of=entries)
    moments = timeline(entries, refused)
    known = people_of(office.database, actors_in(moments))
    lines = [line for one in moments for line in moment_lines(one, known)]
    assert len(lines) >= len(entries)
    assert all(words_about(one).strip() for one in entries)
    assert json.dumps([moment_data(one, known) for one in moments])
    ended = entries[-1].kind in ("run.finished", "run.cancelled")
    if ended and not any(one.kind.value == "summarise" for one in office.house.due(run)):
        assert summary_words(summary)


def outbox_rows(office: Office) -> Iterator[OutboxRow]:
    """Yield what waits in the outbox, and what was told."""
    with office.database.read() as connection:
        found = connection.exec_driver_sql("SELECT subject, key FROM outbox ORDER BY id")
        every = [(Subject(subject), str(key)) for subject, key in found]
    for subject, key in every:
        row = office.store.outbox.find(subject, key)
        assert row is not None
        yield row
