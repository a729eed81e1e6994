"""What the state machine does its work with: a house that can be left and entered again.

The checks here read entries and tables, and never ask the engine what it thinks of them.
"""

import itertools
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from storage.database import open_database
from storage.heads import head
from storage.log_setup import init_log, open_journal
from storage.rebuild import check_projections
from storage.store import SqlStore
from storage.verify import verify_database
from tests.fuse import Crash, Fuse
from tests.world import Clock, Working, World
from workflows.engine import Engine
from workflows.entry import Entry, RunId
from workflows.moments import moment
from workflows.run import Status

ORIGIN = "interlock.example/audit/T0"


class Office:
    """One database and one outside world, and the process that works on them just now."""

    def __init__(
        self,
        home: Path,
        *,
        definitions: tuple[str, ...],
        policy: str,
        url: str = "",
        branches: int = 16,
    ) -> None:
        """`url` is that of an empty database, else it is a file; `branches` go at the same time."""
        self.home = home
        self.url = url or str(home / "interlock.db")
        self.branches = branches
        self.fuse = Fuse()
        self.ids = itertools.count(1)
        self.clock = Clock()
        self.world = World()
        self._definitions = definitions
        self._policy = policy
        self.database = open_database(self.url)
        journal = init_log(self.database, home, origin=ORIGIN, now=self.clock)
        self.store = SqlStore(self.database, journal, now=self.clock)
        self.house = self._enter(None)

    def _enter(self, before: Working | None) -> Working:
        house = Working(
            self.store,
            self.clock,
            world=self.world,
            definitions=self._definitions,
            policy=self._policy,
        )
        if before is not None:
            house.town = before.town
            house.policy = before.policy
            house.shelf = before.shelf
        made = house._house(self.fuse.around(self.store))  # noqa: SLF001 - its own.
        house.engine = Engine(replace(made, branches=self.branches, new_id=self.new_id))
        return house

    def another_worker(self) -> Engine:
        """Return the engine of a process that works on the same database at the same time."""
        made = self.house._house(self.store)  # noqa: SLF001 - as above.
        return Engine(replace(made, name="other", branches=1, new_id=self.new_id))

    def new_id(self) -> str:
        """Return an id that no process here gives again."""
        return f"{next(self.ids):032d}"

    def restart(self) -> None:
        """End the process without a word and begin another on the same file."""
        self.database.close()
        self.fuse.blows_at = None
        self.database = open_database(self.url)
        journal = open_journal(self.database, self.home, now=self.clock)
        self.store = SqlStore(self.database, journal, now=self.clock)
        self.world.trouble = lambda _place: None
        self.house = self._enter(self.house)
        self.house.sweep()

    def work(self) -> None:
        """Work until nothing is ready; where that ends the process, begin another."""
        try:
            self.house.settle()
        except Crash:
            self.restart()

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    # --- what must always hold ---------------------------------------------------------------

    def check(self, runs: Sequence[RunId]) -> None:
        """Raise AssertionError at the first thing that must never be."""
        for run in runs:
            entries = self.house.entries(run)
            assert [one.rseq for one in entries] == list(range(len(entries)))
            self._check_end(run, entries)
            check_intents(entries)
            check_edits(entries)
            check_effects(run, entries, self.world.effects)
        assert [str(one) for one in check_projections(self.database)] == []

    def _check_end(self, run: RunId, entries: Sequence[Entry]) -> None:
        ends = [one.rseq for one in entries if one.kind in ("run.finished", "run.cancelled")]
        with self.store.begin() as unit:
            row, waiting = unit.lock_run(run), unit.open_request(run)
        assert len(ends) <= 1
        assert row.status.is_end == bool(ends)
        if row.status.is_end:
            assert ends == [len(entries) - 1]
            assert waiting is None
            assert {one.kind.value for one in self.house.due(run)} <= {"summarise"}
        if row.status is Status.WAITING:
            assert waiting is not None

    def check_log(self) -> None:
        """Raise AssertionError unless the log verifies and tells of nothing that is not allowed."""
        with self.database.read() as connection:
            vkey = head(connection).vkey
        report = verify_database(self.url, [vkey], now=self.clock, processes=1)
        told = [one for one in report.semantics if not one[0].endswith("-without-end")]
        assert report.exit == 0, report.lines()
        assert told == []


def check_intents(entries: Sequence[Entry]) -> None:
    """Every effect was announced on an approval of exactly that, by enough people, in time."""
    asked = {one.data["request"]: one for one in entries if one.kind == "approval.requested"}
    for intent in (one for one in entries if one.kind == "action.intended"):
        if intent.data["request"] is None:
            assert intent.data["effect"] != "destructive"
            continue
        request = asked[intent.data["request"]]
        voices = [
            one
            for one in entries[: intent.rseq]
            if one.kind == "approval.granted" and one.data["request"] == request.data["request"]
        ]
        assert intent.data["binding"] == request.data["binding"]
        if any(
            one.kind == "break_glass.used" and one.data["request"] == request.data["request"]
            for one in entries[: intent.rseq]
        ):
            continue  # Somebody decided alone, and answers for it in a review.
        assert all(one.at < moment(str(request.data["expires"])) for one in voices)
        check_quorum(request, voices, entries)
        assert not any(
            one.kind == "approval.denied" and one.data["settles"]
            for one in entries[: intent.rseq]
            if one.data.get("request") == request.data["request"]
        )


def check_edits(entries: Sequence[Entry]) -> None:
    """An effect is what was asked last, and nobody who changed it has agreed to it."""
    inputs, editors = {}, set()
    for one in entries:
        if "input" in one.parts:
            inputs = json.loads(one.parts["input"].value or b"{}")
        if one.kind == "approval.edited":
            assert not any(other.kind == "action.intended" for other in entries[: one.rseq])
            editors.add(one.actor.ref)
        if one.kind == "approval.granted":
            assert one.actor.ref not in editors
        if one.kind == "action.intended":
            assert json.loads(one.parts["args"].value or b"{}")["by"] == inputs["by"]


def check_quorum(request: Entry, voices: Sequence[Entry], entries: Sequence[Entry]) -> None:
    """Each stage was approved by enough of those asked there, in turn, nobody twice."""
    stages, places, done = stages_of(request), [0], set[str]()
    for before, stage in pairwise(stages):
        together = "turn" in stage and stage["turn"] == before.get("turn")
        places.append(places[-1] + (not together))
    for number, stage in enumerate(stages):
        own = [one for one in voices if one.data["stage"] == number]
        given = {one.actor.ref for one in own}
        seats = {str(one.data.get("for", one.actor.ref)) for one in own}  # Some stand in.
        assert len(given) == len(seats) >= stage["approve"]
        assert seats <= {*stage["people"], *added_to(number, request, entries)}
        assert not given & {*request.data["excluded"], entries[0].actor.ref}
        assert not given & done
        done |= given
    turns = [places[one.data["stage"]] for one in voices]
    assert turns == sorted(turns)


def added_to(stage: int, request: Entry, entries: Sequence[Entry]) -> set[str]:
    """Return those whom escalations let in there."""
    return {
        person
        for one in entries
        if one.kind == "approval.escalated" and one.data["request"] == request.data["request"]
        if stage in one.data["stages"]
        for person in one.data["to"]
    }


def stages_of(request: Entry) -> list[Any]:
    stages = request.data["stages"]
    assert isinstance(stages, list)
    return stages


def check_effects(run: RunId, entries: Sequence[Entry], effects: Sequence[str]) -> None:
    """An effect happens once, unless a person had it sent again."""
    again = [
        one
        for one in entries
        if one.actor.is_person
        and (
            (one.kind == "action.resolved" and one.data["happened"] == "no")
            or (one.kind == "decision.made" and one.data["decision"] == "retry")
        )
    ]
    times = Counter(effects)[f"{run}/change"]
    assert times <= 1 + len(again)
    assert times <= sum(one.kind == "action.intended" for one in entries)
