"""Whatever people do to a gate, it opens only for enough of the right people, in order.

The votes here are given to `admit` and `tally` as the engine gives them, but what must hold
afterwards is counted anew from the admitted votes, without the gate's own words.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.admission import Vote, admit, repeats
from workflows.entry import Ref, RequestId, RunId
from workflows.errors import GateError, NotEligibleError, RequestClosedError
from workflows.gate import Added, ApprovalRequest, Decision, Outcome, Stage, Verdict, tally

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PEOPLE = [Ref(f"s:{name}") for name in ("ana", "ben", "cleo", "dora", "rita")]
GROUPS = ["@leads", "@directors", "@governors"]
LATE = Added(groups=("@governors",), people=frozenset(PEOPLE[3:]))
WHY_NEVER = ["", "", "", "", "", "", "guests do not decide"]


@st.composite
def requests(draw: st.DrawFn) -> ApprovalRequest:
    """One to three stages, which may share people; the requester may be among those asked.

    Neighbours may be decided side by side, and an escalation may have added people.
    """
    names = GROUPS[: draw(st.integers(1, 3))]
    turns = draw(st.sampled_from([(None, None, None), (0, 0, None), (None, 1, 1), (0, 0, 0)]))
    stages = []
    for name, turn in zip(names, turns, strict=False):
        people = draw(st.frozensets(st.sampled_from(PEOPLE), min_size=1, max_size=5))
        stages.append(
            Stage(
                groups=(name,),
                approve=draw(st.integers(1, min(2, len(people)))),
                deny=draw(st.integers(1, len(people))),
                people=people,
                turn=turn,
                added=draw(st.sampled_from([(), (), (LATE,)])),
            )
        )
    return ApprovalRequest(
        id=RequestId("request"),
        run=RunId("run"),
        step="change",
        binding="0" * 64,
        policy="1" * 64,
        stages=tuple(stages),
        excluded=draw(st.sampled_from([frozenset(), frozenset(), frozenset(PEOPLE[:1])])),
        requester=draw(st.sampled_from(["schedule", *PEOPLE])),
        needs_reason=False,
        raised_at=NOON,
        expires_at=NOON + timedelta(hours=1),
    )


VOTES = st.builds(
    Vote,
    approver=st.sampled_from(PEOPLE),
    verdict=st.sampled_from(Verdict),
    # Membership as it is at the click: people come and go between two of them.
    member_of=st.one_of(
        st.just(frozenset(GROUPS)),
        st.just(frozenset(GROUPS)),
        st.frozensets(st.sampled_from(GROUPS)),
    ),
    why_never=st.sampled_from(WHY_NEVER),
)
# Of votes that are drawn at random hardly any counts: most of these come from people who may.
LIKELY = st.builds(
    Vote,
    approver=st.sampled_from(PEOPLE),
    verdict=st.sampled_from([*[Verdict.APPROVE] * 4, Verdict.DENY]),
    member_of=st.just(frozenset(GROUPS)),
)
EVENT = st.one_of(*[LIKELY] * 7, VOTES, st.sampled_from(["consume", "an hour goes by"]))
EVENTS = st.lists(EVENT, min_size=3, max_size=16)


@dataclass
class Desk:
    """Where votes arrive: keeps what the engine keeps, decides nothing itself."""

    request: ApprovalRequest
    now: datetime = NOON
    decisions: list[Decision] = field(default_factory=list)

    def take(self, event: Vote | str) -> bool:
        """Take up an event; say whether a vote was admitted."""
        if isinstance(event, Vote):
            return self._vote(event)
        if event == "consume" and self.request.outcome is Outcome.APPROVED:
            self.request = replace(self.request, is_consumed=True)
        if event == "an hour goes by":
            self.now += timedelta(hours=1)
            if self.request.outcome is Outcome.OPEN:
                self.request = replace(self.request, outcome=Outcome.EXPIRED)
        return False

    def _vote(self, vote: Vote) -> bool:
        if repeats(vote, self.decisions):
            return False
        try:
            stage = admit(self.request, vote, self.decisions, now=self.now)
        except GateError:
            return False
        self.decisions.append(
            Decision(approver=vote.approver, stage=stage, verdict=vote.verdict, at=self.now)
        )
        self.request = replace(self.request, outcome=tally(self.request, self.decisions).outcome)
        return True


@settings(max_examples=200)
@given(requests(), EVENTS)
def test_only_a_quorum_of_distinct_people_in_each_stage_in_order_approves(
    request: ApprovalRequest, events: Sequence[Vote | str]
) -> None:
    desk = Desk(request)
    for event in events:
        desk.take(event)
    approvals = [one for one in desk.decisions if one.verdict is Verdict.APPROVE]
    voters = [one.approver for one in approvals]

    assert len(voters) == len(set(voters))
    for who in PEOPLE:
        said = [one.verdict for one in desk.decisions if one.approver == who]
        assert said in ([], [Verdict.APPROVE], [Verdict.DENY], [Verdict.APPROVE, Verdict.DENY])
    assert not {*voters} & ({request.requester} | request.excluded)
    places = [places_of(request)[one.stage] for one in approvals]
    assert places == sorted(places)
    for one in approvals:
        stage = request.stages[one.stage]
        assert one.approver in stage.people.union(*(more.people for more in stage.added))
    if desk.request.outcome is Outcome.APPROVED:
        for index, stage in enumerate(request.stages):
            given_here = {one.approver for one in approvals if one.stage == index}
            assert len(given_here) >= stage.approve


def places_of(request: ApprovalRequest) -> list[int]:
    """Return for each stage where it stands in the order; those side by side stand together."""
    found = [0]
    for before, stage in pairwise(request.stages):
        together = stage.turn is not None and stage.turn == before.turn
        found.append(found[-1] + (not together))
    return found


@settings(max_examples=200)
@given(requests(), st.lists(VOTES, max_size=16))
def test_whoever_is_let_in_leaves_enough_people_for_all_else(
    request: ApprovalRequest, votes: Sequence[Vote]
) -> None:
    """No approval makes impossible what was possible before, as long as nobody leaves."""
    desk = Desk(request)
    for vote in votes:
        was_possible = can_be_met(desk)
        if (
            desk.take(replace(vote, member_of=frozenset(GROUPS)))
            and vote.verdict is Verdict.APPROVE
        ):
            assert can_be_met(desk) == was_possible


def can_be_met(desk: Desk) -> bool:
    """Say by trying whether those who have not decided can still give what is lacking."""
    request = desk.request
    gone = {one.approver for one in desk.decisions} | request.excluded | {request.requester}
    places = []
    for index, stage in enumerate(request.stages):
        given = sum(one.stage == index and one.verdict is Verdict.APPROVE for one in desk.decisions)
        people = stage.people.union(*(more.people for more in stage.added)) - gone
        places += [people] * (stage.approve - given)
    return _seated(places, frozenset())


def _seated(places: Sequence[frozenset[Ref]], taken: frozenset[Ref]) -> bool:
    if not places:
        return True
    return any(_seated(places[1:], taken | {one}) for one in places[0] - taken)


@settings(max_examples=200)
@given(requests(), EVENTS)
def test_once_closed_nothing_is_admitted_any_more(
    request: ApprovalRequest, events: Sequence[Vote | str]
) -> None:
    desk = Desk(request)
    for event in events:
        before = desk.request
        was_closed = before.is_consumed or before.outcome in (Outcome.DENIED, Outcome.EXPIRED)
        is_taken = desk.take(event)

        assert not (was_closed and is_taken)
        if was_closed:
            assert desk.request.outcome is before.outcome


@settings(max_examples=200)
@given(requests(), EVENTS)
def test_an_approval_that_is_taken_back_before_it_was_used_is_a_denial(
    request: ApprovalRequest, events: Sequence[Vote | str]
) -> None:
    desk = Desk(request)
    for event in events:
        desk.take(event)
    for one in [one for one in desk.decisions if one.verdict is Verdict.APPROVE]:
        no = Vote(approver=one.approver, verdict=Verdict.DENY, member_of=frozenset())
        if desk.request.is_consumed or desk.request.outcome in (Outcome.DENIED, Outcome.EXPIRED):
            with pytest.raises(RequestClosedError):
                admit(desk.request, no, desk.decisions, now=desk.now)
        elif desk.request.outcome is Outcome.APPROVED or desk.now < desk.request.expires_at:
            desk.take(no)
            assert desk.request.outcome is Outcome.DENIED


@given(requests(), st.lists(VOTES, max_size=16), st.data())
def test_a_vote_that_counts_twice_counts_once(
    request: ApprovalRequest, votes: Sequence[Vote], data: st.DataObject
) -> None:
    desk = Desk(request)
    for vote in votes:
        desk.take(vote)
    repeated = list(desk.decisions)
    for one in desk.decisions:
        place = data.draw(st.integers(repeated.index(one) + 1, len(repeated)))
        repeated[place:place] = [one] * data.draw(st.integers(0, 2))

    assert tally(request, repeated) == tally(request, desk.decisions)


@given(requests(), st.lists(VOTES, max_size=16))
def test_a_denial_stays_one_whatever_follows_it(
    request: ApprovalRequest, votes: Sequence[Vote]
) -> None:
    """Even of votes that a closed request would never admit."""
    desk = Desk(request)
    for vote in votes:
        desk.take(vote)
        denied = tally(request, desk.decisions).outcome is Outcome.DENIED
        if denied:
            break
    else:
        return
    later = [
        Decision(approver=who, stage=index, verdict=Verdict.APPROVE, at=NOON)
        for index, stage in enumerate(request.stages)
        for who in sorted(stage.people)
    ]

    assert tally(request, [*desk.decisions, *later]).outcome is Outcome.DENIED


@given(requests(), VOTES, st.sampled_from(["requester", "excluded", "guest", "left", "joined"]))
def test_who_may_never_decide_is_refused_whatever_they_say(
    request: ApprovalRequest, vote: Vote, who: str
) -> None:
    stage = request.stages[0]
    person = min(stage.people)
    vote = replace(vote, approver=person, member_of=frozenset(GROUPS), why_never="")
    request = replace(request, requester="nobody", excluded=frozenset())
    if who == "requester":
        request = replace(request, requester=person)
    elif who == "excluded":
        request = replace(request, excluded=frozenset({person}))
    elif who == "guest":
        vote = replace(vote, why_never="guests do not decide")
    elif who == "left":
        vote = replace(vote, member_of=frozenset())
    else:
        others = tuple(
            replace(one, people=one.people - {person}, added=()) for one in request.stages
        )
        request = replace(request, stages=others)

    with pytest.raises(NotEligibleError):
        admit(request, vote, [], now=NOON)


@given(requests(), st.data())
def test_who_said_no_cannot_say_yes_as_well(request: ApprovalRequest, data: st.DataObject) -> None:
    request = replace(request, requester="schedule", excluded=frozenset())
    request = replace(request, stages=tuple(replace(one, deny=5) for one in request.stages))
    person = data.draw(st.sampled_from(sorted(request.stages[0].people)))
    desk = Desk(request)
    no = Vote(approver=person, verdict=Verdict.DENY, member_of=frozenset(GROUPS))

    assert desk.take(no)
    assert not desk.take(replace(no, verdict=Verdict.APPROVE))
