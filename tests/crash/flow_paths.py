"""The ways of runs with waits, questions, branches, loops, calls and undoing.

Each drive does what people and clocks would do, whatever an earlier process left undone.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta

from tests.crash.paths import LONG_ENOUGH, Fleeting, Outside, Path, started
from tests.fuse import Fuse
from tests.workflows.engine.flows import change, destructive, workflow
from tests.world import Working, id_of
from workflows.entry import RequestId, RunId
from workflows.errors import ActionFailedError, GateError
from workflows.gate import Outcome, Verdict
from workflows.orders import Ballot
from workflows.questioning import Answer

WAIT = workflow("flow", f"steps: [{change('a')}, {{id: rest, wait: 2h}}, {change('b')}]")
ASK = workflow(
    "flow",
    'steps: [{id: q, ask: {of: ["@deciders"], question: Why?, fields: {by: {type: integer}}}}, '
    + change("a", '"${{ steps.q.output.by }}"')
    + "]",
)
SIDES = workflow(
    "flow",
    f"steps: [{{id: sides, parallel: {{left: [{destructive('a')}], "
    f"right: [{{id: rest, wait: 1h}}, {change('b')}]}}}}, {change('c')}]",
)
ITEMS = workflow(
    "flow",
    "steps: [{id: look, uses: world.list, with: {name: x}}, "
    '{id: each, foreach: "${{ steps.look.output.rows }}", on_item_failure: continue, steps: ['
    + change("a", '"${{ item.by }}"')
    + "]}]",
)
BATCHED = """
defaults: {expires: 24h}
rules: [{name: items, when: effect == "write", stages: [{from: ["@deciders"]}], batch: true}]
"""
CALLS = workflow("flow", f"steps: [{{id: inner, workflow: child}}, {change('b')}]")
CHILD = workflow("child", f"steps: [{destructive('a')}]")
BACK = (
    "{uses: world.change, with: {name: back, by: 1}, effect: destructive, "
    "verify: {uses: world.read, with: {name: x}, expect: 'result.value >= 0'}}"
)
UNDOES = workflow("flow", f"steps: [{destructive('a', undo=BACK)}, {change('b')}]")


def walked(house: Fleeting, _outside: Outside, _fuse: Fuse) -> None:
    """Approve, answer and let time pass until nothing is left to do."""
    started(house, workflow="flow")
    house.sweep()
    for _ in range(4):
        for run in runs_of(house):
            approve_all(house, run)
            answer_all(house, run)
        house.settle()
        house.clock.forward(LONG_ENOUGH)
        house.settle()
        house.clock.forward(timedelta(hours=2))
        house.settle()


def undoes(house: Fleeting, outside: Outside, fuse: Fuse) -> None:
    """The second step is refused; the owner has the first one taken back."""
    trouble = outside.world.trouble

    def refuses(place: str) -> None:
        trouble(place)
        if place == "before b":
            raise ActionFailedError("no", error_class="refused")

    outside.world.trouble = refuses
    walked(house, outside, fuse)
    for run in runs_of(house):
        if house.status(run) == "exception":
            with suppress(GateError):
                house.engine.settle_exception(run, "b", person=id_of("omar"), answer="undo")
    walked(house, outside, fuse)


def decided_together(house: Fleeting, _outside: Outside, _fuse: Fuse) -> None:
    """One person rejects the second item and approves the others, by one click."""
    run = started(house, workflow="flow")
    house.sweep()
    ballots = [
        Ballot(
            request=RequestId(str(one.data["request"])),
            person=id_of("ana"),
            verdict=Verdict.DENY if one.data["step"] == "a/1" else Verdict.APPROVE,
        )
        for one in house.entries(run)
        if one.kind == "approval.requested"
    ]
    house.engine.decide_together(ballots)
    for _ in range(4):
        house.sweep()
        house.clock.forward(LONG_ENOUGH)
        house.settle()


def runs_of(house: Working) -> list[RunId]:
    with house.store.database.read() as connection:
        found = connection.exec_driver_sql("SELECT id FROM run ORDER BY started_at, id")
        return [RunId(one) for (one,) in found]


def approve_all(house: Working, run: RunId) -> None:
    for one in house.entries(run):
        if one.kind == "approval.requested":
            request = RequestId(str(one.data["request"]))
            if house.store.request(request).outcome is Outcome.OPEN:
                ballot = Ballot(request=request, person=id_of("ana"), verdict=Verdict.APPROVE)
                house.engine.decide(ballot)


def answer_all(house: Working, run: RunId) -> None:
    for one in house.entries(run):
        if one.kind == "question.asked":
            request = RequestId(str(one.data["request"]))
            given = Answer(run=run, request=request, person=id_of("ana"), values={"by": 3})
            with suppress(GateError):
                house.engine.answer(given)


FLOW_PATHS: Mapping[str, Path] = {
    "a wait": Path(drive=walked, definition=WAIT, effects=2),
    "a question": Path(drive=walked, definition=ASK, effects=1, fewest=10),
    "branches": Path(drive=walked, definition=SIDES, effects=3, fewest=20),
    "a loop": Path(drive=walked, definition=ITEMS, effects=3),
    "a batch": Path(drive=decided_together, definition=ITEMS, policy=BATCHED, effects=2, fewest=20),
    "a call": Path(drive=walked, definition=CALLS, more=(CHILD,), effects=2, fewest=20),
    "undoing": Path(drive=undoes, definition=UNDOES, status="aborted", effects=2, fewest=20),
}
