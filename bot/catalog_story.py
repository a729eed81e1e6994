"""The story of a workflow in the catalog: who proposed which version, who agreed, when and why.

Read from the entries alone: those about the workflow, and those of the runs that decided it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from bot.wording import NAMELESS, Who, who_of
from storage.catalog_history import ACTIVATED, LEVELS, PUBLISHED, REFUSED, count_told, told_of
from storage.history import read_run
from storage.listing import people_of
from storage.transaction import Database
from workflows.entry import Actor, Entry, Json
from workflows.moments import stamp
from workflows.own_workflows import PUBLISH, RETIRE
from workflows.run import Status

_DID = {
    PUBLISHED: "published",
    ACTIVATED: "active",
    LEVELS: "level",
    REFUSED: "refused before anybody was asked",
}
OWNS = (PUBLISH, RETIRE)

Votes: TypeAlias = tuple[tuple[Who, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of a workflow's place: `what` is published, active, retired or level.

    A proposal that came to nothing, or to nothing yet, is one too: denied, expired, cancelled,
    or whatever it waits for; one that nobody was asked about names a version only where its file
    could be read. `by` is who published it or proposed the change, None where the
    files said so; `agreed` and `refused` are those who decided, each with what they wrote.
    """

    what: str
    at: datetime
    index: int | None
    version: str
    replaces: str | None
    run: str | None
    by: Who | None
    agreed: Votes
    refused: Votes
    why: str
    origin: str

    @property
    def data(self) -> dict[str, object]:
        """Return it as data."""
        return {
            "what": self.what,
            "at": stamp(self.at),
            "index": self.index,
            "version": self.version,
            "replaces": self.replaces,
            "run": self.run,
            "by": None if self.by is None else self.by.plain,
            "agreed": [{"who": who.plain, "said": said} for who, said in self.agreed],
            "refused": [{"who": who.plain, "said": said} for who, said in self.refused],
            "why": self.why,
            "origin": self.origin,
        }

    @property
    def words(self) -> str:
        """Return it in one line."""
        was = f" in place of {self.replaces[:8]}" if self.replaces else ""
        told = [
            f"{self.version[:8]} {_words(self.what)}{was}".lstrip(),
            "as the files said" if self.by is None else f"{self._verb} by {self.by.plain}",
            f"agreed: {_named(self.agreed)}" if self.agreed else "",
            f"rejected: {_named(self.refused)}" if self.refused else "",
            f"why: {self.why}" if self.why else "",
            f"from {self.origin}" if self.origin else "",
        ]
        return "; ".join(one for one in told if one)

    @property
    def _verb(self) -> str:
        is_wish = self.run is not None or self.what == _DID[REFUSED]
        return "proposed" if is_wish else "published"


def _named(votes: Votes) -> str:
    return ", ".join(f"{who.plain} ({said})" if said else who.plain for who, said in votes)


def story_of(
    database: Database, workflow: str, *, most: int | None = None, skip: int = 0
) -> list[Change]:
    """Return what became of a workflow, the newest first; nothing if nobody knows it.

    Only the runs that decided what is returned are read.
    """
    with database.read() as connection:
        told = told_of(connection, workflow, owns=OWNS, most=most, skip=skip)
        runs = {str(one.run or one.data.get("by_run") or "") for one in told} - {""}
        read = {run: read_run(connection, run) for run in sorted(runs)}
    known = _known(database, [one.actor for run in (told, *read.values()) for one in run])
    return [
        _change(one, read, known) if one.run is None else _proposal(read[one.run], known)
        for one in told
    ]


def length_of_story(database: Database, workflow: str) -> int:
    """Return how many changes the story of a workflow has."""
    with database.read() as connection:
        return count_told(connection, workflow, owns=OWNS)


def _known(database: Database, actors: Iterable[Actor]) -> Mapping[str, Who]:
    refs = sorted({one.ref for one in actors if one.is_person})
    return {ref: who_of(*one) for ref, one in people_of(database, refs).items()}


def _words(what: str) -> str:
    return Status.DENIED.words if what == Status.DENIED.value else what


def _proposal(told: list[Entry], known: Mapping[str, Who]) -> Change:
    """Return a proposal that came to nothing, as it stands."""
    first, last = told[0], told[-1]
    given = _inputs(first)
    ends = {"run.finished": str(last.data.get("outcome")), "run.cancelled": "cancelled"}
    return Change(
        what=ends.get(last.kind, "proposed, not decided yet"),
        at=first.at,
        index=first.index,
        version=str(given.get("version")),
        replaces=_text(given.get("replaces")),
        run=first.run,
        by=_who(first.actor, known),
        agreed=_votes(told, "approval.granted", known),
        refused=_votes(told, "approval.denied", known),
        why=str(given.get("reason") or ""),
        origin=str(given.get("origin") or ""),
    )


def _votes(told: list[Entry], kind: str, known: Mapping[str, Who]) -> Votes:
    return tuple(
        (_who(one.actor, known), _part(one, "comment")) for one in told if one.kind == kind
    )


def _change(entry: Entry, decided: Mapping[str, list[Entry]], known: Mapping[str, Who]) -> Change:
    data = entry.data
    run = str(data["by_run"]) if data.get("by_run") else None
    told = decided.get(run or "", [])
    first = told[0] if told else entry
    given = _inputs(first)
    commit = str(data.get("commit") or "")
    return Change(
        what=_DID.get(entry.kind, "retired"),
        at=entry.at,
        index=entry.index,
        version=str(data.get("version") or ""),
        replaces=_text(data.get("replaces")),
        run=run,
        by=_who(first.actor, known) if first.actor.is_person else None,
        agreed=_votes(told, "approval.granted", known),
        refused=(),
        why=_part(entry, "reason") or str(given.get("reason") or ""),
        origin=str(given.get("origin") or (f"commit {commit[:12]}" if commit else "")),
    )


def _who(actor: Actor, known: Mapping[str, Who]) -> Who:
    return known.get(actor.ref, NAMELESS)


def _inputs(first: Entry) -> Mapping[str, Json]:
    part = first.parts.get("input")
    return {} if part is None or part.value is None else json.loads(part.value)


def _part(entry: Entry, name: str) -> str:
    part = entry.parts.get(name)
    return "" if part is None or part.value is None else part.value.decode()


def _text(value: Json) -> str | None:
    return None if value is None else str(value)
