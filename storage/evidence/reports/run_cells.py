"""The cells of rows about a run, each from the entry it rests on and what was met before."""

from dataclasses import dataclass

from storage.evidence.reports.columns import EXCEPTIONS
from storage.evidence.reports.fact import Cells, Fact, Finding, Findings, seconds_between

WRONG_CODES = {"wrong": "code_wrong", "used": "code_used"}
NO_REVIEW = "none in the range"


@dataclass(slots=True)
class Call:
    """A model that was asked, what it answered, and which person decided afterwards."""

    asked: Fact
    answered: Fact | None = None
    decided: Fact | None = None


def exception(fact: Fact, name: str, *, detail: object = None) -> Finding:
    """Return the row of an exception that needs no review."""
    cells = {
        "exception": name,
        "step": fact.said("step"),
        "request": fact.said("request"),
        "detail": detail,
    }
    return EXCEPTIONS, fact, cells


def late_reply(resolved: Fact) -> Findings:
    """Yield the exception of a doubt that the action's own outcome settled, too late."""
    if resolved.said("by") == "late_reply":
        yield exception(resolved, "late", detail="the outcome came after it was given up")


def glass_cells(used: Fact, review: Fact | None) -> Cells:
    """Return the cells of a use of the glass, with its review."""
    until = used.said("review_by")
    found: dict[str, object] = {
        "exception": "break-glass",
        "step": used.said("step"),
        "request": used.said("request"),
        "review_by": until,
        "verdict": NO_REVIEW,
    }
    if review is None:
        return found
    return {
        **found,
        "detail": "reviewed late" if review.ts > str(until) else None,
        "review": review.idx,
        "verdict": review.said("verdict"),
        "reviewer": review.actor,
        "reviewed_ts": review.ts,
    }


def refused_cells(fact: Fact) -> dict[str, object]:
    """Return the cells of a decision that did not count: what was tried, and why it was refused.

    A code that was wrong came with an approval, and the bot says whose it was.
    """
    return {
        "request": fact.said("request"),
        "decision": "refused",
        "overlap": "none",
        "wanted": fact.said("decision") or "approved",
        "wanted_by": fact.said("person") or fact.actor,
        "refused": WRONG_CODES.get(str(fact.said("why")), fact.said("why")),
    }


def approval_cells(fact: Fact, asked: Fact | None) -> Cells:
    """Return the cells of a decision over the request that `asked` raised."""
    names = ("request", "decision", "stage", "have", "need", "via", "step_up")
    found: dict[str, object] = {name: fact.said(name) for name in names}
    found["stands_for"] = fact.said("for")
    if asked is None:
        return found
    return {
        **found,
        "step": asked.said("step"),
        "rules": "; ".join(asked.listed("rules")),
        "policy": asked.said("policy"),
        "asked": asked.idx,
        "asked_ts": asked.ts,
        "seconds": seconds_between(asked.ts, fact.ts),
    }


def call_cells(call: Call) -> Cells:
    """Return the cells of a call of a model, with the human decision that came after it."""
    asked, answered, decided = call.asked, call.answered, call.decided
    names = ("purpose", "provider", "model", "template")
    found: dict[str, object] = {name: asked.said(name) for name in names}
    if answered is not None:
        found["answered"] = answered.idx
        counted = ("model", "finish", "tokens_in", "tokens_out", "cost_micro")
        found |= {name: answered.said(name) for name in counted}
    if decided is not None:
        found |= {
            "decision": decided.said("decision"),
            "decided": decided.idx,
            "decided_by": decided.actor,
        }
    return found
