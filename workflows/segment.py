"""One process's turn at a run, from claim to release.

A segment makes one move after the other. Its facts are committed under the run's lock; when
others have written to the run meanwhile it takes their entries up first and looks again.
When its epoch is no longer the row's, another process has taken over and it stops.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from workflows.actions.base import Action, Call, Effect
from workflows.binding import json_bytes
from workflows.definition_steps import Step, Work
from workflows.entry import INTERLOCK, Draft, Entry, Json, Part, PartClass, Ref, StoredPart
from workflows.errors import InterlockError
from workflows.expression import Scope
from workflows.house import House
from workflows.late import late_drafts
from workflows.people import PersonId
from workflows.procedure import Procedure
from workflows.run import RunState, after, replay
from workflows.store import Due, DueKind, Message, RunRow, Unit
from workflows.telling import messages_about

MOST_PENDING = 16  # Facts of reads that wait for the next commit.

Also = Callable[[Unit], None]
Fact = Draft | Callable[[Unit], Draft]  # Some facts need the unit: a person's pseudonym.


class SupersededError(Exception):
    """Another process has taken the run over; this one stops without a word."""


class Segment:
    """A claimed run: its definition, where it stands, and how to record what comes next."""

    def __init__(
        self,
        house: House,
        row: RunRow,
        procedure: Procedure,
        base: RunState,
        *,
        is_claimed: bool = True,
    ) -> None:
        """One that is not claimed yet claims the run in its first commit."""
        self.house = house
        self.row = row
        self.definition = procedure.definition
        self.scopes = procedure.scopes
        self.state = base  # With the pending facts.
        self._base = base  # As committed.
        self._epoch = row.epoch
        self._is_claimed = is_claimed
        self._pending: list[Draft] = []
        self._outcomes: list[Draft] = []  # Those of the pending facts that say how effects ended.
        self._known: dict[Ref, PersonId | None] = {}

    def person(self, ref: Ref) -> PersonId | None:
        """Return the person behind a pseudonym of this run, looked up once in a segment."""
        if ref not in self._known:
            self._known[ref] = self.house.store.person(ref)
        return self._known[ref]

    @property
    def scope(self) -> Scope:
        """Return what expressions may speak of now."""
        requester = self.state.requester
        return Scope(
            inputs=self.state.inputs,
            steps=self.state.outputs,
            run={
                "id": self.state.id,
                "requester": requester.ref if requester else "",
                "workflow": self.state.workflow,
            },
        )

    def scope_with(self, result: Json) -> Scope:
        """Return the present scope with what a verification read."""
        return replace(self.scope, result=result)

    def action(self, work: Work) -> Action[Any, Any]:
        """Return the action that `work` uses.

        Raises:
            InterlockError: this release has none of that name.
        """
        found = self.house.actions.get(work.uses)
        if found is None:
            raise InterlockError(
                f"There is no action {work.uses!r} here.", hint="Install the package that has it."
            )
        return found

    def call(
        self, step: Step, work: Work, *, effect: Effect | None = None, approved: Json = None
    ) -> Call:
        """Return how an action is called for this step, under its idempotency key."""
        return Call(
            key=self.key(step),
            timeout=work.timeout.total_seconds(),
            secrets=self.house.secrets,
            approved=approved,
            effect=effect,
            ports=self.house.ports,
        )

    def key(self, step: Step) -> str:
        """Return the idempotency key: the same for every attempt of the step."""
        return f"{self.state.id}/{step.id}"

    def part(self, value: Json, *, cls: PartClass = PartClass.CONTENT) -> Part:
        """Return `value` as a part, with every secret the bot holds replaced."""
        text = json_bytes(value).decode()
        return Part(value=self.house.redact(text).encode(), cls=cls)

    def words(self, text: str) -> Part:
        """Return a sentence as a part."""
        return Part(value=self.house.redact(text).encode())

    def draft(
        self, kind: str, data: Mapping[str, Json], parts: Mapping[str, Part] | None = None
    ) -> Draft:
        """Return a fact of this run, said by the bot."""
        return Draft(kind=kind, actor=INTERLOCK, data=data, parts=parts or {}, run=self.state.id)

    def note(self, draft: Draft) -> None:
        """Take up a fact that may ride on the next commit: a read, or a branch not taken."""
        self._pending.append(draft)
        self.state = after(self.state, self._provisional(draft))

    def note_outcome(self, draft: Draft) -> None:
        """Take up what came of an effect.

        Whoever does so either commits at once or goes straight on to the next effect, whose
        announcement then shares the commit. A segment that was only slow still has its say:
        should another process hold the run by then, the outcome is appended all the same.
        """
        self._outcomes.append(draft)
        self.note(draft)

    @property
    def has_outcome(self) -> bool:
        """Whether the outcome of an effect is not committed yet."""
        return bool(self._outcomes)

    @property
    def is_full(self) -> bool:
        """Whether so many facts are pending that they deserve a commit of their own."""
        return len(self._pending) >= MOST_PENDING

    def commit(self, *drafts: Fact, also: Also | None = None, rests: bool = False) -> bool:
        """Record the pending facts, then `drafts`, in one transaction.

        False when others had written to the run: theirs are taken up, the pending facts are
        recorded, `drafts` are not, and the caller looks again. With `rests` it lets go of the
        run at the same time, for drafts after which only another entry can set it going.

        Raises:
            SupersededError: another process has taken the run over; at most the outcome of an
                effect was recorded, and whoever holds the run is told to look.
            StorageError: nothing was recorded.
        """
        with self.house.store.begin() as unit:
            row = unit.lock_run(self.state.id)
            is_late = row.epoch != self._epoch and self.has_outcome
            if is_late:
                self._record_late(unit)
            else:
                base, has_news = self._take_up(unit, row)
                if not has_news:
                    base = self._record(unit, drafts, base)
                    self._finish(unit, also, rests=rests)
        if is_late:
            raise SupersededError
        self._settle_on(base)
        return not has_news

    def _finish(self, unit: Unit, also: Also | None, *, rests: bool) -> None:
        if also is not None:
            also(unit)
        if rests:
            unit.release(self.state.id)

    def rest(self, until: datetime | None = None, *, also: Also | None = None) -> bool:
        """Let go of the run until somebody acts or `until` comes.

        Returns True when there is more to do at once, because others wrote meanwhile.
        """
        with self.house.store.begin() as unit:
            row = unit.lock_run(self.state.id)
            base, has_news = self._take_up(unit, row)
            if has_news or row.is_ready:
                self._epoch = unit.claim(self.state.id, by=self.house.name)
            else:
                self._let_go(unit, until, also)
        self._settle_on(base)
        return has_news or row.is_ready

    def _let_go(self, unit: Unit, until: datetime | None, also: Also | None) -> None:
        if until is not None:
            run = self.state.id
            unit.set_due(Due(kind=DueKind.WAKE, key=run, run=run, at=until))
        if also is not None:
            also(unit)
        unit.release(self.state.id)

    def _take_up(self, unit: Unit, row: RunRow) -> tuple[RunState, bool]:
        """Return the committed state with the pending facts recorded, and if others wrote."""
        if row.epoch != self._epoch:
            raise SupersededError
        if not self._is_claimed:
            self._epoch = unit.claim(self.state.id, by=self.house.name)
        has_news = row.rseq > self._base.rseq
        base = self._base
        if has_news:
            for entry in unit.entries(self.state.id, after=base.rseq):
                base = after(base, entry)
        return self._record(unit, self._pending, base), has_news

    def _record(self, unit: Unit, drafts: Sequence[Fact], base: RunState) -> RunState:
        for draft in drafts:
            made = draft if isinstance(draft, Draft) else draft(unit)
            base = after(base, record(unit, made))
        return base

    def _record_late(self, unit: Unit) -> None:
        now_there = replay(self.state.id, unit.entries(self.state.id))
        for draft in self._outcomes:
            for fact in late_drafts(draft, now_there):
                record(unit, fact)
        self.house.dispatcher.enqueue(unit, self.state.id)

    def _settle_on(self, base: RunState) -> None:
        self._base = self.state = base
        self._is_claimed = True
        self._pending = []
        self._outcomes = []

    def _provisional(self, draft: Draft) -> Entry:
        """Return the entry that `draft` will become, as far as the state depends on it."""
        parts = {
            name: StoredPart(cls=one.cls, commitment="", value=one.value, salt=one.salt)
            for name, one in draft.parts.items()
        }
        return Entry(
            id="",
            index=None,
            run=draft.run,
            rseq=self.state.rseq + 1,
            at=self.house.now(),
            kind=draft.kind,
            actor=draft.actor,
            data=draft.data,
            parts=parts,
        )


def record(unit: Unit, draft: Draft, *more: Message) -> Entry:
    """Append a fact and queue the messages it asks for."""
    entry = unit.append(draft)
    for message in (*messages_about(entry), *more):
        unit.send(message)
    return entry
