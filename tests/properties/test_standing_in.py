"""Whoever is away and whoever stands in, each place and each person counts once.

Votes arrive as the engine hands them on; what must hold is counted anew from those admitted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.admission import Vote, admit, repeats, taken_back
from workflows.awaited import place_of
from workflows.delegation import Delegation
from workflows.entry import Ref, RequestId, RunId
from workflows.errors import GateError
from workflows.gate import ApprovalRequest, Decision, Outcome, Stage, Verdict, tally
from workflows.separation import Duty
from workflows.standing_in import Absent, seated
from workflows.store import Unit

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PEOPLE = [Ref(f"s:{name}") for name in ("ana", "ben", "cleo", "dora", "rita")]
ASKED = frozenset(PEOPLE[:3])
RITA = PEOPLE[-1]
Words = Mapping[Ref, Ref | None]


@dataclass
class Office:
    """Who is away, where votes arrive, and what was admitted of them."""

    request: ApprovalRequest
    words: dict[Ref, Ref | None] = field(default_factory=dict)
    now: datetime = NOON
    decisions: list[Decision] = field(default_factory=list)
    acting: set[tuple[Ref, Ref | None]] = field(default_factory=set)

    def delegation_of(self, giver: Ref) -> Delegation | None:
        if giver not in self.words:
            return None
        until = NOON + timedelta(hours=1)
        return Delegation(
            entry="e", giver=giver, stand_in=self.words[giver], given_at=NOON, until=until
        )

    def take(self, event: tuple[Ref, Ref | None] | tuple[Ref, Verdict]) -> None:
        who, what = event
        if not isinstance(what, Verdict):
            self.words[who] = None if what == who else what
            return
        vote = Vote(approver=who, verdict=what, member_of=frozenset({"@leads"}) & _groups(who))
        if repeats(vote, self.decisions):
            return
        acting = self.words.get(RITA)
        if acting == who:
            vote = replace(vote, duty=Duty.DELEGATE)
        absent = [
            Absent(giver=giver, member_of=frozenset({"@leads"}), entry="e", is_coded=False)
            for giver, to in sorted(self.words.items())
            if to == who and giver in ASKED and giver != acting
        ]
        unit = cast("Unit", self)
        try:
            vote = seated(unit, self.request, vote, absent=absent, decisions=self.decisions)
            stage = admit(self.request, vote, self.decisions, now=NOON)
        except GateError:
            return
        if taken_back(vote, self.decisions) is None:
            self.acting.add((who, self.words.get(RITA)))
        self.decisions.append(
            Decision(approver=who, stage=stage, verdict=what, at=NOON, stands_for=vote.stands_for)
        )
        self.request = replace(self.request, outcome=tally(self.request, self.decisions).outcome)


def _groups(who: Ref) -> frozenset[str]:
    return frozenset({"@leads"}) if who in ASKED else frozenset()


PERSON = st.sampled_from(PEOPLE)
EVENTS = st.one_of(
    st.tuples(PERSON, st.sampled_from(Verdict)),
    st.tuples(PERSON, st.just(Verdict.APPROVE)),
    st.tuples(PERSON, PERSON),
)


def office_of(approve: int, deny: int) -> Office:
    stage = Stage(groups=("@leads",), approve=approve, deny=deny, people=ASKED)
    return Office(
        ApprovalRequest(
            id=RequestId("request"),
            run=RunId("run"),
            step="change",
            binding="0" * 64,
            policy="1" * 64,
            stages=(stage,),
            excluded=frozenset({RITA}),
            requester=RITA,
            needs_reason=False,
            raised_at=NOON,
            expires_at=NOON + timedelta(hours=1),
        )
    )


@settings(max_examples=300)
@given(st.integers(1, 3), st.integers(1, 3), st.lists(EVENTS, max_size=16))
def test_what_waits_for_somebody_is_what_they_may_approve(
    approve: int, deny: int, events: Sequence[tuple[Ref, Ref | None]]
) -> None:
    office = office_of(approve, deny)
    for event in events:
        office.take(event)
    acting = {one for one in [office.words.get(RITA)] if one is not None}
    told = {
        who: place_of(
            office.request,
            office.decisions,
            who,
            in_place_of={giver for giver, to in office.words.items() if to == who},
            acting=acting,
        )
        for who in PEOPLE
    }

    for who, place in told.items():
        trial = replace(office, decisions=list(office.decisions), acting=set())
        trial.take((who, Verdict.APPROVE))
        given = trial.decisions[len(office.decisions) :]
        assert [one.place for one in given] == ([] if place is None else [place])


@settings(max_examples=300)
@given(st.integers(1, 3), st.integers(1, 3), st.lists(EVENTS, max_size=16))
def test_a_quorum_is_of_distinct_places_and_of_distinct_people(
    approve: int, deny: int, events: Sequence[tuple[Ref, Ref | None]]
) -> None:
    office = office_of(approve, deny)
    for event in events:
        office.take(event)
    approvals = [one for one in office.decisions if one.verdict is Verdict.APPROVE]
    denials = [one for one in office.decisions if one.verdict is Verdict.DENY]
    voices, places = [one.approver for one in approvals], [one.place for one in approvals]

    assert len(set(voices)) == len(voices)
    assert len(set(places)) == len(places)
    assert {*places, *(one.place for one in denials)} <= ASKED
    assert RITA not in {one.approver for one in office.decisions}
    assert all(who != acting for who, acting in office.acting)
    if office.request.outcome is Outcome.APPROVED:
        assert len({*places}) >= approve
    if {one.place for one in denials} & {*places}:
        assert office.request.outcome is Outcome.DENIED


@settings(max_examples=300)
@given(st.integers(1, 3), st.integers(1, 3), st.lists(EVENTS, max_size=16), EVENTS)
def test_whoever_approved_takes_it_back_whatever_was_said_since(
    approve: int, deny: int, events: Sequence[tuple[Ref, Ref | None]], last: tuple[Ref, Ref | None]
) -> None:
    office = office_of(approve, deny)
    for event in events:
        office.take(event)
    if office.request.outcome not in (Outcome.OPEN, Outcome.APPROVED):
        return
    approvals = [one for one in office.decisions if one.verdict is Verdict.APPROVE]
    office.words[last[0]] = last[0] if last[1] not in PEOPLE else last[1]
    for one in approvals:
        trial = replace(office, decisions=list(office.decisions), acting=set())
        trial.take((one.approver, Verdict.DENY))

        assert trial.decisions[-1].place == one.place
        assert trial.request.outcome is Outcome.DENIED
