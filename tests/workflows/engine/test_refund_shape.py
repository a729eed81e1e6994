"""One approved effect, from start to end."""

from tests.world import Working, id_of


def test_an_approved_step_runs_once_and_is_verified(house: Working) -> None:
    run = house.start()
    house.settle()
    house.approve(run)
    house.settle()

    assert house.status(run) == "done"
    assert house.world.effects == [f"{run}/change"]
    assert house.kinds(run) == [
        "run.started",
        "step.observed",
        "approval.requested",
        "approval.granted",
        "step.observed",
        "action.intended",
        "action.executed",
        "verification.passed",
        "run.finished",
    ]


def test_nothing_happens_before_somebody_approves(house: Working) -> None:
    run = house.start()
    house.settle()

    assert house.status(run) == "waiting"
    assert house.world.effects == []


def test_a_denied_step_never_runs(house: Working) -> None:
    run = house.start()
    house.settle()
    house.deny(run, by="ben")
    house.settle()

    assert house.status(run) == "denied"
    assert house.world.effects == []


def test_the_intent_names_the_approval_it_uses(house: Working) -> None:
    run = house.start()
    house.settle()
    house.approve(run)
    house.settle()
    intended = next(one for one in house.entries(run) if one.kind == "action.intended")
    request = house.request(run)

    assert intended.data["request"] == request.id
    assert intended.data["binding"] == request.binding
    assert request.is_consumed


def test_the_requester_is_never_among_those_asked(house: Working) -> None:
    run = house.start()
    house.settle()
    with house.store.begin() as unit:
        rita = unit.ref(id_of("rita"))
    (stage,) = house.request(run).stages

    assert rita not in stage.people
    assert len(stage.people) == 2
