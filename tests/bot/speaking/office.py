"""An outbox under a clock that a test moves, and helpers to fill and empty it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.addresses import Addresses
from bot.builder_answers import BuilderAnswers
from bot.delivery import Attachment, Courier
from bot.directory import Directory
from bot.letters import Letter, Renderer
from bot.outbox import Consequences, Outbox, Post
from bot.pacing import Pacer
from bot.run_reading import RunReader
from bot.slack_client import Content, Place, SlackClient
from sandbox.server import SandboxServer
from storage.master_key import KeyMaster
from storage.outbox_values import REPLIES, MessagePlace, OutboxRow
from storage.sealing import Sealer, open_sealer
from storage.step_tokens import StepTokens
from storage.store import SqlStore
from tests.world import Shelf
from workflows.entry import Actor, ActorKind, Draft, Json, Part, RunId
from workflows.store import Message, NewRun, Subject

BOTH = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)
VERSION = "60892d85c61da95a16f4b2217f373eb76b5d9ef74d81f2a5983f3218cb1a70b5"


class HandClock:
    """A clock that goes on only when a test says so. It begins now, as Slack's does."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)

    def ticks(self) -> float:
        return self.at.timestamp()


@dataclass
class Wordings:
    """A renderer: what each subject says now is what a test last wrote here."""

    words: dict[tuple[Subject, str], str] = field(default_factory=dict)
    blocks: dict[tuple[Subject, str], list[Mapping[str, Json]]] = field(default_factory=dict)
    channels: dict[tuple[Subject, str], str] = field(default_factory=dict)
    follow: dict[tuple[Subject, str], list[str]] = field(default_factory=dict)
    incomplete: set[tuple[Subject, str]] = field(default_factory=set)
    patient: set[tuple[Subject, str]] = field(default_factory=set)
    over: set[tuple[Subject, str]] = field(default_factory=set)
    files: dict[tuple[Subject, str], list[Attachment]] = field(default_factory=dict)

    def render(self, row: OutboxRow) -> Letter | None:
        subject = (row.subject, row.key)
        text = self.words.get(subject, f"{row.subject} {row.key}")
        if not text:
            return None
        return Letter(
            channel=self.channels.get(subject, row.channel),
            content=Content(text=text, blocks=self.blocks.get(subject, [])),
            in_thread=row.subject in REPLIES,
            is_complete=subject not in self.incomplete,
            replies=[Content(text=one) for one in self.follow.get(subject, [])],
            may_wait=subject in self.patient,
            is_over=subject in self.over,
            files=self.files.get(subject, []),
            thread=_thread_in(row),
        )


def _thread_in(row: OutboxRow) -> Place | None:
    said = row.body if isinstance(row.body, dict) else {}
    return Place(channel=row.channel, ts=str(said["thread"])) if "thread" in said else None


@dataclass
class Ledger:
    """Consequences, written down instead of drawn."""

    done: list[tuple[str, str, Json]] = field(default_factory=list)
    lost: list[tuple[Subject, str, str]] = field(default_factory=list)
    digests: list[tuple[str, MessagePlace]] = field(default_factory=list)
    stand: list[str] = field(default_factory=list)
    heard_words: list[tuple[str, str]] = field(default_factory=list)

    def delivered(self, run: RunId, step: str, *, output: Json) -> None:
        self.done.append((run, step, output))

    def digest_stands(self, digest: str, place: MessagePlace) -> None:
        self.digests.append((digest, place))

    def head_stands(self, row: OutboxRow, place: MessagePlace) -> None:
        self.digests.append((row.key, place))

    def heard(
        self, row: OutboxRow, place: MessagePlace, messages: Sequence[Mapping[str, Any]]
    ) -> None:
        self.heard_words += [
            (row.key, str(one["text"])) for one in messages if one["ts"] != place.ts
        ]

    def stands(self, row: OutboxRow) -> None:
        self.stand.append(row.key)

    def gave_up(self, row: OutboxRow, *, error: str) -> None:
        self.lost.append((row.subject, row.key, error))


def answers_of(store: SqlStore, client: SlackClient) -> BuilderAnswers:
    """Return who tells Workflow Builder's workflows; the key that seals tokens is a test's own."""

    def opened() -> Sealer:
        return open_sealer(
            store.database, log="test", master=KeyMaster(b"k" * 32), now=datetime.now(UTC)
        )

    directory = Directory(client, team="T0ACME")
    return BuilderAnswers(
        RunReader(store, Shelf(), directory, workspace_url=""),
        client,
        StepTokens(store.database, opened),
        Pacer(time.monotonic),
        workspace_url="",
    )


class Office:
    """A store, an outbox and what they are told, in one place."""

    def __init__(self, server: SandboxServer, store: SqlStore, clock: HandClock) -> None:
        self.server = server
        self.store = store
        self.clock = clock
        self.wordings = Wordings()
        self.ledger = Ledger()
        self.outbox = self.another_process("one")

    def another_process(
        self,
        name: str,
        *,
        timeout: float = 30.0,
        live: float = 5.0,
        renders: Renderer | None = None,
        draws: Consequences | None = None,
    ) -> Outbox:
        """Return an outbox as another process on the same database would have it."""
        server = self.server
        client = SlackClient(server.bot_token, base_url=server.api_url, timeout=timeout)
        pacer = Pacer(self.clock.ticks)
        courier = Courier(client, pacer, Addresses(client, pacer), now=self.clock.ticks)
        post = Post(
            rows=self.store.outbox,
            courier=courier,
            renderer=renders or self.wordings,
            consequences=draws or self.ledger,
            answers=answers_of(self.store, client),
            name=name,
            live_seconds=live,
            now=self.clock,
            ticks=self.clock.ticks,
        )
        return Outbox(post, threads=1)

    def start_run(self, run: str = "r1", *, channel: str = "ops") -> None:
        started = Draft(
            kind="run.started",
            actor=Actor(kind=ActorKind.SCHEDULE, ref="test"),
            data={"workflow": "refund-customer", "version": VERSION, "trigger": "schedule"},
            parts={"input": Part(value=b"{}")},
            run=RunId(run),
        )
        with self.store.begin() as unit:
            unit.add_run(
                NewRun(id=RunId(run), workflow="refund-customer", version=VERSION, channel=channel)
            )
            unit.append(started)

    def send(
        self,
        subject: Subject,
        key: str,
        words: str,
        *,
        run: str | None = "r1",
        channel: str = "",
        body: Json = None,
    ) -> None:
        """Say that a subject is to be told, and how it would be told now."""
        self.wordings.words[subject, key] = words
        with self.store.begin() as unit:
            unit.send(
                Message(
                    subject=subject,
                    key=key,
                    run=None if run is None else RunId(run),
                    channel=channel,
                    body=body,
                )
            )

    def deliver(self, outbox: Outbox | None = None, *, seconds: float = 0.0) -> int:
        """Deliver all that may go; with `seconds`, move the clock on and deliver what comes."""
        count = self._until_quiet(outbox or self.outbox)
        end = self.clock.at + timedelta(seconds=seconds)
        while self.clock.at < end:
            self.clock.forward(seconds=0.5)
            count += self._until_quiet(outbox or self.outbox)
        return count

    @staticmethod
    def _until_quiet(outbox: Outbox) -> int:
        count = 0
        while outbox.deliver_next(by="hand"):
            count += 1
        return count
