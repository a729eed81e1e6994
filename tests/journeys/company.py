"""A company on a stage: Slack, targets with real data, the bot in between, and what to look for."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import pytest

import workflows
from bot import arrival, hurried, moment_words
from bot.app import Bot, build_bot
from bot.core import Means
from bot.directory import CLICK_LIMIT
from bot.opening import open_memory
from bot.settings import Settings
from bot.workspace import enter_workspace
from bot.workspaces import oauth_client
from sandbox.demo.stage import Stage, fresh_settings, staged
from sandbox.limits import ACK_SECONDS
from sandbox.person import Person
from sandbox.ports import free_port
from sandbox.seen import SeenMessage
from sandbox.server import SandboxServer

SHIPPED = Path(workflows.__file__).parent / "definitions"
PATIENCE = 90.0  # What a sender that broke off had claimed is free again after a minute.
OPS = "#ops"
TRIES = 3  # A person sends a form again that a busy bot did not take within three seconds.
CALM = 5  # How many times as long Slack waits for an answer here, and the bot for others.

LIMITS = {
    "bot.arrival.PATIENCE": arrival.PATIENCE,
    "bot.arrival.LOCK_MILLISECONDS": arrival.LOCK_MILLISECONDS,
    "bot.arrival.ASKING_SECONDS": arrival.ASKING_SECONDS,
    "bot.directory.CLICK_LIMIT": CLICK_LIMIT,
    "bot.references.CLICK_LIMIT": CLICK_LIMIT,
    "bot.hurried.SECONDS": hurried.SECONDS,
    "bot.hurried.LOOK_SECONDS": hurried.LOOK_SECONDS,
    "bot.moment_words.SECONDS": moment_words.SECONDS,
    "bot.workspaces.oauth_client.LOOK_SECONDS": oauth_client.LOOK_SECONDS,
}

T = TypeVar("T")


@contextmanager
def calm_stage(home: Path, files: Path = SHIPPED, *, times: int = CALM) -> Iterator[Stage]:
    """Open the stage with a Slack, and a bot, that wait longer than three seconds for an answer.

    A journey judges what happens, not how soon on this machine. Those about the three seconds
    are `in_three_seconds`, and look at how long each answer took.
    """
    seconds = times * ACK_SECONDS
    settings = replace(fresh_settings(), ack_seconds=seconds, trigger_seconds=seconds)
    with patient(times), staged(home, files, port=0, settings=settings) as stage:
        yield stage


def in_three_seconds() -> AbstractContextManager[None]:
    """Have the bot wait no longer than it does in production."""
    return patient(1)


@contextmanager
def patient(times: int) -> Iterator[None]:
    """Have the bot's own limits of a gesture be `times` as long."""
    with pytest.MonkeyPatch.context() as patch:
        for name, own in LIMITS.items():
            patch.setattr(name, own * times)
        yield


@dataclass(kw_only=True)
class Scene:
    """The stage with a bot on it: what journeys do there, and what they look for."""

    stage: Stage
    over: str
    database: str = ""
    more: dict[str, object] = field(default_factory=dict)  # Further settings.
    bots: list[Bot] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        slack = self.stage.slack
        chosen = {
            "home": self.stage.home,
            "workflows": self.stage.workflows,
            "policy": self.stage.policy,
            "channel": "ops",
            "database": self.database,
            "slack_api_url": slack.api_url,
            "bot_token": slack.bot_token,
            "signing_secret": slack.signing_secret,
            "app_token": slack.app_token,
            "http": f"127.0.0.1:{free_port()}" if self.over == "http" else "",
            **self.more,
        }
        return Settings.model_validate(chosen)

    @contextmanager
    def serving(self) -> Iterator[Bot]:
        """Serve as `interlock serve` does, in this process."""
        settings = self.settings
        memory = open_memory(settings)
        bot = build_bot(enter_workspace(settings), memory, Means(environment={}, live_seconds=0.1))
        try:
            for part in bot.parts:
                part.start()
            self._connect(settings)
            self.bots.append(bot)
            yield bot
        finally:
            for part in reversed(bot.parts):
                part.stop()
            memory.database.close()

    def _connect(self, settings: Settings) -> None:
        if self.over == "http":
            self.stage.slack.deliver_over_http(f"http://{settings.http}/slack/events")
        else:
            self.stage.slack.wait_for_connection(1, timeout=PATIENCE)

    def person(self, name: str) -> Person:
        return self.stage.slack.workspace.person(name)

    def fills(self, name: str, workflow: str, fields: dict[str, str]) -> SeenMessage:
        """Have somebody type the command and send the form; return the thread's first message."""
        person = self.person(name)
        known = {one.ts for one in self.roots()}
        person.command(f"/ops run {workflow}", channel=OPS)
        person.wait_for_view("")
        became = send_form(person, fields)
        return self.waits(
            lambda: next((one for one in self.roots() if one.ts not in known), None),
            f"the run's first message; {became}",
        )

    def roots(self) -> list[SeenMessage]:
        return self.stage.slack.workspace.messages(OPS)

    def thread(self, root: SeenMessage) -> list[SeenMessage]:
        return self.stage.slack.workspace.messages(OPS, thread=root)

    def card(self, root: SeenMessage) -> SeenMessage:
        """Return the open approval card in a thread, once it is there."""
        return self.waits(
            lambda: next((one for one in self.thread(root) if "Reject" in one.buttons), None),
            "an approval card",
        )

    def closed(self, card: SeenMessage) -> SeenMessage:
        """Return a card once nothing on it can be decided: it is told beside the run's end."""

        def look() -> SeenMessage | None:
            now = self.now(card)
            return None if {"Reject", "Answer"} & set(now.buttons) else now

        return self.waits(look, "a card that is closed")

    def now(self, message: SeenMessage) -> SeenMessage:
        """Return a message as it is now."""
        found = self.stage.slack.workspace.now(message)
        assert found is not None
        return found

    def ends(self, root: SeenMessage, how: str) -> str:
        """Return the first message's words once it says that the run ended so."""

        def ended() -> str | None:
            words = self.now(root).words
            # A step may be "done" long before its run is.
            return words if f" is {how} (" in words else None

        return self.waits(ended, f"the end of the run ({how})")

    def waits(self, look: Callable[[], T | None], what: str) -> T:
        """Return what `look` finds, as soon as it finds something."""
        found = self.stage.slack.workspace.wait_for(look, timeout=PATIENCE, what=what)
        assert found is not None
        return found

    def is_heard(self) -> None:
        """Return once the bot has taken up what Slack told it of people and groups."""
        self.waits(lambda: all_heard(self.stage.slack) or None, "the bot to hear of it")


def all_heard(slack: SandboxServer) -> bool:
    """Say whether the bot has taken up what Slack told it of people and groups so far."""
    return all(one.settled for one in slack.recorder.deliveries("events_api"))


def send_form(person: Person, fields: Mapping[str, str]) -> str:
    """Send the form in front, again while Slack says that it was not taken in time; say how."""
    sent = person.submit(dict(fields))
    for _ in range(TRIES - 1):
        if sent.acked and person.view is None:
            break
        sent = person.submit()
    left = person.view.words if person.view else "it closed"
    return f"the form was {sent.outcome} ({sent.failure}): {left}"
