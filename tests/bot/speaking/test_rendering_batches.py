"""The card of a batch, also once its run goes by a version without that step."""

from bot.directory import Directory
from bot.rendering import Rendering
from bot.run_reading import RunReader
from bot.slack_client import SlackClient
from storage.store import SqlStore
from tests.bot.payload_checks import buttons_of
from tests.workflows.engine.batches import loop, open_ones, paying, policy
from tests.world import Clock, Working, id_of
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


def test_a_run_s_first_message_names_everybody_whom_its_batches_wait_for(
    store: SqlStore, client: SlackClient, clock: Clock
) -> None:
    asks = 'stages: [{from: ["%s"]}], batch: true'
    few = policy(asks % "@deciders").replace('step == "pay"', "args.by < 2")
    many = f'{{name: much, when: effect == "write" && args.by >= 2, {asks % "@directors"}}}'
    text = few.replace("}]\n", f"}}, {many}]\n")
    house = Working(store, clock, definitions=(loop("on_item_failure: continue"),), policy=text)
    house.world.items = [{"name": f"n{one}", "by": one} for one in (1, 2, 1)]
    run = house.start("pay-all")
    house.settle()
    directory = Directory(client, team="T0ACME")
    reader = RunReader(store, house.shelf, directory, workspace_url="https://acme.slack.com/")
    root = store.outbox.find(Subject.ROOT, run)
    assert root is not None
    letter = Rendering(store, reader, now=clock).render(root)
    assert letter is not None

    assert "waits for @deciders and @directors until" in letter.content.text
