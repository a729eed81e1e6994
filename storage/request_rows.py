"""Reads requests back from their rows and those of their escalations, which are found together."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from storage.change import read_moment, read_moment_or_none
from workflows.entry import Ref, RequestId, RunId
from workflows.errors import UnknownRunError
from workflows.gate import Added, ApprovalRequest, Outcome, Stage
from workflows.quick_json import loaded
from workflows.terms import terms_of


def read_requests(found: Iterable[Sequence[Any]]) -> list[ApprovalRequest]:
    """Return the requests that the columns of `run_sql` tell of, each once, in their order.

    A request has a row for each of its escalations, and one if there are none.
    """
    rows: dict[str, list[Sequence[Any]]] = {}
    for row in found:
        rows.setdefault(row[0], []).append(row)
    return [_request(some) for some in rows.values()]


def _request(rows: Sequence[Sequence[Any]]) -> ApprovalRequest:
    (ident, run, step, binding, policy, stages, excluded, requester, needs_reason) = rows[0][:9]
    raised_at, expires_at, outcome, settled_at, consumed, terms, batch = rows[0][9:16]
    escalated = [row[16:] for row in rows if row[16] is not None]
    left_out = [Ref(one) for one in loaded(excluded)]
    return ApprovalRequest(
        id=RequestId(ident),
        run=RunId(run),
        step=step,
        binding=binding,
        policy=policy,
        stages=widened(read_stages(stages), escalated),
        excluded=frozenset(left_out),
        requester=requester,
        needs_reason=bool(needs_reason),
        raised_at=read_moment(raised_at),
        expires_at=read_moment(expires_at),
        outcome=Outcome(outcome),
        settled_at=read_moment_or_none(settled_at),
        is_consumed=consumed is not None,
        terms=terms_of(loaded(terms) if terms else {}, left_out),
        batch=None if batch is None else RequestId(batch),
    )


def read_stages(text: str) -> tuple[Stage, ...]:
    """Return the stages as an `approval.requested` wrote them."""
    return tuple(
        Stage(
            groups=tuple(one["from"]),
            approve=one["approve"],
            deny=one["deny"],
            people=frozenset(Ref(person) for person in one["people"]),
            turn=one.get("turn"),
        )
        for one in loaded(text)
    )


def widened(stages: Sequence[Stage], escalated: Iterable[Sequence[Any]]) -> tuple[Stage, ...]:
    """Return the stages with the people whom escalations added."""
    found = list(stages)
    for people, named, places in escalated:
        added = Added(
            groups=tuple(loaded(named)),
            people=frozenset(Ref(one) for one in loaded(people)),
        )
        for index in loaded(places):
            found[index] = replace(found[index], added=(*found[index].added, added))
    return tuple(found)


def no_request(request: str) -> UnknownRunError:
    """Return the refusal of a request that this log does not hold: none was ever taken out."""
    return UnknownRunError(
        f"There is no request {request}.",
        hint="Its card is of a log before this one, of which nothing goes on. Ask anew.",
    )
