"""What a model is asked to sum up of a run's thread quotes nobody any more who was erased."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from bot.model_summaries import ModelSummaries
from bot.thread_reading import Conversation, ThreadReader
from bot.thread_summaries import ThreadSummaries
from storage.message_models import OutboxRecord
from tests.storage.test_forgetting import tables_with
from tests.storage.test_retention import Kept, housed
from tests.workflows.model.playing import KEY, a_played_model
from tests.world import Clock, id_of
from workflows.model.desk import Budget, ModelDesk
from workflows.redaction import Redactor
from workflows.store import Subject
from workflows.thread_summary import Said


class Reader(ThreadReader):
    """A thread in which Rita wrote."""

    def __init__(self) -> None:
        pass

    def read(self, channel: str, thread: str, *, latest: str = "") -> Conversation:
        del latest
        said = (Said(ts="1700000001.000100", author="Rita", text="The wombat is hungry at 14:05."),)
        return Conversation(channel=channel, thread=thread, said=said)


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[Kept]:
    for kept in housed(database_url, tmp_path):
        kept.town.groups["@askers"].add("otto")
        yield kept


def test_a_question_about_a_runs_thread_goes_with_whoever_wrote_there(
    house: Kept, tmp_path: Path
) -> None:
    run = house.start(by="otto")
    house.settle()
    house.approve(run)
    house.settle()
    with house.store.begin() as unit:
        ref = unit.ref(id_of("rita"))
        unit.add_thread_message(run, "1700000001.000100", author=ref, text="hungry")
        place = {"place_channel": "C0OPS", "place_ts": "1700000000.000100"}
        root = update(OutboxRecord).where(OutboxRecord.subject == Subject.ROOT)
        unit.transaction.connection.execute(root.values(**place))
    played = a_played_model(tmp_path / "model")
    played.behave("good", "The wombat is hungry at 14:05.")
    desk = ModelDesk(
        played.model,
        budget=Budget(per_day=10**9, spent=lambda _: 0, now=Clock()),
        redact=Redactor([KEY]),
        new_id=lambda: "ab" * 16,
    )
    summaries = ThreadSummaries(
        Reader(),
        house.store,
        house.shelf,
        workspace_url="https://acme.example/",
        redact=str,
        models=ModelSummaries(desk=desk, store=house.store),
    )
    summaries.for_reader("C0OPS", "1700000000.000100")
    assert tables_with(house, "wombat") == {"audit_part"}

    house.erased(id_of("rita"))

    assert tables_with(house, "wombat") == set()
    assert house.verified().failures == []
