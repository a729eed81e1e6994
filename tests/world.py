"""A small world for engine tests: something to read and change, people, and who may decide.

    house = a_house(store, clock)
    run = house.start("change-it", {"by": 5}, by="rita")
    house.settle()                       # work until nothing is ready
    house.approve(run, by="ana")
    house.settle()
    assert house.world.effects == ["<run>/change"]

Everything here behaves; nothing is a mock. The world keeps its own effect log, so a test can
count what really happened.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, ClassVar

from storage.sealing import Sealer
from storage.store import SqlStore
from workflows.actions.base import Action, Call, Effect, Happened, Model
from workflows.actions.slack import SlackPostAction
from workflows.definition import Definition
from workflows.engine import Engine
from workflows.entry import SYSTEM, Draft, Entry, Json, RequestId, RunId
from workflows.errors import (
    InDoubtError,
    NotPerformedError,
    PeopleUnreadableError,
    SecretError,
    TransientReadError,
    UnknownWorkflowError,
)
from workflows.gate import ApprovalRequest, Verdict
from workflows.house import House
from workflows.loading import load_definition, load_policy
from workflows.orders import Ballot, Decided, Start
from workflows.people import Person, PersonId
from workflows.policy import Policy
from workflows.redaction import Redactor
from workflows.references import FileReference, Reference
from workflows.secret_book import Found, SecretBook
from workflows.store import Due, Store, Unit

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

CHANGE = """
workflow: change-it
title: Change the number
owner: "@owners"
deputy: "@deputies"
run_by: ["@askers"]
inputs:
  by: {type: integer, minimum: 1, maximum: 1000, title: By}
steps:
  - id: look
    uses: world.read
    with: {name: number}
  - id: change
    when: steps.look.output.value < 1000
    uses: world.change
    with: {name: number, by: "${{ inputs.by }}"}
    effect: destructive
    verify:
      uses: world.read
      with: {name: number}
      expect: result.value >= steps.look.output.value + inputs.by
      within: 1m
    undo: none
"""

POLICY = """
defaults: {expires: 24h}
rules:
  - name: destructive
    when: effect == "destructive"
    stages: [{from: ["@deciders"], approve: 1}]
"""

GROUPS: Mapping[str, tuple[str, ...]] = {
    "@askers": ("rita",),
    "@deciders": ("ana", "ben", "rita"),
    "@directors": ("dora",),
    "@owners": ("omar",),
    "@deputies": ("sam",),
}


def id_of(name: str) -> PersonId:
    """Return the external id of a person of the world."""
    return PersonId(f"slack:T0:U0{name.upper()}")


VAULT = Sealer(lambda: (bytes(32),), "test")


class Clock:
    """A clock that moves when told to."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, by: timedelta) -> None:
        self.at += by


class Town:
    """People and groups, as a directory would give them."""

    def __init__(self) -> None:
        self.groups = {name: set(people) for name, people in GROUPS.items()}
        self.guests: set[str] = set()
        self.admitted: set[str] = set()  # Of another workspace that the policy admits.
        self.display_names: dict[str, str] = {}
        self.is_readable = True
        self.shows_groups = True

    def person(self, who: PersonId) -> Person:
        self._answer()
        name = who.removeprefix("slack:T0:U0").lower()
        shown = self.display_names.get(name, name)
        return Person(
            id=who,
            name=shown,
            handle=name,
            is_guest=name in self.guests,
            is_admitted=name in self.admitted,
        )

    def members(self, name: str, *, max_age: timedelta) -> frozenset[PersonId]:
        del max_age
        self._answer()
        if not self.shows_groups:
            raise PeopleUnreadableError("Slack did not say who is in which group.")
        found = self.groups.get(name, {name.removeprefix("@")})  # Else it is a person.
        return frozenset(id_of(one) for one in found if one not in self.guests)

    def _answer(self) -> None:
        if not self.is_readable:
            raise PeopleUnreadableError("Slack did not answer.")


class Slack:
    """What Slack knows by a name; `called` is what people go by at the moment."""

    def __init__(self) -> None:
        self.called = {"U0ANA": "@ana", "U0SAM": "@sam", "S0OPS": "@ops", "C0OPS": "#ops"}
        self.files = {"F0SHEET": FileReference(id="F0SHEET", name="a.csv", size=9, type="csv")}
        self.is_readable = True

    def user(self, named: str) -> Reference:
        return self._find(named, "U", "nobody is called")

    def group(self, named: str) -> Reference:
        return self._find(named, "S", "no group is called")

    def channel(self, named: str) -> Reference:
        return self._find(named, "C", "no channel is called")

    def file(self, named: str) -> FileReference:
        if named not in self.files:
            raise ValueError("is a file that I cannot see")
        return self.files[named]

    def _find(self, named: str, kind: str, why: str) -> Reference:
        if not self.is_readable:
            raise PeopleUnreadableError("Slack did not answer.")
        for ident, name in self.called.items():
            if named in (ident, name) and ident.startswith(kind):
                return Reference(id=ident, name=name[1:])
        raise ValueError(f"{why} {named}")


@dataclass
class World:
    """What can be read and changed, with its own record of every effect.

    `trouble` is called at "read", "before" and "after" a change, and may raise.
    """

    number: int = 10
    items: list[dict[str, object]] = field(default_factory=list)
    is_cut: bool = False  # Whether there are more items than are told.
    effects: list[str] = field(default_factory=list)
    reads: int = 0
    trouble: Callable[[str], None] = lambda _place: None
    can_probe: bool = True


class Named(Model):
    name: str


class Change(Model):
    name: str
    by: int


class Value(Model):
    value: int


class ReadWorld(Action[Named, Value]):
    name: ClassVar[str] = "world.read"
    effect: ClassVar[Effect] = Effect.READ
    takes = Named
    gives = Value

    def __init__(self, world: World) -> None:
        self._world = world

    def perform(self, arguments: Named, call: Call) -> Value:
        del arguments, call
        self._world.reads += 1
        self._world.trouble("read")
        return Value(value=self._world.number)


class Item(Model):
    name: str
    by: int


class Items(Model):
    rows: list[Item]
    is_cut: bool = False


class ListWorld(Action[Named, Items]):
    name: ClassVar[str] = "world.list"
    effect: ClassVar[Effect] = Effect.READ
    takes = Named
    gives = Items

    def __init__(self, world: World) -> None:
        self._world = world

    def perform(self, arguments: Named, call: Call) -> Items:
        del arguments, call
        self._world.trouble("list")
        rows = [Item.model_validate(one) for one in self._world.items]
        return Items(rows=rows, is_cut=self._world.is_cut)


class ChangeWorld(Action[Change, Value]):
    name: ClassVar[str] = "world.change"
    effect: ClassVar[Effect] = Effect.WRITE
    takes = Change
    gives = Value
    plans_alone: ClassVar[bool] = True

    def __init__(self, world: World) -> None:
        self._world = world

    def describe(self, arguments: Change) -> str:
        return f"change {arguments.name} by {arguments.by}"

    def perform(self, arguments: Change, call: Call) -> Value:
        self._world.trouble("before")
        self._world.trouble(f"before {arguments.name}")
        self._world.number += arguments.by
        self._world.effects.append(call.key)
        self._world.trouble("after")
        return Value(value=self._world.number)

    def probe(self, arguments: Change, call: Call) -> Happened:
        del arguments
        if not self._world.can_probe:
            return Happened.UNKNOWN
        return Happened.YES if call.key in self._world.effects else Happened.NO


def failing(place: str, error: Exception, *, times: int = 1) -> Callable[[str], None]:
    """Return a trouble that raises `error` at `place`, that many times."""
    left = [times]

    def trouble(at: str) -> None:
        if at == place and left[0] > 0:
            left[0] -= 1
            raise error

    return trouble


UNREACHABLE = NotPerformedError("connection refused", error_class="unreachable")
LOST = InDoubtError("the reply was lost", error_class="reply_lost")
SLOW = TransientReadError("no answer in time", error_class="timeout")


class Queue:
    """A dispatcher that remembers which runs to look at; `Working.settle` works them off."""

    def __init__(self) -> None:
        self.runs: list[RunId] = []

    def enqueue(self, unit: Unit, run: RunId) -> None:
        unit.mark_ready(run)
        unit.after_commit(lambda: self.hint(run))

    def hint(self, run: RunId) -> None:
        if run not in self.runs:
            self.runs.append(run)

    def serve(self, handler: Callable[[RunId], None]) -> None:
        while self.runs:
            handler(self.runs.pop(0))

    def stop(self) -> None:
        self.runs.clear()


@lru_cache(maxsize=200)
def definition_in(text: str) -> Definition:
    """Return the definition in a text, which most tests share: to read it takes 4 ms."""
    return load_definition(text)


@lru_cache(maxsize=200)
def policy_in(text: str) -> Policy:
    """Return the policy in a text, as above."""
    return load_policy(text)


class Shelf:
    """Definitions by name and by version."""

    def __init__(self, *texts: str) -> None:
        loaded = [definition_in(text) for text in texts]
        self._active = {one.workflow: one for one in loaded}
        self._all = {one.version: one for one in loaded}

    def active(self, name: str) -> Definition:
        if name not in self._active:
            raise UnknownWorkflowError(f"There is no workflow {name}.")
        return self._active[name]

    def version(self, digest: str) -> Definition:
        return self._all[digest]

    def put(self, text: str) -> None:
        """Make another version the active one."""
        definition = definition_in(text)
        self._active[definition.workflow] = definition
        self._all[definition.version] = definition


class NoSecrets:
    """A bot that holds none."""

    def find(self, name: str) -> Found:
        raise SecretError(f"There is no secret {name}.")


class SecretsOf:
    """Those that a test has given to a house by now."""

    def __init__(self, house: "Working") -> None:
        self._house = house

    def find(self, name: str) -> Found:
        return self._house.secrets.find(name)


class Working:
    """An engine in its house, with the world, the town and the clock at hand."""

    def __init__(  # noqa: PLR0913 - each is something a test may want otherwise.
        self,
        store: SqlStore,
        clock: Clock,
        *,
        world: World | None = None,
        definitions: tuple[str, ...] = (CHANGE,),
        policy: str = POLICY,
        wrapped: Store | None = None,
        most_runs: int | None = None,
        more: Mapping[str, Action[Any, Any]] | None = None,
        alerts: str = "",
        held: Sequence[str] = (),
    ) -> None:
        """`more` are actions beside those of the world; `held` secrets are kept out."""
        self.store = store
        self.clock = clock
        self.world = world or World()
        self.town = Town()
        self.slack = Slack()
        self.queue = Queue()
        self.shelf = Shelf(*definitions)
        self.policy = policy_in(policy)
        self._most_runs = most_runs
        self._more = more or {}
        self._alerts = alerts
        self._redactor = Redactor(held)
        self.secrets: SecretBook = NoSecrets()
        self.effects_wait: str | None = None
        self.engine = Engine(self._house(wrapped or store))

    def _house(self, store: Store) -> House:
        ids = iter(range(1, 10_000))
        start = len(self.store_runs())
        self.actions: dict[str, Action[Any, Any]] = {
            "world.read": ReadWorld(self.world),
            "world.list": ListWorld(self.world),
            "world.change": ChangeWorld(self.world),
            "slack.post": SlackPostAction(),
            **self._more,
        }
        return House(
            store=store,
            dispatcher=self.queue,
            definitions=self.shelf,
            policy=lambda: self.policy,
            actions=self.actions,
            people=self.town,
            secrets=SecretsOf(self),
            redact=self._redactor,
            holds_secret=self._redactor.holds,
            new_id=lambda: f"{start:04d}{next(ids):028d}",
            now=self.clock,
            name="test",
            most_runs=self._most_runs,
            effects_wait=lambda: self.effects_wait,
            vault=lambda: VAULT,
            references=self.slack,
            alerts=self._alerts,
        )

    def store_runs(self) -> list[RunId]:
        """Return every run there is, oldest first."""
        far = self.clock() + timedelta(days=4000)
        return list(self.store.standing(claimed_before=far, limit=10_000))

    def activate(self, text: str) -> None:
        """Make another version the active one, as the log tells of it; once is enough."""
        self.shelf.put(text)
        definition = definition_in(text)
        named: dict[str, Json] = {"workflow": definition.workflow, "version": definition.version}
        told: dict[str, Json] = {"owner": "@owners", "deputy": "@deputies", "actions": "0" * 64}
        with self.store.begin() as unit:
            if unit.hold_level(definition.workflow, definition.version) is None:
                published, activated = {**named, **told}, {**named, "replaces": None}
                unit.append(Draft(kind="workflow.published", actor=SYSTEM, data=published))
                activated["level"] = "trial"
                unit.append(Draft(kind="workflow.activated", actor=SYSTEM, data=activated))

    def start(
        self,
        workflow: str = "change-it",
        inputs: Mapping[str, object] | None = None,
        *,
        by: str = "rita",
    ) -> RunId:
        """Start a run as a person."""
        own = {"by": 5} if "by" in self.shelf.active(workflow).inputs else {}
        return self.engine.start(
            Start(
                workflow=workflow,
                inputs=own if inputs is None else inputs,
                trigger="slash",
                person=id_of(by),
                channel="ops",
            )
        ).run

    def settle(self) -> None:
        """Work off every run that is to be looked at, due-rows of now included."""
        for _ in range(200):
            self.queue.serve(self.engine.advance)
            due = self.store.due(until=self.clock(), limit=100)
            if not due:
                return
            for one in due:
                self.engine.handle_due(one)
        raise AssertionError("the runs never come to rest")

    def sweep(self) -> None:
        """Look at every run that stands still, as a process does after a restart."""
        for run in self.store_runs():
            self.queue.hint(run)
        self.settle()

    def entries(self, run: RunId) -> list[Entry]:
        """Return the run's entries."""
        with self.store.begin() as unit:
            return list(unit.entries(run))

    def kinds(self, run: RunId) -> list[str]:
        """Return the kinds of the run's entries, in order."""
        return [one.kind for one in self.entries(run)]

    def status(self, run: RunId) -> str:
        """Return where the run stands."""
        with self.store.begin() as unit:
            return unit.lock_run(run).status.value

    def request(self, run: RunId) -> ApprovalRequest:
        """Return the run's newest request."""
        asked = [one for one in self.entries(run) if one.kind == "approval.requested"]
        return self.store.request(RequestId(str(asked[-1].data["request"])))

    def vote(
        self, run: RunId, verdict: Verdict, *, by: str, comment: str = "", code: str = ""
    ) -> Decided:
        """Decide the run's newest request."""
        return self.engine.decide(
            Ballot(
                request=self.request(run).id,
                person=id_of(by),
                verdict=verdict,
                comment=comment,
                code=code,
            )
        )

    def approve(self, run: RunId, *, by: str = "ana") -> Decided:
        """Approve the run's newest request."""
        return self.vote(run, Verdict.APPROVE, by=by)

    def deny(self, run: RunId, *, by: str = "ana", comment: str = "no") -> Decided:
        """Deny the run's newest request."""
        return self.vote(run, Verdict.DENY, by=by, comment=comment)

    def due(self, run: RunId) -> list[Due]:
        """Return the run's due-rows, whenever they are."""
        everything = self.store.due(until=self.clock() + timedelta(days=4000), limit=1000)
        return [one for one in everything if one.run == run]
