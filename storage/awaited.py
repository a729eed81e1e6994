"""Keeps the table of whom an open request or question waits for, one row a person.

It follows from requests, decisions, questions and runs by the rules of `workflows.awaited`, and
is brought up in the transaction of the entry that changes them. `told_rows` says it once more
from those tables alone, for `rebuild`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from operator import itemgetter

from storage.change import RowSql
from storage.request_rows import read_stages, widened
from storage.run_sql import RunSql
from storage.stated_values import moment_in
from storage.told_rows import Key, Row, ToldRows
from storage.transaction import Database
from workflows.awaited import awaited
from workflows.entry import Entry, Json, Ref, RequestId, RunId
from workflows.gate import ApprovalRequest, Decision, Outcome, Verdict
from workflows.quick_json import loaded
from workflows.telling import ENDS, settles_request

HEALED_AT_ONCE = 200


class AwaitedSql(RowSql):
    """The statements, on one transaction."""

    __slots__ = ()

    def follow(self, entry: Entry) -> None:
        """Bring the table up to an entry whose other changes are made already."""
        if entry.kind == "question.asked":
            until = moment_in(entry.data["expires"])
            self._add(_id(entry), _people(entry.data), is_question=True, run=entry.run, until=until)
        elif entry.kind == "question.answered" or settles_request(entry):
            self.later("DELETE FROM awaited WHERE id = ?", _id(entry))
        elif entry.kind in ENDS:
            self.later(
                "DELETE FROM awaited WHERE id IN"
                " (SELECT id FROM question WHERE run_id = ? AND answered_at IS NULL)",
                entry.run,
            )
        elif entry.kind == "approval.requested":
            asked = _raised(entry)
            self._add(
                asked.id,
                awaited(asked, []),
                is_question=False,
                run=asked.run,
                until=asked.expires_at,
            )
        elif entry.run and entry.kind.startswith("approval.") and entry.data.get("request"):
            # A refusal stands outside the run, changes nobody, and does not hold the run.
            self.set_request(_id(entry))

    def set_request(self, request: str) -> None:
        """Say anew whom a request waits for."""
        self.later("DELETE FROM awaited WHERE id = ?", request)
        runs = RunSql(self._tx)
        asked = runs.request(request)
        if asked is not None:
            people = awaited(asked, runs.decisions(request))
            until = asked.expires_at
            self._add(request, people, is_question=False, run=asked.run, until=until)

    def _add(
        self,
        ident: str,
        people: Iterable[str],
        *,
        is_question: bool,
        run: str | None,
        until: datetime,
    ) -> None:
        rows = [(ident, ref, is_question, run, until) for ref in sorted(people)]
        if rows:
            marks = ", ".join(["(?, ?, ?, ?, ?)"] * len(rows))
            self.later(
                f"INSERT INTO awaited (id, ref, is_question, run_id, until) VALUES {marks}",  # noqa: S608  fixed text
                *(value for row in rows for value in row),
            )

    def astray(self, *, after: str, limit: int) -> list[str]:
        """Return requests, in order of their ids, whose rows may be those of another release.

        That one raised, decided and settled requests without a word in this table.
        """
        found = self.run(
            "SELECT id FROM (SELECT r.id FROM approval_request r WHERE r.outcome = 'open'"
            " AND (NOT EXISTS (SELECT 1 FROM awaited a WHERE a.id = r.id)"
            " OR EXISTS (SELECT 1 FROM decision d WHERE d.request_id = r.id))"
            " UNION SELECT a.id FROM awaited a JOIN approval_request r ON r.id = a.id"
            " WHERE r.outcome <> 'open') AS found WHERE id > ? ORDER BY id LIMIT ?",
            *(after, limit),
        )
        return [str(one[0]) for one in found.fetchall()]


def heal(database: Database) -> int:
    """Bring rows up to what a process of the release before did; return how many requests.

    Each transaction is short and holds the request's run, as every decision does.
    """
    count, after = 0, ""
    while True:
        with database.glance() as tx:
            found = AwaitedSql(tx).astray(after=after, limit=HEALED_AT_ONCE)
        for request in found:
            with database.begin() as tx:
                RunSql(tx).hold_run_of(request)
                AwaitedSql(tx).set_request(request)
        count += len(found)
        if len(found) < HEALED_AT_ONCE:
            return count
        after = found[-1]


def _id(entry: Entry) -> str:
    return str(entry.data["request"])


def _raised(entry: Entry) -> ApprovalRequest:
    """Return the request that an entry raises. Its requester is among those it excludes."""
    data = entry.data
    row = {
        **{name: data[name] for name in ("step", "binding", "policy")},
        **{name: json.dumps(data[name]) for name in ("stages", "excluded")},
        "run_id": entry.run,
        "needs_reason": data.get("reason") == "required",
        "raised_at": entry.at,
        "expires_at": moment_in(data["expires"]),
        "outcome": Outcome.OPEN.value,
    }
    return _request(_id(entry), row, requester="")


def _people(data: Mapping[str, Json]) -> list[str]:
    people = data.get("people")
    return [str(one) for one in people] if isinstance(people, list) else []


def told_rows(tables: Mapping[str, ToldRows]) -> Iterator[tuple[Key, Row]]:
    """Yield the keys and rows of the table, as the projected ones have it."""
    asked = {ident for (ident,), row in tables["approval_request"].items() if _is_open(row)}
    given: dict[str, list[Decision]] = {}
    for row in tables["decision"].values():
        if row["request_id"] in asked:
            given.setdefault(row["request_id"], []).append(_decision(row))
    added: dict[str, list[tuple[Key, Row]]] = {}
    for key, row in tables["escalation"].items():
        if key[0] in asked:
            added.setdefault(key[0], []).append((key, row))
    for (ident,), row in tables["approval_request"].items():
        if _is_open(row):
            more = [one for _, one in sorted(added.get(ident, ()), key=itemgetter(0))]
            requester = _run_of(tables, row)["requester"]
            waits = _request(ident, row, requester=requester, added=more)
            people = awaited(waits, given.get(ident, []))
            yield from _told(ident, people, row, is_question=False)
    for (ident,), row in tables["question"].items():
        if row["answered_at"] is None and _run_of(tables, row)["finished_at"] is None:
            yield from _told(ident, loaded(row["people"]) or [], row, is_question=True)


def _is_open(row: Row) -> bool:
    return bool(row["outcome"] == Outcome.OPEN.value)


def _run_of(tables: Mapping[str, ToldRows], row: Row) -> Row:
    run = tables["run"].get((row["run_id"],))
    if run is None:
        raise LookupError(f"no entry begins run {row['run_id']}")
    return run


def _told(
    ident: str, people: Iterable[str], row: Row, *, is_question: bool
) -> Iterator[tuple[Key, Row]]:
    for ref in people:
        values = {"is_question": is_question, "run_id": row["run_id"], "until": row["expires_at"]}
        yield (ident, str(ref)), values


def _decision(row: Row) -> Decision:
    return Decision(
        approver=Ref(row["approver"]),
        stage=row["stage"],
        verdict=Verdict(row["verdict"]),
        at=row["decided_at"],
        stands_for=None if row["stands_for"] is None else Ref(row["stands_for"]),
    )


def _request(ident: str, row: Row, *, requester: str, added: Iterable[Row] = ()) -> ApprovalRequest:
    """Return a request as far as it says whom it waits for."""
    more = [(one["people"], one["named"], one["stages"]) for one in added]
    return ApprovalRequest(
        id=RequestId(ident),
        run=RunId(row["run_id"]),
        step=row["step"],
        binding=row["binding"],
        policy=row["policy"],
        stages=widened(read_stages(row["stages"]), more),
        excluded=frozenset(Ref(one) for one in loaded(row["excluded"])),
        requester=requester,
        needs_reason=row["needs_reason"],
        raised_at=row["raised_at"],
        expires_at=row["expires_at"],
        outcome=Outcome(row["outcome"]),
    )
