"""Holds a policy against every step that was judged in the log, one after the other."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from storage.judgements import Judged, judged_since
from storage.listing import people_of
from storage.published import canonical_of
from storage.transaction import Database
from workflows.definition import Definition
from workflows.entry import Entry, Json, Ref
from workflows.errors import DefinitionError, PeopleUnreadableError
from workflows.model_words import words_taken
from workflows.own_workflows import is_own
from workflows.people import People
from workflows.policy import Policy
from workflows.policy_replay import Difference, NotJudgedError, differences, judgement_of
from workflows.procedure import Procedures
from workflows.step_scope import Actions

KEPT = 256  # Definitions and names in memory, whatever the log holds.


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """One step that was judged, and what would have been different, or why nobody can say."""

    entry: Entry
    workflow: str
    differences: tuple[Difference, ...] = ()
    why_not: str = ""


@dataclass(slots=True, kw_only=True)
class Count:
    """What came of it so far."""

    judged: int = 0
    same: int = 0
    not_evaluated: int = 0
    changes: Counter[str] = field(default_factory=Counter)

    def take(self, one: Replayed) -> None:
        """Count one more."""
        self.judged += 1
        self.same += not one.differences and not one.why_not
        self.not_evaluated += bool(one.why_not)
        self.changes.update(found.change.value for found in one.differences)


class History:
    """The judged steps of one database, as a policy would judge them now."""

    def __init__(
        self, database: Database, policy: Policy, people: People | None, actions: Actions
    ) -> None:
        """Without `people` requesters are known only by the names on record.

        `actions` say which steps give a language model's words.
        """
        self._procedures = Procedures(actions)
        self._database = database
        self._policy = policy
        self._people = people
        self._definition = lru_cache(maxsize=KEPT)(self._read_definition)
        self._name = lru_cache(maxsize=KEPT)(self._read_name)

    def replayed(self, *, since: datetime) -> Iterator[Replayed]:
        """Yield every step that was judged from `since` on."""
        for one in judged_since(self._database, since=since):
            workflow = str(one.started.data["workflow"])
            try:
                found = tuple(self._differences(one))
            except (NotJudgedError, DefinitionError) as error:
                yield Replayed(entry=one.entry, workflow=workflow, why_not=error.message)
            else:
                yield Replayed(entry=one.entry, workflow=workflow, differences=found)

    def _differences(self, one: Judged) -> list[Difference]:
        if is_own(str(one.started.data["workflow"])):
            raise NotJudgedError("it changed the catalog, and whom that asks is not in the rules")
        definition = self._definition(one.version)
        judged = judgement_of(
            one.entry,
            definition=definition,
            inputs=_inputs(one.given),
            requester=self._requester(one.started),
            is_by_model=self._is_by_model(definition, str(one.entry.data["step"])),
        )
        return differences(self._policy, judged)

    def _is_by_model(self, definition: Definition, step: str) -> bool:
        return bool(words_taken(definition, self._procedures.of(definition).scopes, step))

    def _requester(self, started: Entry) -> str:
        actor = started.actor
        return self._name(Ref(actor.ref)) if actor.is_person else actor.kind.value

    def _read_name(self, ref: Ref) -> str:
        """Return a person as rules see them: by the user name, where Slack can be asked."""
        who, name = people_of(self._database, [ref]).get(ref, (None, ""))
        if who is not None and self._people is not None:
            try:
                person = self._people.person(who)
            except PeopleUnreadableError:
                return f"@{name}"
            return person.in_rules
        return f"@{name}"

    def _read_definition(self, version: str) -> Definition:
        stored = canonical_of(self._database, version)
        if stored is None:
            raise NotJudgedError("its definition is not here")
        return Definition.from_canonical(stored.encode())


def _inputs(entry: Entry) -> Mapping[str, Json] | None:
    part = entry.parts.get("input")
    found = json.loads(part.value) if part is not None and part.value is not None else None
    return found if isinstance(found, dict) else None
