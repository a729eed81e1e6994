"""The card of a batch, also once its run goes by a version without that step."""

from bot.directory import Directory
from bot.rendering import Rendering
from bot.run_reading import RunReader
from bot.slack_client import SlackClient
from storage.store import SqlStore
from tests.bot.payload_checks import buttons_of
from tests.workflows.engine.batches import loop, open_ones, paying
from tests.world import Clock, id_of
from workflows.orders import Moving
from workflows.store import Subject


def test_a_batch_whose_run_was_moved_to_a_version_without_that_step_is_shown_as_withdrawn(
    store: SqlStore, client: SlackClient, clock: Clock
) -> None:
    house, run = paying(store, clock)
    first = open_ones(house, run)[0]
    directory = Directory(client, team="T0ACME")
    reader = RunReader(store, house.shelf, directory, workspace_url="https://acme.slack.com/")
    rendering = Rendering(store, reader, now=clock)
    row = store.outbox.find(Subject.CARD, str(first.card))
    assert row is not None
    before = rendering.render(row)
    house.shelf.put(loop("on_item_failure: continue").replace("id: pay", "id: pay_it"))
    house.engine.move(Moving(run=run, person=id_of("omar"), reason="It has a better name."))
    after = rendering.render(row)
    assert before is not None
    assert after is not None

    assert buttons_of({"blocks": list(before.content.blocks)})
    assert not buttons_of({"blocks": list(after.content.blocks)})
