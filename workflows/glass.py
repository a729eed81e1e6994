"""Break-glass: who may decide a request alone, and which missing review stands in the way.

Pure, as `gate` is: the engine reads who is who and what was used before, and asks here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from workflows.admission import asked
from workflows.entry import Entry, Json, Ref, RequestId, RunId
from workflows.errors import NotEligibleError, RequestClosedError
from workflows.gate import ApprovalRequest, Outcome

MOST_BREAKERS = 50


class Finding(StrEnum):
    """What a reviewer says of a use of the glass."""

    RIGHT = "right"
    NOT_RIGHT = "not_right"


@dataclass(frozen=True, slots=True, kw_only=True)
class Glass:
    """The glass of one request, fixed when it was raised.

    `names` are the groups and people of the policy who may break it and `people` those behind
    them; `by` are the names of those who review it within `review`.
    """

    names: tuple[str, ...]
    people: frozenset[Ref]
    by: tuple[str, ...]
    review: timedelta

    def json(self) -> dict[str, Json]:
        """Return it as an entry carries it."""
        return {
            "from": list(self.names),
            "people": [str(one) for one in sorted(self.people)],
            "by": list(self.by),
            "review": int(self.review.total_seconds()),
        }

    @classmethod
    def of(cls, raised: Entry | None) -> Self | None:
        """Return the glass of the request that an entry raised, None if it has none."""
        found = raised.data.get("glass") if raised is not None else None
        if not isinstance(found, dict):
            return None
        review = found["review"]
        return cls(
            names=_texts(found["from"]),
            people=frozenset(Ref(one) for one in _texts(found["people"])),
            by=_texts(found["by"]),
            review=timedelta(seconds=review if isinstance(review, int) else 0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GlassUse:
    """One use of the glass: whose, under which names, and what came of its review.

    `asked` are names of those who review it, `reviewers` those who were told in person.
    """

    id: str  # Of the entry.
    run: RunId
    request: RequestId
    step: str
    by: Ref
    at: datetime
    review_by: datetime
    names: tuple[str, ...]
    asked: tuple[str, ...]
    reviewers: tuple[Ref, ...]
    finding: Finding | None = None
    reviewed_by: Ref | None = None
    reviewed_at: datetime | None = None
    review_entry: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """Somebody who would like to break the glass.

    `member_of` are the names of the glass behind which this person stands now; `why_never` says
    why this sort of person never counts, if so.
    """

    ref: Ref
    member_of: frozenset[str]
    why_never: str = ""


def admit_breaker(
    request: ApprovalRequest,
    glass: Glass | None,
    breaker: Breaker,
    *,
    now: datetime,
    is_frozen: bool,
) -> Glass:
    """Return the glass if `breaker` may break it over `request` now.

    Over an approved request there is something to break only while a freeze holds it back.

    Raises:
        RequestClosedError: there is nothing to decide any more.
        NotEligibleError: this is not for this person, or not at all.
    """
    may_pass = request.outcome is Outcome.APPROVED and not request.is_consumed and is_frozen
    if request.outcome is not Outcome.OPEN and not may_pass:
        raise RequestClosedError(
            f"This request is already {request.outcome.words}.",
            hint="Nothing was changed by your click.",
        )
    if request.outcome is Outcome.OPEN and now >= request.expires_at:
        raise RequestClosedError(
            "This request has expired.", hint="Ask the requester to send it again."
        )
    if glass is None:
        raise NotEligibleError("The policy has no glass to break here.", hint=asked(request))
    if breaker.why_never:
        raise NotEligibleError(
            f"You cannot break the glass: {breaker.why_never}.",
            why="account",
            hint=asked(request),
        )
    if breaker.ref not in glass.people or not breaker.member_of:
        raise NotEligibleError(
            f"Only {' or '.join(glass.names)} can break the glass.", hint=asked(request)
        )
    return glass


def blocking(overdue: Iterable[GlassUse], breaker: Breaker) -> GlassUse | None:
    """Return the use that has to be reviewed first: their own, or one of their group."""
    return next(
        (
            one
            for one in overdue
            if one.by == breaker.ref or breaker.member_of.intersection(one.names)
        ),
        None,
    )


def raised_by(entries: Sequence[Entry], request: RequestId) -> Entry | None:
    """Return the entry that raised a request."""
    return next(
        (
            one
            for one in entries
            if one.kind == "approval.requested" and one.data["request"] == request
        ),
        None,
    )


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, list) else ()
