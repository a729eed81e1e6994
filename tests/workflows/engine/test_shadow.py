"""A run in shadow reads and plans, changes nothing, and has people say what they did by hand."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from storage.figures import read_figures
from storage.shadow_sql import ShadowSql
from storage.store import SqlStore
from tests.workflows.engine.flows import change, destructive, workflow
from tests.workflows.engine.gated import (
    assert_sound,
    forbidden_in,
    of_kind,
    trouble_of,
    wait,
    with_groups,
)
from tests.workflows.engine.trials import WRITES, activated, policy_with, runs
from tests.world import Change, ChangeWorld, Clock, NoSecrets, Working, World, id_of, policy_in
from workflows import making
from workflows.acting import act
from workflows.actions.base import Call, Effect, Happened
from workflows.actions.inert import IN_SHADOW, Inert
from workflows.actions.slack import SlackPostAction
from workflows.entry import RequestId, RunId
from workflows.errors import ActionFailedError, InputsError, NotEligibleError
from workflows.moves import UNANSWERED
from workflows.orders import Moving
from workflows.questioning import Answer
from workflows.ready import Ready
from workflows.run import UNTOLD
from workflows.segment import Next, Segment
from workflows.soak import Level
from workflows.store import Subject

BAR = "production: {runs: 2, error_budget: {failures: 0, runs: 10}, shadow: [change-it, flow]}"
EACH = workflow(
    "flow",
    "steps: [{id: look, uses: world.list, with: {name: x}}, "
    '{id: each, foreach: "${{ steps.look.output.rows }}", steps: ['
    + destructive("a", '"${{ item.by }}"')
    + "]}]",
)
ANSWER = '"${{ steps.a.output.value }}"'
RESTS = workflow("flow", f"steps: [{change('a')}, {change('b', by=ANSWER)}]")
CALLS = workflow(
    "flow", "steps: [{id: inner, workflow: child}, {id: own, workflow: change-it, inputs: {by: 5}}]"
)
POSTS = workflow(
    "flow",
    f'steps: [{change("a")}, {{id: tell, uses: slack.post, with: {{channel: "#o", text: x}}}}]',
)
CHILD = workflow("child", f"steps: [{destructive('a')}]")


def made(store: SqlStore, clock: Clock, *definitions: str, bar: str = BAR) -> Working:
    return with_groups(Working(store, clock, definitions=definitions, policy=policy_with(bar)))


@pytest.fixture
def house(store: SqlStore, clock: Clock) -> Working:
    return activated(made(store, clock, WRITES))


def started(house: Working, workflow: str = "change-it") -> RunId:
    run = house.start(workflow)
    house.settle()
    return run


def run_of(house: Working, workflow: str) -> RunId:
    """Return the one run of a workflow that another run started."""
    with house.store.database.read() as connection:
        query = f"SELECT id FROM run WHERE workflow = '{workflow}'"
        return RunId(connection.exec_driver_sql(query).scalar_one())


def said(
    house: Working,
    run: RunId,
    did: str,
    why: str = "",
    *,
    by: str = "omar",
) -> None:
    asked = of_kind(house, run, "question.asked")[-1]
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


def test_a_run_that_was_moved_forth_and_back_is_none_of_either_version(house: Working) -> None:
    run, moves = started(house), Moving(person=id_of("omar"), reason="gap", run=RunId(""))
    house.activate(WRITES.replace("undo: none", "undo: none\n  - {id: last, wait: 1h}"))
    there = house.engine.move(replace(moves, run=run))
    house.settle()
    house.engine.move(replace(moves, run=run, to=there.before))
    house.settle()
    said(house, run, "same")
    with house.store.database.glance() as tx:
        versions = (there.version, there.before)
        found = [ShadowSql(tx).ended("change-it", one, most=200) for one in versions]

    assert house.status(run) == "withdrawn"
    assert found == [[], []]


def test_a_digest_counts_them_apart_from_what_was_not_approved(house: Working) -> None:
    said(house, started(house), "same")
    cancelled = started(house)
    house.engine.cancel(cancelled, person=id_of("rita"), reason="")
    house.settle()
    period = {
        "since": house.clock() - timedelta(days=1),
        "until": house.clock() + timedelta(days=1),
    }
    with house.store.database.read() as connection:
        found = read_figures(connection, **period, places=range(0), now=house.clock())

    assert (found.shadows, found.ended, found.ended_on) == (2, Counter(), Counter())


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


def test_each_item_of_a_loop_is_told_of_and_the_gate_that_nobody_passed(
    store: SqlStore, clock: Clock
) -> None:
    house = made(store, clock, EACH)
    house.world.items = [{"name": "n", "by": 1}, {"name": "n", "by": 2}]
    run = started(house, "flow")
    said(house, run, "same")
    said(house, run, "same")
    asked = of_kind(house, run, "question.asked")

    assert [one.data["step"] for one in asked] == ["a/0", "a/1"]
    assert b"Would have asked: 1 of @leads" in (asked[0].parts["preview"].value or b"")
    assert of_kind(house, run, "approval.requested") == []
    assert (house.status(run), house.world.effects) == ("withdrawn", [])


def test_a_step_that_rests_on_an_effect_is_left_out_and_counts_as_not_told(
    store: SqlStore, clock: Clock
) -> None:
    house = made(store, clock, RESTS)
    run = started(house, "flow")
    said(house, run, "same")
    with house.store.database.glance() as tx:
        (seen,) = ShadowSql(tx).ended("flow", house.shelf.active("flow").version, most=9)

    assert house.status(run) == "withdrawn"
    assert (seen.same, seen.untold, seen.agrees) == (("a",), ("b",), False)


def test_what_a_run_in_shadow_starts_is_in_shadow_too(store: SqlStore, clock: Clock) -> None:
    house = made(store, clock, CALLS, CHILD, WRITES)
    run = started(house, "flow")
    for name in ("child", "change-it"):
        said(house, run_of(house, name), "same")

    assert house.status(run) == "withdrawn"
    assert house.world.effects == []
    assert_sound(house.store.database)


def test_a_real_run_stops_where_one_that_it_starts_did_nothing(
    store: SqlStore, clock: Clock
) -> None:
    house = made(store, clock, CALLS, CHILD, WRITES, bar=BAR.replace("flow", "child"))
    run = started(house, "flow")
    said(house, run_of(house, "child"), "same")

    assert house.status(run) == "exception"
    assert "ended withdrawn" in trouble_of(house, run)


def test_it_takes_no_lock_and_waits_for_none(store: SqlStore, clock: Clock) -> None:
    locked = WRITES.replace('run_by: ["@askers"]', 'run_by: ["@askers"]\nlock: the-number')
    house = made(store, clock, locked)
    first, second = started(house), started(house)

    assert [house.kinds(one)[-1] for one in (first, second)] == ["question.asked"] * 2


@pytest.mark.parametrize("effect", [Effect.EGRESS, Effect.WRITE, Effect.DESTRUCTIVE, None])
def test_whoever_calls_an_action_in_shadow_has_no_effect(effect: Effect | None) -> None:
    world = World()
    inert = Inert(ChangeWorld(world))
    call = Call(key="r/s", timeout=1.0, secrets=NoSecrets(), effect=effect)
    change = Change(name="x", by=1)

    for claimed in (call, replace(call, effect=Effect.READ)):
        with pytest.raises(ActionFailedError, match="no effect in shadow"):
            inert.perform(change, claimed)
    assert inert.probe(change, call) is Happened.NO
    assert (world.effects, world.number) == ([], 10)


def test_no_message_of_a_run_in_shadow_is_left_to_the_outbox() -> None:
    assert SlackPostAction().is_delivered
    assert not Inert(SlackPostAction()).is_delivered


def test_where_nobody_is_asked_by_mistake_there_is_still_no_effect_and_the_trail_tells(
    store: SqlStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def acts(segment: Segment, ready: Ready) -> Next:
        return act(segment, ready, segment.state.step(ready.step.id))

    monkeypatch.setattr(making, "ask_what_was_done", acts)
    house = made(store, clock, POSTS)
    run = started(house, "flow")
    told = [one.data["error_class"] for one in of_kind(house, run, "action.failed")]

    assert told == [IN_SHADOW, IN_SHADOW]
    assert house.world.effects == []
    left = store.outbox.claim_messages(by="test", limit=99)
    assert Subject.POST not in {one.subject for one in left}
    assert [code for code, _ in forbidden_in(store.database)] == ["shadow-effect"] * 2


def test_a_run_in_shadow_holds_no_lock_and_is_moved_all_the_same(
    store: SqlStore, clock: Clock
) -> None:
    locked = WRITES.replace("steps:\n", "lock: number\nsteps:\n", 1)
    house = activated(made(store, clock, locked))
    run = started(house)
    house.activate(locked.replace("undo: none\n", "undo: none\n  - {id: last, wait: 1h}\n"))
    moved = house.engine.move(Moving(run=run, person=id_of("omar"), reason="gap", to=""))

    assert moved.changed
    assert house.store.run(run).lock_key is None
