"""Reads all that a run's messages show: its entries, its definition, who did what, and links.

Nothing here locks anything or asks Slack for more than names; how it looks is for the
`rendering` files and the views.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.directory import Directory
from bot.views.request_values import Receipt
from bot.wording import NAMELESS, Who, who_of
from storage.heads import mark_shown, receipt
from storage.history import read_run
from storage.listing import ListedRun, listed_run, lock_holder, people_of
from storage.outbox_values import MessagePlace
from storage.store import SqlStore
from workflows.definition import Definition
from workflows.delegation import Delegation
from workflows.entry import Actor, Entry, Json, Ref, RunId
from workflows.errors import UnknownRunError
from workflows.house import Definitions
from workflows.own_workflows import run_title
from workflows.replay import replay
from workflows.run import RunState

WORDS = ("comment", "reason")  # The parts that hold a person's or the engine's own sentence.
ANSWERS = ("output", "evidence")  # The parts that hold what came back, as JSON.


def told_to(entry: Entry) -> list[str]:
    """Return those whom a reminder reminds: pseudonyms, or names as the files write them."""
    to = entry.data.get("to")
    return [str(one) for one in to] if isinstance(to, list) else []


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRead:
    """A run as its messages tell it. `known` names the people in its entries."""

    listed: ListedRun
    entries: Sequence[Entry]
    state: RunState
    definition: Definition
    known: dict[str, Who]

    @property
    def id(self) -> RunId:
        """The run's id."""
        return self.listed.id

    @property
    def title(self) -> str:
        """What people call it: its workflow's title, or what it proposes."""
        return run_title(self.definition, self.state.inputs)

    @property
    def requester(self) -> Who:
        """Who asked: a person as Slack shows them, or a schedule by its name."""
        return who_of(self.listed.requester, self.listed.requester_name)

    def who(self, actor: Actor) -> Who | None:
        """Return the person behind an entry, None for the bot and its schedules."""
        if not actor.is_person:
            return None
        return self.known.get(actor.ref, NAMELESS)

    def whose_place(self, entry: Entry) -> Who | None:
        """Return in whose place a decision was given, None if in its giver's own."""
        giver = entry.data.get("for")
        if not isinstance(giver, str):
            return None
        return self.known.get(giver, NAMELESS)

    def entry(self, ident: str) -> Entry | None:
        """Return the entry of that id."""
        return next((one for one in self.entries if one.id == ident), None)

    def of_kind(self, *kinds: str, after: int = -1) -> list[Entry]:
        """Return the entries of these kinds that are later than `after`, in order."""
        return [one for one in self.entries if one.kind in kinds and one.rseq > after]

    def is_of_program(self, about: Entry) -> bool:
        """Say whether the attempt that an entry is about is that of a program, started here."""
        intents = self.of_kind("action.intended")
        return any(
            one.data["action"] == "shell.run"
            for one in intents
            if all(one.data[name] == about.data.get(name) for name in ("step", "attempt"))
        )

    def asked(self, request: str) -> Entry | None:
        """Return the entry that raised a request."""
        raised = self.of_kind("approval.requested")
        return next((one for one in raised if one.data["request"] == request), None)

    def line_about(self, step: str) -> str:
        """Return the step's effect in one line: as its plan named it, else its target."""
        raised = [one for one in self.of_kind("approval.requested") if one.data.get("step") == step]
        preview = part_json(raised[-1], "preview") if raised else None
        if isinstance(preview, dict) and preview.get("headline"):
            return str(preview["headline"])
        intents = [one for one in self.of_kind("action.intended") if one.data["step"] == step]
        if intents:
            return f"{intents[-1].data['action']} {intents[-1].data['target']}".strip()
        child = self.state.step(step).child
        if child is not None:
            return f"run {child}"
        reads = [one for one in self.of_kind("step.observed") if one.data["step"] == step]
        return str(reads[-1].data["action"]) if reads else step


class RunReader:
    """Reads runs for those who draw messages. Safe to share between threads."""

    def __init__(
        self,
        store: SqlStore,
        definitions: Definitions,
        directory: Directory,
        *,
        workspace_url: str,
    ) -> None:
        self._store = store
        self._definitions = definitions
        self._directory = directory
        self._workspace_url = workspace_url

    def run(self, run: RunId) -> RunRead:
        """Return a run as it is now.

        Raises:
            UnknownRunError: there is none.
        """
        database = self._store.database
        listed = listed_run(database, run)
        if listed is None:
            raise UnknownRunError(f"There is no run {run}.")
        with database.read() as connection:
            entries = read_run(connection, run)
        return RunRead(
            listed=listed,
            entries=entries,
            state=replay(run, entries),
            definition=self._definitions.version(listed.version),
            known=self._known(entries),
        )

    def _known(self, entries: Iterable[Entry]) -> dict[str, Who]:
        doers = {one.actor.ref for one in entries if one.actor.is_person}
        places = {str(one.data["for"]) for one in entries if "for" in one.data}
        return self.people(doers.union(places, *(told_to(one) for one in entries)))

    def people(self, refs: Iterable[str]) -> dict[str, Who]:
        """Return the people behind these pseudonyms whose names were not erased."""
        wanted = sorted(set(refs))
        found = people_of(self._store.database, wanted) if wanted else {}
        return {ref: who_of(external, name) for ref, (external, name) in found.items()}

    def away(self, people: Collection[Ref]) -> Mapping[Ref, Delegation]:
        """Return what those of `people` said who are away now."""
        return self._store.away(people)

    def asked_people(self, definition: Definition) -> tuple[Who, ...]:
        """Return owner and deputy as live mentions."""
        names = dict.fromkeys((definition.owner, definition.deputy))
        return tuple(self._directory.who(name) for name in names)

    def named(self, names: Iterable[str]) -> dict[str, Who]:
        """Return groups and people, as a policy writes them, as live mentions."""
        return {name: self._directory.who(name) for name in names}

    def in_front(self, read: RunRead) -> ListedRun | None:
        """Return the run for which a queued one waits: who has its lock, or was there first."""
        holder = lock_holder(self._store.database, read.id)
        named = [one.data.get("holder") for one in read.of_kind("decision.made")]
        if holder is not None or not any(named):
            return holder
        last = next(str(one) for one in reversed(named) if one)
        return listed_run(self._store.database, RunId(last))

    def link(self, place: MessagePlace | None) -> str:
        """Return the address of a message, nothing while it has no place."""
        if place is None:
            return ""
        return f"{self._workspace_url}archives/{place.channel}/p{place.ts.replace('.', '')}"

    def receipt_of(self, entry: Entry) -> Receipt | None:
        """Return where an entry stands, under a head that is kept since people will hold it.

        None while the entry has no place, or its head was replaced in this very moment.
        """
        with self._store.database.begin() as tx:
            found = receipt(tx.connection, entry.id)
            if found is None or not mark_shown(tx, found.size):
                return None
        return Receipt(
            number=found.index, leaf=found.leaf.hex(), size=found.size, root=found.root.hex()
        )


def part_json(entry: Entry, name: str) -> Json:
    """Return a part's JSON, None if the entry has none or it was erased."""
    part = entry.parts.get(name)
    if part is None or part.value is None:
        return None
    value: Json = json.loads(part.value)
    return value


def words_of_model(entry: Entry) -> str:
    """Return what a language model answered, nothing for any other entry."""
    part = entry.parts.get("model_output")
    return part.value.decode() if part is not None and part.value is not None else ""


def words_of(entry: Entry) -> str:
    """Return the sentence that goes with an entry: a person's reason, or what came back."""
    for name in WORDS:
        part = entry.parts.get(name)
        if part is not None and part.value is not None:
            return part.value.decode()
    for name in ANSWERS:
        found = part_json(entry, name)
        said = (found.get("error") or found.get("said")) if isinstance(found, dict) else None
        if isinstance(said, str):
            return said
    return ""
