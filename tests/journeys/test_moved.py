"""A bot changes its place and its keys, and people in Slack notice nothing.

One thing they do notice: a bot whose key was ended stops before it records anything wrongly.
"""

from pathlib import Path

import pytest

from bot.beside import have_done
from bot.head_check import check_head
from bot.key_orders import RotateOrder
from bot.opening import begin_log, open_memory
from bot.orders import HeadOrder
from bot.relocation import relocate
from bot.workspace import enter_workspace
from storage.key_changes import KeyOffice
from storage.key_request import request_for
from storage.keys import LOG_KEY, load_key, save_key
from storage.log_setup import keys_of, open_journal
from storage.new_writer import writer_to_enrol
from storage.verify import verify_database
from tests.journeys.company import Scene, calm_stage
from tests.journeys.test_refund import FORM, approve, kinds, refunds
from workflows.errors import SigningKeyError, UnusableDatabaseError
from workflows.people import PersonId

OPERATOR = PersonId("os:operator")


def quietly(_what: str, _done: int, _total: int) -> None:
    """Tell nobody."""


def test_a_card_posted_before_the_move_is_approved_after_it(
    tmp_path: Path, blank_postgres_url: str
) -> None:
    with calm_stage(tmp_path) as stage:
        scene = Scene(stage=stage, over="socket")
        with scene.serving() as before:
            vkey = before.core.memory.vkey
            root = scene.fills("rita", "refund-customer", FORM)
            card = scene.card(root)
            outside = have_done(scene.settings, HeadOrder(), user=0)
        old = scene.settings
        relocate(old, old.database_url, blank_postgres_url, tell=quietly)
        with pytest.raises(UnusableDatabaseError, match="This log moved to"):
            open_memory(old)
        scene.database = blank_postgres_url
        notices_nothing(scene)
        with scene.serving():
            approve(scene, "ana", card)
            scene.ends(root, "done")
            written = kinds(scene)
            settled = scene.closed(card)
        report = verify_database(blank_postgres_url, [vkey], [str(outside["note"])])

    assert refunds(scene) == [500]
    assert written[-1] == "run.finished"
    assert "Reject" not in settled.buttons
    assert (report.exit, report.semantics) == (0, []), report.lines()


def notices_nothing(scene: Scene) -> None:
    """Raise if Slack shows more than the moved log has."""
    memory = open_memory(scene.settings)
    check_head(memory.database, enter_workspace(scene.settings).witness)
    memory.database.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_bot_changes_its_key_in_the_middle_of_a_run(
    tmp_path: Path, request: pytest.FixtureRequest, kind: str
) -> None:
    with calm_stage(tmp_path) as stage:
        scene = Scene(stage=stage, over="socket")
        if kind == "postgres":
            scene.database = request.getfixturevalue("blank_postgres_url")
            begin_log(scene.settings).database.close()
        with scene.serving() as bot:
            vkey, first = bot.core.memory.vkey, bot.core.memory.journal.writer.id
            root = scene.fills("rita", "refund-customer", FORM)
            card = scene.card(root)
            told = have_done(scene.settings, RotateOrder(holder="first"), user=0)
            approve(scene, "ana", card)
            scene.ends(root, "done")
            second = bot.core.memory.journal.writer.id
            assert bot.problem() is None
        report = verify_database(scene.settings.database_url, [vkey])

    assert told["served"] is True
    assert second != first
    assert refunds(scene) == [500]
    assert (report.exit, report.semantics) == (0, []), report.lines()


def test_a_bot_whose_key_was_ended_from_elsewhere_stops(
    tmp_path: Path, blank_postgres_url: str
) -> None:
    with calm_stage(tmp_path) as stage:
        scene = Scene(stage=stage, over="socket", database=blank_postgres_url)
        begun = begin_log(scene.settings)
        elsewhere = tmp_path / "elsewhere"
        save_key(elsewhere, LOG_KEY, load_key(scene.settings.home, LOG_KEY))
        fresh = writer_to_enrol(elsewhere, keys_of(begun.database))
        asked = request_for(fresh, origin=begun.journal.origin, holder="elsewhere")
        KeyOffice(begun.database, begun.journal, person=OPERATOR).enrol(asked)
        with scene.serving() as bot:
            root = scene.fills("rita", "refund-customer", FORM)
            card = scene.card(root)
            other = open_journal(begun.database, elsewhere)
            office = KeyOffice(begun.database, other, person=OPERATOR)
            office.retire(bot.core.memory.journal.writer.id)
            approve(scene, "ana", card)
            problem = scene.waits(bot.problem, "the bot's problem")
        begun.database.close()
        with pytest.raises(SigningKeyError, match="was ended: retired"):
            open_memory(scene.settings)
        report = verify_database(blank_postgres_url, [begun.vkey])

    assert "ended while it ran" in problem
    assert refunds(scene) == []
    assert report.exit == 0, report.lines()


def test_a_bot_whose_wal_was_taken_away_stops_and_the_next_one_knows_all_that_was_answered(
    tmp_path: Path,
) -> None:
    with calm_stage(tmp_path) as stage:
        scene = Scene(stage=stage, over="socket")
        with scene.serving() as bot:
            vkey = bot.core.memory.vkey
            root = scene.fills("rita", "refund-customer", FORM)
            card = scene.card(root)
            (scene.settings.home / "interlock.db-wal").unlink()
            approve(scene, "ana", card)
            approve(scene, "ana", card)
            problem = scene.waits(bot.problem, "the bot's problem")
        before = refunds(scene)
        with scene.serving() as again:
            assert again.problem() is None
            approve(scene, "ana", card)
            scene.ends(root, "done")
        report = verify_database(scene.settings.database_url, [vkey])

    assert problem == "interlock.db-wal was taken away while the bot had it open."
    assert (before, refunds(scene)) == ([], [500])
    assert (report.exit, report.semantics) == (0, []), report.lines()
