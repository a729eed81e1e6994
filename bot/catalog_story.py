"""The story of a workflow in the catalog: who proposed which version, who agreed, when and why.

Read from the entries alone: those about the workflow, and those of the runs that decided it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.wording import Who, who_of
from storage.catalog_history import ACTIVATED, LEVELS, PUBLISHED, history_of
from storage.history import read_run
from storage.listing import people_of
from storage.transaction import Database
from workflows.entry import Actor, Entry, Json
from workflows.moments import stamp

_DID = {
    PUBLISHED: "published",
    ACTIVATED: "active",
    LEVELS: "level",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of a workflow's place: `what` is published, active, retired or level.

    `by` is who published it or proposed the change, None where the files said so; `agreed` are
    those whose approvals it rests on, each with what they wrote.
    """

    what: str
    at: datetime
    index: int | None
    version: str
    replaces: str | None
    run: str | None
    by: Who | None
    agreed: tuple[tuple[Who, str], ...]
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
            "why": self.why,
            "origin": self.origin,
        }

    @property
    def words(self) -> str:
        """Return it in one line."""
        was = f" in place of {self.replaces[:8]}" if self.replaces else ""
        agreed = [f"{who.plain} ({said})" if said else who.plain for who, said in self.agreed]
        told = [
            f"{self.version[:8]} {self.what}{was}",
            "as the files said" if self.by is None else f"{self._verb} by {self.by.plain}",
            f"agreed: {', '.join(agreed)}" if agreed else "",
            f"why: {self.why}" if self.why else "",
            f"from {self.origin}" if self.origin else "",
        ]
        return "; ".join(one for one in told if one)

    @property
    def _verb(self) -> str:
        return "proposed" if self.run is not None else "published"


def story_of(database: Database, workflow: str) -> list[Change]:
    """Return what became of a workflow, the newest first; nothing if nobody knows it."""
    told = history_of(database, workflow)
    runs = {str(one.data["by_run"]) for one in told if one.data.get("by_run")}
    with database.read() as connection:
        decided = {run: read_run(connection, run) for run in sorted(runs)}
    actors = [one.actor for one in (*told, *(one for run in decided.values() for one in run))]
    known = _known(database, actors)
    return [_change(one, decided, known) for one in reversed(told)]


def _known(database: Database, actors: Iterable[Actor]) -> Mapping[str, Who]:
    refs = sorted({one.ref for one in actors if one.is_person})
    return {ref: who_of(*one) for ref, one in people_of(database, refs).items()}


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
        version=str(data["version"]),
        replaces=_text(data.get("replaces")),
        run=run,
        by=_who(first.actor, known) if first.actor.is_person else None,
        agreed=tuple(
            (_who(one.actor, known), _said(one)) for one in told if one.kind == "approval.granted"
        ),
        why=str(given.get("reason") or ""),
        origin=str(given.get("origin") or (f"commit {commit[:12]}" if commit else "")),
    )


def _who(actor: Actor, known: Mapping[str, Who]) -> Who:
    return known.get(actor.ref, Who(name="somebody whose name was erased"))


def _inputs(first: Entry) -> Mapping[str, Json]:
    part = first.parts.get("input")
    return {} if part is None or part.value is None else json.loads(part.value)


def _said(granted: Entry) -> str:
    part = granted.parts.get("comment")
    return "" if part is None or part.value is None else part.value.decode()


def _text(value: Json) -> str | None:
    return None if value is None else str(value)
