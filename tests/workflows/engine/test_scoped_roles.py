"""Roles for some workflows: no way around leads a runner of one workflow to another."""

from datetime import timedelta

import pytest

from storage.store import SqlStore
from tests.crash.flow_paths import runs_of
from tests.workflows.engine.flows import change, workflow
from tests.workflows.engine.gated import assert_sound, of_kind, trouble_of, with_groups
from tests.world import NOON, Clock, Working, id_of, policy_in
from workflows.entry import RunId
from workflows.errors import NotAllowedError
from workflows.orders import Start
from workflows.scheduling import NewSchedule
from workflows.triggers import Once

OURS = workflow("ours", "steps: [{id: alias, workflow: theirs}]")
THEIRS = workflow("theirs", f"steps: [{change('a')}]")
NARROW = """
defaults: {expires: 24h}
roles:
  governors: ["@directors"]
  runners: [{to: "@askers", workflows: [ours]}]
  auditors: [{to: "@security", workflows: [theirs]}]
rules: [{name: r, when: effect == "write", stages: [{from: ["@leads", "@security"]}]}]
"""
WIDE = NARROW.replace("[ours]", '[ours, "the*"]')
REFUSED = "This needs the role runner for theirs"


@pytest.fixture
def house(store: SqlStore, clock: Clock) -> Working:
    return with_groups(Working(store, clock, definitions=(OURS, THEIRS), policy=NARROW))


def started(house: Working, name: str = "ours") -> RunId:
    run = house.start(name)
    house.settle()
    return run


def test_a_workflow_that_starts_another_does_not_lend_its_runners_that_one(house: Working) -> None:
    run = started(house)

    assert house.status(run) == "exception"
    assert REFUSED in trouble_of(house, run)
    assert runs_of(house) == [run]
    assert house.world.effects == []

    house.policy = policy_in(WIDE)
    house.engine.settle_exception(run, "alias", person=id_of("omar"), answer="retry")
    house.settle()
    assert house.status(run) == "waiting"
    assert_sound(house.store.database)


@pytest.mark.parametrize("trigger", ["slash", "form", "shortcut", "schedule", "webhook", "agent"])
def test_whatever_starts_it_in_their_name_is_refused(house: Working, trigger: str) -> None:
    order = Start(workflow="theirs", inputs={}, trigger=trigger, person=id_of("rita"))

    with pytest.raises(NotAllowedError, match=REFUSED):
        house.engine.start(order)


def test_a_schedule_is_refused_when_it_is_set(house: Working) -> None:
    when = Once(at=NOON + timedelta(hours=3), timezone="UTC")
    wanted = NewSchedule(id="t/1", workflow="theirs", inputs={}, when=when, person=id_of("rita"))

    with pytest.raises(NotAllowedError, match=REFUSED):
        house.engine.set_schedule(wanted)


def test_an_auditor_decides_nothing_there_and_elsewhere_what_they_are_asked(
    house: Working,
) -> None:
    house.policy = policy_in(WIDE)
    run = started(house, "theirs")
    (request,) = of_kind(house, run, "approval.requested")

    assert request.data["exclude"] == ["@security"]
    with pytest.raises(NotAllowedError, match="You are an auditor"):
        house.approve(run, by="sue")

    house.policy = policy_in(WIDE.replace("workflows: [theirs]", "workflows: [others]"))
    other = started(house, "theirs")
    house.approve(other, by="sue")
    house.settle()
    assert house.status(other) == "done"
