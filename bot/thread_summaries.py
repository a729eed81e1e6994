"""Makes the summary of a conversation: the run's story where it is one's thread, then the gist.

Where a language model is configured, its words come first, labelled, for whoever asks. What is
shared is what they saw; the outbox itself never waits for a model.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.letters import Letter
from bot.model_summaries import ModelSummaries
from bot.places import is_place, moment_of_ts, permalink
from bot.rendering import content_of
from bot.slack_client import Place
from bot.thread_reading import Conversation, ThreadReader, UnreadableThreadError
from bot.views.thread_summary import Line, ThreadShown, Written, shared_summary
from bot.wording import who_of
from storage.outbox_values import OutboxRow
from storage.store import SqlStore
from workflows.entry import Ref, RunId
from workflows.house import Definitions
from workflows.store import Message, Subject
from workflows.summary import Story, summarise
from workflows.thread_summary import gist

MOST_STORY = 12
MOST_KEPT = 100  # Summaries of a model that were shown and may still be shared.


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedThread:
    """Which summary is shared: of which thread, up to which message."""

    channel: str
    thread: str
    latest: str

    def message(self, by: str) -> Message:
        """Return what puts it into its thread, once however often it is asked for."""
        return Message(
            subject=Subject.SUMMARY,
            key=f"{self.channel}/{self.thread}/{self.latest}",
            channel=self.channel,
            body={"by": by},
        )

    @classmethod
    def read(cls, key: str) -> "SharedThread":
        """Return what `key` names.

        Raises:
            UnreadableThreadError: it names no thread of Slack's.
        """
        channel, _, rest = key.partition("/")
        thread, _, latest = rest.partition("/")
        if not is_place(channel, thread) or not is_place(channel, latest):
            raise UnreadableThreadError("This does not say which thread it is about.")
        return cls(channel=channel, thread=thread, latest=latest)


class ThreadSummaries:
    """Summaries of threads, for the reader alone and for the outbox."""

    def __init__(
        self,
        reader: ThreadReader,
        store: SqlStore,
        definitions: Definitions,
        *,
        workspace_url: str,
        redact: Callable[[str], str],
        models: ModelSummaries,
    ) -> None:
        self._reader = reader
        self._store = store
        self._definitions = definitions
        self._workspace_url = workspace_url
        self._redact = redact
        self._models = models
        self._written: OrderedDict[str, Written] = OrderedDict()

    def for_reader(self, channel: str, thread: str) -> ThreadShown:
        """Return the summary of a thread for somebody who asks, with a model's words if any.

        Raises:
            UnreadableThreadError, SlackError: as `of`.
        """
        read = self._reader.read(channel, thread)
        shown = self._shown(read)
        said = [f"{one.author}: {one.text}" for one in read.said]
        run = self._store.outbox.run_at(channel, thread)
        found = self._models.of([*said, *shown.story], run=run)
        if found is None:
            return shown
        written = Written(sentences=found.kept, dropped=found.dropped, model=self._models.desk.name)
        self._written[shown.key] = written
        while len(self._written) > MOST_KEPT:
            self._written.popitem(last=False)
        return replace(shown, written=written)

    def of(self, channel: str, thread: str, *, latest: str = "") -> ThreadShown:
        """Return the summary of a thread, up to `latest` where it is given.

        Raises:
            UnreadableThreadError: it cannot be read, or nobody has written there.
            SlackError: Slack did not answer.
        """
        return self._shown(self._reader.read(channel, thread, latest=latest))

    def _shown(self, read: Conversation) -> ThreadShown:
        run = self._store.outbox.run_at(read.channel, read.thread)
        story = self._story(run) if run is not None else ()
        if not read.said and not story:
            raise UnreadableThreadError("Nobody has written here yet.")
        return ThreadShown(
            key=f"{read.channel}/{read.thread}/{read.latest}",
            story=story,
            lines=self._lines(read),
            messages=len(read.said),
            people=read.people,
            since=moment_of_ts(read.said[0].ts) if read.said else None,
            until=moment_of_ts(read.latest) if read.said else None,
            is_cut=read.is_cut,
        )

    def letter(self, row: OutboxRow) -> Letter | None:
        """Return a summary as it is put into its thread; None where there is none any more.

        Raises:
            SlackError: Slack did not answer.
        """
        shared = SharedThread.read(row.key)
        by = row.body.get("by") if isinstance(row.body, dict) else ""
        try:
            shown = self.of(shared.channel, shared.thread, latest=shared.latest)
        except UnreadableThreadError:
            return None
        shown = replace(shown, written=self._written.get(shown.key))
        return Letter(
            channel=shared.channel,
            content=content_of(shared_summary(shown, by=who_of(str(by or "")))),
            thread=Place(channel=shared.channel, ts=shared.thread),
        )

    def _lines(self, read: Conversation) -> tuple[Line, ...]:
        return tuple(
            Line(
                author=one.author,
                text=self._redact(one.text),
                at=moment_of_ts(one.ts),
                link=permalink(self._workspace_url, read.channel, one.ts, thread=read.thread),
            )
            for one in gist(read.said)
        )

    def _story(self, run: RunId) -> tuple[str, ...]:
        definition = self._definitions.version(self._store.run(run).version)
        with self._store.begin() as unit:
            story = Story(
                definition=definition,
                entries=unit.entries(run),
                messages=(),
                name_of=lambda ref: unit.name(Ref(ref)),
            )
            told = [self._redact(one.text) for one in summarise(story)]
        return tuple(told[-MOST_STORY:])
