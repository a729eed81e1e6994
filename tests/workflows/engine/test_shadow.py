"""A run in shadow reads and plans, changes nothing, and has people say what they did by hand."""

import pytest

from storage.shadow_sql import ShadowSql
from storage.store import SqlStore
from tests.workflows.engine.gated import of_kind, wait, with_groups
from tests.workflows.engine.trials import WRITES, activated, policy_with, runs
from tests.world import Clock, Working, id_of, policy_in
from workflows.entry import RequestId, RunId
from workflows.errors import InputsError, NotEligibleError
from workflows.moves import UNANSWERED
from workflows.questioning import Answer
from workflows.run import UNTOLD
from workflows.soak import Level

BAR = "production: {runs: 2, varied: 2, error_budget: {failures: 0, runs: 10}, shadow: [change-it]}"


@pytest.fixture
def house(store: SqlStore, clock: Clock) -> Working:
    made = Working(store, clock, definitions=(WRITES,), policy=policy_with(BAR))
    return activated(with_groups(made))


def started(house: Working, workflow: str = "change-it") -> RunId:
    run = house.start(workflow, inputs={"by": 5})
    house.settle()
    return run


def said(house: Working, run: RunId, did: str, why: str = "", *, by: str = "omar") -> None:
    asked = [one for one in house.entries(run) if one.kind == "question.asked"][-1]
    values = {"did": did, "why": why} if why else {"did": did}
    request = RequestId(str(asked.data["request"]))
    house.engine.answer(Answer(run=run, request=request, person=id_of(by), values=values))
    house.settle()


def test_it_plans_asks_for_no_approval_and_changes_nothing(house: Working) -> None:
    run = started(house)
    kinds = [one.kind for one in house.entries(run)]
    preview = house.entries(run)[-1].parts["preview"].value or b""

    assert house.status(run) == "waiting"
    assert house.entries(run)[0].data["shadow"] is True
    assert kinds[-1] == "question.asked"
    assert b"Would have: " in preview

    said(house, run, "same")

    kinds = [one.kind for one in house.entries(run)]
    assert house.world.effects == []
    assert not {"action.intended", "approval.requested"} & set(kinds)
    assert house.entries(run)[-1].data["outcome"] == "withdrawn"
    answered = next(one for one in house.entries(run) if one.kind == "question.answered")
    assert answered.data["shadow"] == "same"
    assert answered.actor.is_person


def test_only_those_asked_say_what_was_done_and_a_difference_wants_words(house: Working) -> None:
    run = started(house)

    with pytest.raises(NotEligibleError):
        said(house, run, "same", by="rita")
    with pytest.raises(InputsError, match="what was different"):
        said(house, run, "differs")

    said(house, run, "differs", "half of it")
    assert house.status(run) == "withdrawn"


def test_shadow_runs_count_for_no_level_and_are_told_apart(house: Working) -> None:
    for did in ("same", "differs"):
        said(house, started(house), did, "half of it" if did == "differs" else "")
    version = house.shelf.active("change-it").version
    soak = house.store.soak(version, most=200)
    with house.store.database.glance() as tx:
        newest, first = ShadowSql(tx).ended("change-it", version, most=200)

    assert soak is not None
    assert soak.level is Level.TRIAL
    assert soak.runs == []
    assert (first.same, first.agrees) == (("change",), True)
    assert (newest.differs, newest.agrees) == (("change",), False)


def test_a_run_of_before_stays_real_and_one_in_shadow_stays_so(house: Working) -> None:
    shadow = started(house)
    house.policy = policy_in(policy_with())
    real = runs(house)
    said(house, shadow, "same")

    assert house.status(real) == "done"
    assert house.status(shadow) == "withdrawn"
    assert house.world.effects != []


def test_whoever_says_nothing_in_time_is_recorded_as_having_said_nothing(house: Working) -> None:
    run = started(house)
    wait(house, days=8)

    told = of_kind(house, run, "decision.made")[-1].data
    assert (told["decision"], told["rule"], told["error_class"]) == ("skip", UNTOLD, UNANSWERED)
    assert house.status(run) == "withdrawn"
