"""What `interlock try` foretells of random workflows is what their runs then do, in that order.

A run of each is answered, approved and delivered; then it is tried with the answers that it had.
"""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from hypothesis import event, given, settings

from bot.rehearsal.ground import Ground
from bot.rehearsal.trying import Wish, World, tried
from tests.crash.flow_paths import runs_of
from tests.properties.drawn_policies import POLICIES, is_sound
from tests.properties.drawn_workflows import Drawn, workflows
from tests.properties.office import Office
from tests.world import NOON, NoSecrets, definition_in, id_of
from workflows.definition import Definition
from workflows.entry import RunId
from workflows.errors import InterlockError
from workflows.gate import Verdict
from workflows.instances import items_of, step_of
from workflows.orders import Ballot
from workflows.questioning import Answer as Reply
from workflows.quick_json import loaded
from workflows.rehearsal.form import Answer, Answers
from workflows.replay import replay
from workflows.run import Phase, Status, StepState

POSTED = {"channel": "C0REHEARSAL", "ts": "1.000000"}
OUTPUTS = ("output", "comment")  # The parts that later steps take a step's output from.


@settings(max_examples=500 if os.environ.get("INTERLOCK_PROPERTIES") == "long" else 12)
@given(workflows(is_sound))
def test_a_dry_run_goes_the_way_of_the_run(drawn: Drawn) -> None:
    with offices(drawn) as office, Ground() as ground:
        run = played(office, drawn.name)
        answers = answers_in(office, run)
        status, entries = office.store.run(run).status, office.house.entries(run)
        told = tried(wish_of(drawn, answers), world_of(office), ground)

    definition = definition_in(drawn.main)
    event(f"the run is {status}")
    assert (told.status is Status.DONE) == (status is Status.DONE), (told.status, told.why)
    if status is Status.DONE:
        assert in_turn(definition, replay(run, entries).steps) == in_turn(
            definition, told.state.steps
        )


@contextmanager
def offices(drawn: Drawn) -> Iterator[Office]:
    with tempfile.TemporaryDirectory(prefix="interlock-foretold-") as folder:
        office = Office(
            Path(folder),
            definitions=(drawn.main, *drawn.children),
            policy=POLICIES["calm"].text,
            branches=1,
        )
        office.world.items = [{"name": "n", "by": 1}, {"name": "n", "by": 2}]
        office.world.number = 100_000
        try:
            yield office
        finally:
            office.close()


def played(office: Office, workflow: str) -> RunId:
    """Return a run in which everybody did their part."""
    run = office.house.start(workflow, {})
    office.work()
    for _ in range(30):
        for one in runs_of(office.house):
            for name, step in replay(one, office.house.entries(one)).steps.items():
                agree(office, one, name, step)
        office.work()
        office.clock.forward(timedelta(minutes=50))
        office.work()
    return run


def agree(office: Office, run: RunId, name: str, step: StepState) -> None:
    """Approve, answer or deliver what a step waits for."""
    engine = office.house.engine
    ways: dict[Phase, Callable[[str], object]] = {
        Phase.ASKED: lambda who: engine.decide(
            Ballot(request=step.request, person=id_of(who), verdict=Verdict.APPROVE)
        ),
        Phase.QUESTIONED: lambda who: engine.answer(
            Reply(run=run, request=step.request, person=id_of(who), values={"by": 3})
        ),
        Phase.INTENDED: lambda _who: engine.delivered(run, name, output=POSTED),
    }
    way = ways.get(step.phase)
    for who in ("ana", "ben", "dora") if way is not None else ():
        with suppress(InterlockError):
            way(who)


def answers_in(office: Office, main: RunId) -> dict[str, Answers]:
    """Return what each step was answered, under the name that a test gives it."""
    found: dict[str, Answers] = {}
    for run in runs_of(office.house):
        workflow = office.store.run(run).workflow
        for entry in office.house.entries(run):
            name = str(entry.data.get("step"))
            value = next((entry.parts[one].value for one in OUTPUTS if one in entry.parts), None)
            if value is not None and entry.data.get("action") != "foreach":
                shown = name if run == main else f"{workflow}.{name}"
                found[shown] = Answer(output=loaded(value.decode()))
    return found


def wish_of(drawn: Drawn, answers: dict[str, Answers]) -> Wish:
    every = [definition_in(one) for one in (drawn.main, *drawn.children)]
    return Wish(
        workflow=drawn.name,
        definitions={one.workflow: one for one in every},
        inputs={},
        answers=answers,
        person=id_of("rita"),
        at=NOON,
        looks=False,
    )


def world_of(office: Office) -> World:
    return World(
        policy=office.house.policy,
        actions=office.house.actions,
        people=office.house.town,
        references=office.house.slack,
        secrets=NoSecrets(),
        redact=str,
    )


def in_turn(definition: Definition, steps: Iterable[str]) -> dict[object, list[str]]:
    """Return the steps of each sequence in the order in which they began.

    Branches go side by side, and which of them is first does not matter.
    """
    found: dict[object, list[str]] = {}
    for name in steps:
        place = definition.outline[step_of(name)].path[:-1]
        found.setdefault((place, items_of(name)), []).append(name)
    return found
