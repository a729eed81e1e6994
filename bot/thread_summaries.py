"""Makes the summary of a conversation: the run's story where it is one's thread, then the gist.

Where a language model is configured, its words come first, labelled, for whoever asks. What is
shared is what they saw, without the model's words where a message was edited or deleted since;
the outbox itself never waits for a model.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """A model's words, and the words of people that it was given."""

    given: Sequence[tuple[str, str]]
    written: Written


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
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def for_reader(self, channel: str, thread: str) -> ThreadShown:
        """Return the summary of a thread for somebody who asks, with a model's words if any.

        Raises:
            UnreadableThreadError: it cannot be read, or nobody has written there.
            SlackError: Slack did not answer.
        """
        read = self._read(channel, thread)
        shown = self._shown(read)
        said = [f"{one.author}: {one.text}" for one in read.said]
        run = self._store.outbox.run_at(channel, thread)
        found = self._models.of([*said, *shown.story], run=run)
        if found is None:
            return shown
        written = Written(sentences=found.kept, dropped=found.dropped, model=self._models.desk.name)
        self._kept[shown.key] = _Kept(given=_words(read), written=written)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return replace(shown, written=written)

    def _read(self, channel: str, thread: str, *, latest: str = "") -> Conversation:
        """Read a conversation without held secrets, before anything cuts a message into pieces."""
        read = self._reader.read(channel, thread, latest=latest)
        return replace(
            read, said=tuple(replace(one, text=self._redact(one.text)) for one in read.said)
        )

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
            read = self._read(shared.channel, shared.thread, latest=shared.latest)
            shown = self._shown(read)
        except UnreadableThreadError:
            return None
        shown = replace(shown, written=self._written_of(shown.key, read))
        sharer = who_of(str(by or ""))
        name = self._reader.name_of(sharer.user) if sharer.user else ""
        return Letter(
            channel=shared.channel,
            content=content_of(shared_summary(shown, by=replace(sharer, name=name or sharer.name))),
            thread=Place(channel=shared.channel, ts=shared.thread),
        )

    def _written_of(self, key: str, read: Conversation) -> Written | None:
        """Return a model's words, unless what it was given was edited or deleted since."""
        kept = self._kept.get(key)
        return kept.written if kept is not None and kept.given == _words(read) else None

    def _lines(self, read: Conversation) -> tuple[Line, ...]:
        return tuple(
            Line(
                author=one.author,
                text=one.text,
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


def _words(read: Conversation) -> Sequence[tuple[str, str]]:
    return [(one.ts, one.text) for one in read.said]
