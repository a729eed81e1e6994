"""Below a digest stands all of it as files: a page that opens, and its figures."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from click.testing import CliRunner

from bot.app import Bot
from bot.cli import main
from bot.digest_files import figures_of, page_of
from sandbox.records import File
from sandbox.seen import SeenMessage
from storage.outbox_values import MessagePlace
from tests.journeys.company import PATIENCE, Scene, calm_stage
from tests.journeys.test_digest_answers import entries, posted, until
from workflows.store import Subject


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with calm_stage(tmp_path) as stage:
        yield Scene(stage=stage, over="socket")


def files_below(scene: Scene, root: SeenMessage) -> list[File]:
    known = scene.stage.slack.hub.state.files
    return [known[one] for message in scene.thread(root) for one in message.files]


def gave_up(bot: Bot) -> list[object]:
    return [one.data["purpose"] for one in entries(bot, "outbox.delivery_failed")]


def again(bot: Bot, digest: str, root: SeenMessage) -> None:
    """Say once more that a digest stands, as after a kill between that and its mark."""
    place = MessagePlace(channel=root.channel, ts=root.ts)
    bot.core.digests.posted(digest, place, team="T0ACME")
    bot.outbox.nudge()

    def is_done() -> bool:
        row = bot.core.store.outbox.find(Subject.DIGEST_FILES, digest)
        return row is not None and row.done == row.wanted > 1

    until(is_done)


def prints(scene: Scene, page: Path, patch: pytest.MonkeyPatch) -> Mapping[str, Any]:
    """Have a digest posted by hand, and return what that prints; `page` gets the page."""
    patch.setenv("INTERLOCK_HOME", str(scene.stage.home))
    done = CliRunner().invoke(main, ["digest", "--post", "--html", str(page), "--json"])
    told: Mapping[str, Any] = json.loads(done.output)
    return told


def test_the_thread_of_a_digest_has_it_as_files_once_the_app_may_write_them(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    state, html = scene.stage.slack.hub.state, tmp_path / "digest.html"
    granted = state.scopes
    with scene.serving() as bot:
        state.scopes = granted - {"files:write"}
        bare = posted(scene, bot, week=-1)
        until(lambda: bool(gave_up(bot)))
        state.scopes = granted
        printed = prints(scene, html, monkeypatch)
        root = scene.waits(
            lambda: next((one for one in scene.roots() if one.ts != bare.ts), None), "the digest"
        )
        until(lambda: len(files_below(scene, root)) == 2)
        page, data = files_below(scene, root)
        made = bot.core.digests.drawn(printed["digest"])
        again(bot, printed["digest"], root)
    address = f"{state.base_url}/files/{page.id}/{page.name}"
    with urlopen(address, timeout=PATIENCE) as opened:
        shown, kind = opened.read(), opened.headers["Content-Type"]

    assert made is not None
    assert scene.stage.slack.recorder.faults == []
    assert files_below(scene, bare) == []
    assert files_below(scene, root) == [page, data]
    assert "files:write" in caplog.text
    assert "Slack refuses what the bot asks" not in caplog.text
    assert shown == page.content == html.read_bytes() == page_of(made.shown).content
    assert kind.startswith("text/html")
    assert data.content == figures_of(made.shown, made.figures).content
    assert json.loads(data.content).items() <= printed.items()
    assert scene.thread(root)[-1].text.startswith("The whole of this digest")
    assert (page.title, data.name[-5:]) == ("The digest as a page", ".json")
