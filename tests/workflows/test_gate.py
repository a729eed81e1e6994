"""What decisions amount to, and whom a stage lets in."""

from tests.world import NOON
from workflows.entry import Ref, RequestId, RunId
from workflows.gate import Added, ApprovalRequest, Decision, Outcome, Stage, Tally, Verdict, tally

ANA, BEN, DORA = Ref("s:ana"), Ref("s:ben"), Ref("s:dora")
LEADS = Stage(groups=("@leads", "@deputies"), approve=1, deny=2, people=frozenset({ANA, BEN}))
DIRECTORS = Stage(groups=("@directors",), approve=2, deny=1, people=frozenset({BEN, DORA}))
YES, NO = Verdict.APPROVE, Verdict.DENY


def told(*decisions: Decision, stages: tuple[Stage, ...] = (LEADS, DIRECTORS)) -> Tally:
    request = ApprovalRequest(
        id=RequestId("q"),
        run=RunId("r"),
        step="change",
        binding="0" * 64,
        policy="1" * 64,
        stages=stages,
        excluded=frozenset(),
        requester="s:rita",
        needs_reason=False,
        raised_at=NOON,
        expires_at=NOON,
    )
    return tally(request, decisions)


def by(who: Ref, verdict: Verdict, stage: int = 0, *, stands_for: Ref | None = None) -> Decision:
    return Decision(approver=who, stage=stage, verdict=verdict, at=NOON, stands_for=stands_for)


def test_a_rejection_that_does_not_suffice_is_no_approval() -> None:
    found = told(by(ANA, NO), stages=(LEADS,))

    assert (found.outcome, found.given, found.waiting) == (Outcome.OPEN, (0,), (0,))
    assert told(by(ANA, NO), by(BEN, NO), stages=(LEADS,)).outcome is Outcome.DENIED
    assert told(by(ANA, NO)).outcome is Outcome.OPEN  # Where one of others would suffice.
    assert told(by(ANA, NO), by(ANA, YES), stages=(LEADS,)).given == (0,)  # It is the last word.


def test_an_approval_that_is_turned_closes_though_it_takes_two_to_reject() -> None:
    assert told(by(ANA, YES), by(ANA, NO), stages=(LEADS,)).outcome is Outcome.DENIED


def test_it_says_which_stage_is_decided_and_what_that_still_needs() -> None:
    first, second = told(), told(by(ANA, YES), by(DORA, YES, 1))

    assert (first.stage, first.have, first.need, first.waiting) == (0, 0, 1, (0,))
    assert (second.stage, second.have, second.need, second.waiting) == (1, 1, 2, (1,))
    assert told(by(ANA, YES), by(BEN, YES, 1), by(DORA, YES, 1)).outcome is Outcome.APPROVED


def test_one_place_counts_once_whoever_spoke_in_it() -> None:
    twice = [by(DORA, YES, 1), by(ANA, YES, 1, stands_for=DORA)]

    assert told(by(BEN, YES), *twice).outcome is Outcome.OPEN
    assert told(by(BEN, YES), *twice, by(BEN, YES, 1, stands_for=ANA)).outcome is Outcome.APPROVED


def test_a_stage_lets_in_who_was_asked_and_belongs_to_one_of_the_groups_still() -> None:
    late = Stage(
        groups=LEADS.groups,
        approve=1,
        deny=1,
        people=LEADS.people,
        added=(Added(groups=("@directors",), people=frozenset({DORA})),),
    )

    assert late.admits(ANA, {"@deputies"})
    assert not late.admits(ANA, set())
    assert not late.admits(ANA, {"@directors"})  # Asked by another name.
    assert not LEADS.admits(DORA, {"@leads"})  # Joined afterwards.
    assert late.admits(DORA, {"@directors"})
    assert not late.admits(DORA, {"@leads"})
