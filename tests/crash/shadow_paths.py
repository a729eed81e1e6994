"""The ways of runs in shadow: wherever the process ends, nothing changes, and the end says so."""

from collections.abc import Mapping

from tests.crash.flow_paths import CHILD, runs_of
from tests.crash.paths import Fleeting, Outside, Path, started
from tests.fuse import Fuse
from tests.workflows.engine.flows import workflow
from tests.world import POLICY, Working, id_of
from workflows.entry import RunId
from workflows.questioning import Answer
from workflows.replay import replay
from workflows.run import Phase
from workflows.shadow_question import DID, Did
from workflows.store import Subject

IN_SHADOW = f"""{POLICY}
production: {{runs: 2, error_budget: {{failures: 0, runs: 9}}, shadow: [flow]}}
"""
CALLS = workflow(
    "flow",
    "steps: [{id: look, uses: world.read, with: {name: x}}, {id: inner, workflow: child}, "
    '{id: tell, uses: slack.post, with: {channel: "#ops", text: Done.}}]',
)


def told(house: Fleeting, _outside: Outside, fuse: Fuse) -> None:
    """Say of every effect that the same was done by hand, until nothing is asked any more."""
    started(house, workflow="flow")
    house.sweep()
    house.settle()
    while asked := [one for run in runs_of(house) for one in questions(house, run)]:
        for one in asked:
            house.engine.answer(one)
        house.settle()
    assert "action before" not in fuse.places
    left = house.store.outbox.claim_messages(by="test", limit=99)
    assert Subject.POST not in {one.subject for one in left}


def questions(house: Working, run: RunId) -> list[Answer]:
    """Return answers to the questions of a run that are open."""
    state = replay(run, house.entries(run))
    return [
        Answer(run=run, request=step.request, person=id_of("omar"), values={DID: Did.SAME.value})
        for step in state.steps.values()
        if step.phase is Phase.QUESTIONED and step.request is not None
    ]


SHADOW_PATHS: Mapping[str, Path] = {
    "in shadow": Path(
        drive=told,
        definition=CALLS,
        more=(CHILD,),
        policy=IN_SHADOW,
        status="withdrawn",
        effects=0,
    )
}
