"""A digest asks for its fingerprint, and what people answer is kept as an anchor."""

import json
import shutil
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bot.app import Bot
from bot.head_check import check_head
from bot.opening import begin_log, open_memory
from bot.workspace import enter_workspace
from sandbox import faults as fault
from sandbox.seen import SeenMessage
from storage.anchors import read_anchors
from storage.checkpoint import read_note
from storage.digests import given_up
from storage.heads import head
from storage.history import read_entries
from storage.journal import utc_now
from storage.store import SqlStore
from tests.journeys.company import Scene, calm_stage
from tests.storage.machines import FACT
from workflows.entry import Entry
from workflows.errors import UnusableDatabaseError
from workflows.store import Subject


def posted(scene: Scene, bot: Bot, *, week: int) -> SeenMessage:
    """Have the digest of a week made, and return its message."""
    known, stood = {one.ts for one in scene.roots()}, len(entries(bot, "digest.posted"))
    bot.core.digests.post(at=utc_now() + timedelta(weeks=week))
    bot.outbox.nudge()
    until(lambda: len(entries(bot, "digest.posted")) > stood)
    return next(one for one in scene.roots() if one.ts not in known)


def until(is_so: Callable[[], bool]) -> None:
    """Wait for what only the database shows."""
    pause = threading.Event()
    while not is_so():
        pause.wait(0.02)


def entries(bot: Bot, kind: str) -> list[Entry]:
    with bot.core.memory.database.read() as connection:
        found = read_entries(connection, 0, head(connection).size)
    return [one for one in found if one.kind == kind]


def is_given_up(bot: Bot) -> bool:
    with bot.core.memory.database.read() as connection:
        return bool(given_up(connection, most=1))


def fingerprint_in(message: SeenMessage) -> str:
    assert message.metadata is not None
    return str(message.metadata["event_payload"]["note"]).split("\n")[2][:12]


def test_an_answer_with_the_fingerprint_is_kept_and_another_one_is_told(scene: Scene) -> None:
    dora, rita = scene.person("dora"), scene.person("rita")
    with scene.serving() as bot:
        first = posted(scene, bot, week=0)
        right = fingerprint_in(first)
        wrong = right[:-1] + ("B" if right.endswith("A") else "A")
        dora.say(wrong, thread=first)
        differs = dora.wait_for_ephemeral("not the fingerprint").words
        rita.say(right, thread=first)
        rita.wait_for_ephemeral("Only those whom the digest asks")
        dora.say("looks fine to me", thread=first)
        dora.say("Understood", thread=first)
        dora.say(f"here it is: `{right}`", thread=first)
        dora.wait_for_ephemeral("Recorded: you hold the head of")
        dora.say(right, thread=first)
        warned = [one for one in dora.ephemerals if "not the fingerprint" in one.words]
        (told,) = entries(bot, "checkpoint.anchored")
        with bot.core.memory.database.read() as connection:
            (anchor,) = read_anchors(connection, most=10)
        second = posted(scene, bot, week=1)
        places = entries(bot, "digest.posted")

    note = read_note(str((first.metadata or {})["event_payload"]["note"]))
    assert "@governors, please answer in this thread" in first.words
    assert right in first.words
    assert right in differs
    assert len(warned) == 1
    assert (told.data["type"], told.data["size"]) == ("reply", note.checkpoint.size)
    assert told.actor.is_person
    assert anchor.size == note.checkpoint.size
    assert "The digest before this one" in second.words
    assert first.ts.replace(".", "") in json.dumps(second.blocks)
    assert [one.data["previous"] for one in places] == [None, places[0].id]
    assert "a person's reply" in second.words


def test_an_answer_counts_that_was_given_before_the_bot_knew_that_its_digest_stands(
    scene: Scene,
) -> None:
    dora, ivan, slack = scene.person("dora"), scene.person("ivan"), scene.stage.slack
    with scene.serving() as bot:
        known = {one.ts for one in scene.roots()}
        slack.faults.next("chat.postMessage", fault.lose_answer())
        slack.faults.next("conversations.history", fault.rate_limited(2))
        bot.core.digests.post(at=utc_now())
        bot.outbox.nudge()
        lost = scene.waits(
            lambda: next((one for one in scene.roots() if one.ts not in known), None), "the digest"
        )
        right = fingerprint_in(lost)
        dora.say(right, thread=lost)
        ivan.say(right[:-1] + ("B" if right.endswith("A") else "A"), thread=lost)
        ivan.say("looks fine", thread=lost)
        until(lambda: bool(entries(bot, "digest.posted")))
        dora.wait_for_ephemeral("Recorded: you hold the head of")
        ivan.wait_for_ephemeral("not the fingerprint")
        dora.say(right, thread=lost)
        until(lambda: len([one for one in dora.ephemerals if "Recorded" in one.words]) > 1)
        told = entries(bot, "checkpoint.anchored")

    assert [one.data["type"] for one in told] == ["reply"]
    assert len([one for one in ivan.ephemerals if "not the fingerprint" in one.words]) == 1
    assert len(scene.roots()) == len(known) + 1


def test_whoever_copies_the_whole_line_of_the_note_has_said_the_fingerprint(scene: Scene) -> None:
    dora = scene.person("dora")
    with scene.serving() as bot:
        first = posted(scene, bot, week=0)
        note = str((first.metadata or {})["event_payload"]["note"])
        line = note.split("\n")[2]
        changed = line[:20] + ("B" if line[20] == "A" else "A") + line[21:]
        dora.say(changed, thread=first)
        dora.wait_for_ephemeral("not the fingerprint")
        dora.say(line, thread=first)
        dora.wait_for_ephemeral("Recorded: you hold the head of")
        (told,) = entries(bot, "checkpoint.anchored")

    assert told.data["type"] == "reply"


@pytest.mark.parametrize("how", ["left", "archived"])
def test_a_digest_that_the_channel_did_not_take_follows_the_next_one_that_it_takes(
    scene: Scene, how: str
) -> None:
    workspace = scene.stage.slack.workspace
    with scene.serving() as bot:
        outbox = bot.core.store.outbox
        first = posted(scene, bot, week=0)
        if how == "left":
            workspace.leave("interlock", "ops")
        else:
            workspace.archive("ops")
        lost = bot.core.digests.post(at=utc_now() + timedelta(weeks=1))
        bot.outbox.nudge()
        until(lambda: is_given_up(bot))
        workspace.join("interlock", "ops")
        workspace.channel("ops").archived = False
        second = posted(scene, bot, week=2)
        until(lambda: outbox.place_of(Subject.DIGEST, lost.id) is not None)
        until(lambda: len(entries(bot, "digest.posted")) == 3)
        places = [one.data["from"] for one in entries(bot, "digest.posted")]
        late = next(one for one in scene.roots() if one.ts not in (first.ts, second.ts))

    assert scene.stage.slack.recorder.faults == []
    assert late.ts > second.ts
    assert places[0] < places[2] < places[1]


def test_a_log_with_another_history_than_a_digest_shows_is_refused(tmp_path: Path) -> None:
    with calm_stage(tmp_path) as stage:
        scene = Scene(stage=stage, over="socket")
        begin_log(scene.settings).database.close()
        file, backup = stage.home / "interlock.db", tmp_path / "backup.db"
        shutil.copy(file, backup)
        with scene.serving() as bot:
            posted(scene, bot, week=0)
        shutil.copy(backup, file)
        memory = open_memory(scene.settings)
        store = SqlStore(memory.database, memory.journal)
        witness = enter_workspace(scene.settings).witness
        for _ in range(60):
            with store.begin() as unit:
                unit.append(FACT)
        with pytest.raises(UnusableDatabaseError, match="Slack shows another history"):
            check_head(memory.database, witness)
        memory.database.close()


def test_the_head_of_a_day_guards_against_an_older_copy_as_well(tmp_path: Path) -> None:
    with calm_stage(tmp_path) as stage:
        scene = Scene(stage=stage, over="socket")
        begin_log(scene.settings).database.close()
        file, backup = stage.home / "interlock.db", tmp_path / "backup.db"
        shutil.copy(file, backup)
        with scene.serving() as bot:
            assert bot.core.heads.post(utc_now())
            until(lambda: bool(entries(bot, "checkpoint.anchored")))
            (told,) = entries(bot, "checkpoint.anchored")
        shutil.copy(backup, file)
        memory = open_memory(scene.settings)
        with SqlStore(memory.database, memory.journal).begin() as unit:
            unit.append(FACT)
        with pytest.raises(UnusableDatabaseError, match="Slack shows a head of"):
            check_head(memory.database, enter_workspace(scene.settings).witness)
        memory.database.close()

    assert told.data["type"] == "slack"
