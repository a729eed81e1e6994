"""The house of a rehearsal: the real engine, with a clock that is set and people who are named."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from storage.sealing import Sealer
from storage.store import SqlStore
from workflows.actions.base import Action
from workflows.definition import Definition
from workflows.engine import Engine
from workflows.entry import RunId
from workflows.errors import SecretError, UnknownWorkflowError
from workflows.fault import suggestion
from workflows.house import House
from workflows.people import CLICK_AGE, People, PersonId
from workflows.policy import Policy
from workflows.references import References
from workflows.secret_book import Found, SecretBook
from workflows.store import Unit


class SetClock:
    """A clock that stands still until it is set."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


class Shelf:
    """Definitions, by their name and by their version."""

    def __init__(self, definitions: Mapping[str, Definition]) -> None:
        self._active = definitions
        self._all = {one.version: one for one in definitions.values()}

    def active(self, name: str) -> Definition:
        if name not in self._active:
            hint = suggestion(name, self._active)
            raise UnknownWorkflowError(f"There is no workflow {name} here.", hint=hint)
        return self._active[name]

    def version(self, digest: str) -> Definition:
        return self._all[digest]


class NoSecrets:
    """Nothing secret is needed where nothing is reached."""

    def find(self, name: str) -> Found:
        raise SecretError(f"A rehearsal has no secret {name}.")

    def reveal(self, name: str) -> str:
        return self.find(name).value


class Line:
    """Runs that are to be looked at, one after the other; `known` are all there ever were."""

    def __init__(self) -> None:
        self.known: dict[RunId, None] = {}
        self._ready: dict[RunId, None] = {}

    def enqueue(self, unit: Unit, run: RunId) -> None:
        unit.mark_ready(run)
        unit.after_commit(lambda: self.hint(run))

    def hint(self, run: RunId) -> None:
        self.known[run] = self._ready[run] = None

    def serve(self, handler: Callable[[RunId], None]) -> None:
        while self._ready:
            run = next(iter(self._ready))
            del self._ready[run]
            handler(run)

    def stop(self) -> None:
        self._ready.clear()


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a rehearsal is made of."""

    definitions: Mapping[str, Definition]
    policy: Policy
    actions: Mapping[str, Action[Any, Any]]
    people: People
    references: References
    secrets: SecretBook = field(default_factory=NoSecrets)
    redact: Callable[[str], str] = lambda text: text
    first_id: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """An engine with its store, its clock and its line of runs."""

    engine: Engine
    store: SqlStore
    clock: SetClock
    line: Line
    definitions: Shelf
    people: People

    def members(self, names: Sequence[str]) -> frozenset[PersonId]:
        """Return everybody behind these names."""
        found = (self.people.members(one, max_age=CLICK_AGE) for one in names)
        return frozenset[PersonId]().union(*found)

    def bound(self, run: str) -> Definition:
        """Return the definition that a run is bound to."""
        return self.definitions.version(self.store.run(RunId(run)).version)


def rehearsal_of(store: SqlStore, clock: SetClock, given: Given) -> Rehearsal:
    """Return an engine whose ids are counted, so that every rehearsal names the same things."""
    line, shelf, ids = Line(), Shelf(given.definitions), count(given.first_id)
    house = House(
        store=store,
        dispatcher=line,
        definitions=shelf,
        policy=lambda: given.policy,
        actions=given.actions,
        people=given.people,
        secrets=given.secrets,
        redact=given.redact,
        holds_secret=lambda _text: False,
        new_id=lambda: f"{next(ids):032x}",
        now=clock,
        name="rehearsal",
        vault=lambda: Sealer(lambda: (bytes(32),), "rehearsal"),
        references=given.references,
        branches=1,  # One after the other, so that every rehearsal is the same.
    )
    return Rehearsal(
        engine=Engine(house),
        store=store,
        clock=clock,
        line=line,
        definitions=shelf,
        people=given.people,
    )
