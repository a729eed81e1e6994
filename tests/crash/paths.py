"""The ways a run can take, each to be walked from wherever an earlier process left it.

A path does what people, clocks and the outbox would do, asks before it acts, and says at the
end what must be true of the outside world.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count

from storage.outbox_values import MessagePlace, OutboxRow
from storage.store import SqlStore
from tests.fuse import Fuse
from tests.world import CHANGE, LOST, POLICY, Clock, Working, World, id_of
from workflows.actions.base import Happened
from workflows.actions.slack import SlackPostAction
from workflows.entry import RunId
from workflows.gate import Outcome
from workflows.house import House
from workflows.orders import Edit, Moving, Start
from workflows.store import Store, Subject

ITEMS = tuple({"name": f"n{one}", "by": one + 1} for one in range(3))
LONG_ENOUGH = timedelta(minutes=15)  # Past an attempt's timeout and its grace.
LOCKED = CHANGE.replace('run_by: ["@askers"]', 'run_by: ["@askers"]\nlock: number/one')
NEWER = CHANGE.replace('by: "${{ inputs.by }}"', 'by: "${{ inputs.by + 2 }}"')
TELL = """
workflow: tell-it
title: Tell the number
owner: "@owners"
deputy: "@deputies"
run_by: ["@askers"]
steps:
  - id: tell
    uses: slack.post
    with: {channel: "#ops", text: "It is done."}
"""


@dataclass
class Outside:
    """What survives every crash: the world, Slack's messages, and what went wrong already."""

    world: World = field(default_factory=lambda: World(items=list(ITEMS)))
    posts: list[str] = field(default_factory=list)
    lost: int = 0


class Fleeting(Working):
    """A house that can also post, and whose reply to the first change may be lost."""

    def _house(self, store: Store) -> House:
        made = super()._house(store)
        with self.store.database.read() as connection:
            born = connection.exec_driver_sql("SELECT count(*) FROM audit_entry").scalar_one()
        ids = count(1)
        return replace(
            made,
            actions={**made.actions, "slack.post": SlackPostAction()},
            new_id=lambda: f"{born:04d}{next(ids):028d}",  # No later process gives one again.
        )


@dataclass(frozen=True, kw_only=True)
class Path:
    """One way: what it is driven by, and how it ends."""

    drive: Callable[[Fleeting, Outside, Fuse], None]
    status: str = "done"
    effects: int = 1
    definition: str = CHANGE
    more: tuple[str, ...] = ()  # Definitions that it calls.
    policy: str = POLICY
    can_probe: bool = True
    loses: str = ""  # Where the first answer of the target is lost.
    fewest: int = 15  # Boundaries; fewer would mean that the sweep sweeps nothing.


def house_of(path: Path, store: SqlStore, clock: Clock, outside: Outside, fuse: Fuse) -> Fleeting:
    """Enter the database as a new process, with a fuse that may end it."""
    outside.world.can_probe = path.can_probe

    def trouble(place: str) -> None:
        fuse.at_effect(place)
        if place == path.loses and not outside.lost:
            outside.lost += 1
            raise LOST

    outside.world.trouble = trouble
    return Fleeting(
        store,
        clock,
        world=outside.world,
        definitions=(path.definition, *path.more),
        policy=path.policy,
        wrapped=fuse.around(store),
    )


def started(house: Working, *, key: str = "one", workflow: str = "change-it") -> RunId:
    """Start the run of that key, or find it."""
    inputs: Mapping[str, object] = {"by": 5} if workflow == "change-it" else {}
    order = Start(
        workflow=workflow,
        inputs=inputs,
        trigger="cli",
        person=id_of("rita"),
        key=key,
        channel="ops",
    )
    return house.engine.start(order).run


def is_asked(house: Working, run: RunId) -> bool:
    asked = "approval.requested" in house.kinds(run)
    return asked and house.request(run).outcome is Outcome.OPEN


def time_passes(house: Working) -> None:
    for _ in range(3):  # Once for the deadline of a doubt, once for the next attempt.
        house.settle()
        house.clock.forward(LONG_ENOUGH)
    house.settle()


def approved(house: Fleeting, outside: Outside, _fuse: Fuse) -> None:
    """Approve; what stays in doubt a person settles by looking at the world."""
    run = started(house)
    house.sweep()
    for _ in range(3):
        house.settle()
        if is_asked(house, run):
            house.approve(run)
        time_passes(house)
        if house.status(run) == "in_doubt":
            seen = f"{run}/change" in outside.world.effects
            happened = Happened.YES if seen else Happened.NO
            house.engine.settle_doubt(run, "change", person=id_of("omar"), happened=happened)
    time_passes(house)


def changed(house: Fleeting, outside: Outside, fuse: Fuse) -> None:
    """Change what is asked before anybody decides, and approve what it was changed to."""
    run = started(house)
    house.sweep()
    if is_asked(house, run) and "approval.edited" not in house.kinds(run):
        request = house.request(run).id
        house.engine.edit(Edit(request=request, person=id_of("rita"), inputs={"by": 7}))
    approved(house, outside, fuse)
    assert outside.world.number == 17


def moved(house: Fleeting, outside: Outside, fuse: Fuse) -> None:
    """Put the run on a newer version before anybody decides, and approve what that one does."""
    run = started(house)
    house.sweep()
    house.activate(NEWER)
    if is_asked(house, run):
        house.engine.move(Moving(run=run, person=id_of("omar"), reason="It adds two."))
    approved(house, outside, fuse)
    assert (outside.world.number, house.kinds(run).count("run.moved")) == (17, 1)


def denied(house: Fleeting, _outside: Outside, _fuse: Fuse) -> None:
    run = started(house)
    house.sweep()
    if is_asked(house, run):
        house.deny(run)
    house.settle()


def expired(house: Fleeting, _outside: Outside, _fuse: Fuse) -> None:
    started(house)
    house.sweep()
    house.clock.forward(timedelta(hours=25))
    house.settle()


def in_turn(house: Fleeting, _outside: Outside, _fuse: Fuse) -> None:
    """Two runs under one lock; whichever waits for it is asked about once the other has ended."""
    runs = [started(house, key=key) for key in ("one", "two")]
    house.sweep()
    for _ in runs:
        asked = [run for run in runs if is_asked(house, run)]
        assert len(asked) <= 1
        for run in asked:
            house.approve(run)
        time_passes(house)


def told(house: Fleeting, outside: Outside, fuse: Fuse) -> None:
    """Deliver what a step says, as an outbox does: look first where an answer may be lost."""
    run = started(house, workflow="tell-it")
    house.sweep()
    house.clock.forward(LONG_ENOUGH)  # The claim of an outbox that died runs out.
    for row in house.store.outbox.claim_messages(by="test", limit=50):
        if row.subject is Subject.POST:
            _deliver(house, outside, fuse, row)
        else:
            stands = MessagePlace(channel="C0OPS", ts=f"9.{row.id}")
            house.store.outbox.mark_delivered(row.id, done=row.wanted, place=stands)
    house.settle()
    assert house.status(run) in ("done", "waiting")


def _deliver(house: Fleeting, outside: Outside, fuse: Fuse, row: OutboxRow) -> None:
    assert row.run is not None
    house.store.outbox.mark_posting(row.id, by="test")
    fuse.burn("before the post")
    if row.key not in outside.posts:
        outside.posts.append(row.key)
    fuse.burn("after the post")
    house.engine.delivered(row.run, "tell", output={"channel": "C0OPS", "ts": "1"})
    stands = MessagePlace(channel="C0OPS", ts="1")
    house.store.outbox.mark_delivered(row.id, done=row.wanted, place=stands)


PATHS: Mapping[str, Path] = {
    "nobody can tell": Path(drive=approved, can_probe=False),
    "the answer is lost after": Path(drive=approved, can_probe=False, loses="after"),
    "the answer is lost before": Path(drive=approved, can_probe=False, loses="before"),
    "lost, and a probe tells": Path(drive=approved, loses="after"),
    "lost before, and a probe tells": Path(drive=approved, loses="before"),
    "changed": Path(drive=changed, fewest=20),
    "moved": Path(drive=moved, definition=NEWER, more=(CHANGE,), fewest=20),
    "denied": Path(drive=denied, status="denied", effects=0, fewest=8),
    "expired": Path(drive=expired, status="expired", effects=0, fewest=8),
    "two in turn": Path(drive=in_turn, definition=LOCKED, effects=2, fewest=30),
    "a message": Path(drive=told, definition=TELL, effects=0, fewest=8),
}
