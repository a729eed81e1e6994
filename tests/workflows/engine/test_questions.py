"""A step may ask people something; the first fitting answer counts, and the run goes on with it."""

from datetime import timedelta

import pytest

from bot.explained_run import Looked
from storage.database import Database
from storage.store import SqlStore
from tests.workflows.engine.flows import destructive, workflow
from tests.workflows.engine.gated import assert_sound
from tests.world import POLICY, Clock, Working, definition_in, id_of
from workflows.entry import RequestId, RunId
from workflows.errors import (
    InputsError,
    NotEligibleError,
    PeopleUnreadableError,
    RequestClosedError,
)
from workflows.explaining import Given
from workflows.questioning import Answer
from workflows.separation import Duty
from workflows.step_scope import StepScopes

ASKS = workflow(
    "asks",
    """
steps:
  - id: size
    ask:
      of: ["@deciders"]
      question: "How much, for ${{ run.workflow }}?"
      fields:
        by: {type: integer, minimum: 1, maximum: 9}
        why: {type: string, required: false}
      expires: 4h
  - id: act
    when: steps.size.output.by > 1
    uses: world.change
    with: {name: number, by: "${{ steps.size.output.by }}"}
""",
)


GATED = workflow(
    "asks",
    """
steps:
  - id: size
    ask: {of: ["@deciders"], question: How much?, fields: {by: {type: integer}}}
  - id: unheard
    ask: {of: ["@directors"], question: Who told them?, fields: {who: {type: string}}}
  - id: each
    foreach: "${{ [steps.size.output.by] }}"
    as: one
    steps:
"""
    "      - " + destructive("act", '"${{ one }}"'),
)


@pytest.fixture
def house(store: SqlStore, clock: Clock) -> Working:
    return Working(store, clock, definitions=(ASKS,))


@pytest.fixture
def run(house: Working) -> RunId:
    run = house.start("asks")
    house.settle()
    return run


def answers(house: Working, run: RunId, values: dict[str, object], *, by: str = "ana") -> None:
    asked = [one for one in house.entries(run) if one.kind == "question.asked"]
    request = RequestId(str(asked[-1].data["request"]))
    house.engine.answer(Answer(run=run, request=request, person=id_of(by), values=values))
    house.settle()


def test_whoever_answered_what_a_step_rests_on_does_not_decide_it(
    store: SqlStore, clock: Clock, database: Database
) -> None:
    policy = POLICY.replace('["@deciders"]', '["@deciders", "@directors"]')
    house = Working(store, clock, definitions=(GATED,), policy=policy)
    run = house.start("asks")
    house.settle()
    answers(house, run, {"by": 7}, by="ana")
    answers(house, run, {"who": "sam"}, by="dora")

    with pytest.raises(NotEligibleError, match="You answered what this rests on"):
        house.approve(run, by="ana")
    house.approve(run, by="dora")  # On what she said nothing rests.
    house.settle()
    assert house.status(run) == "done"
    assert_sound(database)


def test_an_explanation_leaves_them_out_too(house: Working) -> None:
    definition = definition_in(GATED)
    told = [("size", id_of("ana")), ("unheard", id_of("dora"))]
    given = Given(inputs={}, requester="@rita", at=house.clock())
    looked = Looked(definition=definition, given=given, answers=told)

    assert looked.bound_at("act", StepScopes(definition, house.actions)) == {
        id_of("ana"): Duty.ANSWERER
    }


def test_the_run_waits_and_goes_on_with_the_answer(house: Working, run: RunId) -> None:
    preview = house.entries(run)[-1].parts["preview"].value

    assert house.status(run) == "waiting"
    assert preview is not None
    assert b"How much, for asks?" in preview

    answers(house, run, {"by": "7"})

    assert house.status(run) == "done"
    assert house.world.number == 17


def test_the_answer_decides_what_is_done(house: Working, run: RunId) -> None:
    answers(house, run, {"by": 1})

    assert house.status(run) == "done"
    assert house.world.effects == []


@pytest.mark.parametrize("values", [{}, {"by": 0}, {"by": "many"}, {"by": 2, "odd": 1}])
def test_an_answer_that_does_not_fit_is_refused_field_by_field(
    house: Working, run: RunId, values: dict[str, object]
) -> None:
    with pytest.raises(InputsError):
        answers(house, run, values)

    assert house.status(run) == "waiting"


def test_only_who_was_asked_and_still_belongs_there_may_answer(house: Working, run: RunId) -> None:
    house.town.groups["@deciders"] |= {"zoe"}
    house.town.groups["@deciders"] -= {"ana"}
    for name in ("omar", "zoe", "ana"):
        with pytest.raises(NotEligibleError):
            answers(house, run, {"by": 2}, by=name)

    assert house.status(run) == "waiting"


def test_who_may_not_answer_and_that_it_is_over_is_told_before_the_values_are_judged(
    house: Working, run: RunId
) -> None:
    asked = RequestId(str(house.entries(run)[-1].data["request"]))
    wrong = {"by": "many"}
    before = house.kinds(run)
    for name in ("omar", "dora"):
        with pytest.raises(NotEligibleError, match="not among"):
            answers(house, run, wrong, by=name)
        with pytest.raises(NotEligibleError, match="not among"):
            house.engine.may_answer(run, asked, person=id_of(name))
    house.engine.may_answer(run, asked, person=id_of("ana"))
    assert house.kinds(run) == before

    answers(house, run, {"by": 2}, by="ben")
    for name in ("ana", "omar"):
        with pytest.raises(RequestClosedError):
            answers(house, run, wrong, by=name)
        with pytest.raises(RequestClosedError):
            house.engine.may_answer(run, asked, person=id_of(name))


def test_groups_that_cannot_be_read_are_told_before_the_values_are_judged(
    house: Working, run: RunId
) -> None:
    house.town.shows_groups = False

    with pytest.raises(PeopleUnreadableError):
        answers(house, run, {"by": "many"})


def test_the_first_answer_counts(house: Working, run: RunId) -> None:
    answers(house, run, {"by": 2}, by="ben")
    with pytest.raises(RequestClosedError):
        answers(house, run, {"by": 3}, by="ana")

    assert house.world.number == 12


def test_a_question_nobody_answers_needs_the_owner_who_may_ask_again(
    house: Working, run: RunId, clock: Clock
) -> None:
    clock.forward(timedelta(hours=5))
    with pytest.raises(RequestClosedError):
        answers(house, run, {"by": 2})
    house.settle()

    stopped = house.entries(run)[-1]

    assert house.status(run) == "exception"
    assert stopped.data["rule"] == "unanswered"
    assert stopped.parts["reason"].value == b"Nobody answered in time."

    house.engine.settle_exception(run, "size", person=id_of("omar"), answer="retry")
    house.settle()
    answers(house, run, {"by": 2})

    assert house.status(run) == "done"


def test_a_run_that_is_cancelled_takes_no_answer(house: Working, run: RunId) -> None:
    house.engine.cancel(run, person=id_of("rita"), reason="no need")
    with pytest.raises(RequestClosedError):
        answers(house, run, {"by": 2})

    assert house.status(run) == "cancelled"


def test_with_nobody_to_ask_the_run_says_so(house: Working) -> None:
    house.town.groups["@deciders"] = set()
    run = house.start("asks")
    house.settle()

    assert house.status(run) == "exception"
