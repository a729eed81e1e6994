"""A digest counts as waiting for a person what waits for one, all of it and nothing else."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.digest import Digests
from bot.digest_making import Made
from bot.views.digest import details, sentence
from storage import figures
from tests.bot.shown import no_version
from tests.stores import opened
from tests.workflows.engine.flows import change, workflow
from tests.world import Clock, Working, id_of
from workflows.entry import RequestId
from workflows.questioning import Answer

PAUSE = workflow("pause", f"steps: [{{id: rest, wait: 2h}}, {change('act')}]")
ASKS = workflow(
    "asks",
    """
steps:
  - id: size
    ask: {of: ["@deciders"], question: How much?, fields: {by: {type: integer}}, expires: 4h}
""",
)
BESIDE = workflow(
    "beside",
    """
steps:
  - id: both
    parallel:
      one:
        - {id: size, ask: {of: ["@deciders"], question: Who?, fields: {who: {type: string}}}}
      two:
        - {id: rest, wait: 9h}
""",
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def house(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[Working]:
    with opened(database_url, tmp_path, clock) as store:
        yield Working(store, clock, definitions=(PAUSE, ASKS, BESIDE))


def digest(house: Working, clock: Clock) -> Made:
    return Digests(house.store, list, version=no_version, now=clock, channel="ops").look()


def told(made: Made) -> dict[str, str]:
    return {one.run: one.waits_for for one in made.shown.waiting}


def test_a_run_that_waits_for_a_time_waits_for_nobody(house: Working, clock: Clock) -> None:
    house.start("pause")
    house.settle()
    clock.forward(timedelta(minutes=1))
    made = digest(house, clock)

    assert told(made) == {}
    assert "1 open. Nothing waits for a person." in sentence(made.shown)


def test_a_question_waits_for_whom_it_was_put_to_until_somebody_answered(
    house: Working, clock: Clock
) -> None:
    run, beside = house.start("asks"), house.start("beside")
    house.settle()
    before = digest(house, clock)
    asked = next(one for one in house.entries(run) if one.kind == "question.asked")
    request = RequestId(str(asked.data["request"]))
    answer = Answer(run=run, request=request, person=id_of("ana"), values={"by": 3})
    house.engine.answer(answer)
    house.settle()

    assert told(before) == {run: "an answer", beside: "an answer"}
    assert all(one.asked for one in before.shown.waiting)
    assert told(digest(house, clock)) == {beside: "an answer"}


def test_all_that_wait_are_counted_however_few_are_listed(
    house: Working, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "MOST_LISTED", 2)
    for _ in range(5):
        house.start("asks")
    house.settle()
    made = digest(house, clock)
    chapter = details(made.shown)[0]

    assert len(made.shown.waiting) == 2
    assert "5 runs wait for a person." in sentence(made.shown)
    assert "and 3 further runs" in str(chapter.blocks)
