"""Recording what somebody says about several requests of one run, in one transaction.

Each request is decided by the rules of `deciding`, and has a decision of its own. What does not
count is told one by one, and takes nothing from the others.
"""

from collections.abc import Sequence
from functools import cache

from workflows.deciding import (
    Admitted,
    Voter,
    admit_ballot,
    attempt_of,
    check_code,
    check_reason,
    checked,
    is_coded,
    is_repeated,
    record_vote,
    said_already,
    voter_for,
)
from workflows.entry import RequestId
from workflows.errors import GateError, PeopleUnreadableError
from workflows.house import House
from workflows.orders import Ballot, Decided, Refused
from workflows.people_store import AskedNow
from workflows.refusing import note_refused
from workflows.store import Unit

Said = Decided | Refused


def decide_together(house: House, ballots: Sequence[Ballot]) -> Sequence[Said]:
    """Record one person's verdicts on requests of one run; return what came of each, in order.

    One code goes with all approvals among them. What is refused leaves an entry as well.

    Raises:
        UnknownRunError: there is no such request.
        StepUpError: a code is wanted, and this one does not count; nothing was decided.
        SecretError: the person's secret cannot be opened.
        NotAllowedError: as `decide`; nothing was decided.
        PeopleUnreadableError: who this person is could not be read; nothing was decided.
        ValueError: the requests are of several runs.
    """
    try:
        said = _decide_together(house, ballots)
    except GateError as refused:
        note_refused(house, attempt_of(ballots[0]), refused)
        raise
    _note(house, ballots, said)
    return said


def may_decide_together(
    house: House, ballots: Sequence[Ballot], *, notes: bool
) -> Sequence[Refused]:
    """Return why none of these verdicts would count but for its reason and its code.

    Nothing is returned, and nothing recorded, if one of them would. Else each that is refused
    leaves an entry as if it had been said, with `notes`. Said already, it counts for no more.

    Raises:
        UnknownRunError, NotAllowedError, PeopleUnreadableError: as `decide_together`.
    """
    found: dict[RequestId, Said] = {}
    asked = _asked(house, ballots, found)
    judged = [one for one in ballots if one.request in asked]
    voters = _voters(house, judged, asked)
    with house.store.begin() as unit:
        for ballot in judged:
            try:
                one = admit_ballot(unit, voters[ballot.request], ballot, is_known=lambda: False)
            except GateError as refused:
                found[ballot.request] = Refused(request=ballot.request, why=refused)
                continue
            if isinstance(one, Admitted):
                return []
            found[ballot.request] = one
    if notes:
        _note(house, ballots, [found[one.request] for one in ballots])
    return [_refused(one, found[one.request]) for one in ballots]


def _refused(ballot: Ballot, said: Said) -> Refused:
    if isinstance(said, Refused):
        return said
    return Refused(request=ballot.request, why=said_already(ballot.verdict))


def _note(house: House, ballots: Sequence[Ballot], said: Sequence[Said]) -> None:
    for ballot, one in zip(ballots, said, strict=True):
        if isinstance(one, Refused):
            note_refused(house, attempt_of(ballot), one.why)


def _decide_together(house: House, ballots: Sequence[Ballot]) -> Sequence[Said]:
    found: dict[RequestId, Said] = {}
    asked = _asked(house, ballots, found)
    judged = [one for one in ballots if one.request in asked]
    if len({one.request.run for one in asked.values()}) > 1:
        raise ValueError("requests of several runs cannot be decided together")
    voters = _voters(house, judged, asked)
    needs_code = any(is_coded(asked[one.request].request, one) for one in judged)
    vault = house.vault().ready() if needs_code else None
    with house.store.begin() as unit:
        admitted = _admitted(unit, voters, judged, found, takes_up=vault is None)
        coded = next((one for one in admitted if is_coded(one.request, one.ballot)), None)
        refusal = None
        if vault is not None and coded is not None:
            refusal = check_code(unit, vault, coded)
        if refusal is None:
            found |= {one.request.id: record_vote(unit, house, one) for one in admitted}
    if refusal is not None:
        raise refusal  # Only now, since the attempt is counted in what was committed.
    return [found[one.request] for one in ballots]


def _asked(
    house: House, ballots: Sequence[Ballot], found: dict[RequestId, Said]
) -> dict[RequestId, AskedNow]:
    """Return the requests that the card showed as they are asked.

    What is refused is kept in `found`.
    """
    asked = {}
    for ballot in ballots:
        try:
            asked[ballot.request] = checked(house, ballot)
        except GateError as refused:
            found[ballot.request] = Refused(request=ballot.request, why=refused)
    return asked


def _voters(
    house: House, ballots: Sequence[Ballot], asked: dict[RequestId, AskedNow]
) -> dict[RequestId, Voter]:
    """Return the voter for each request; requests put to the same people are read once."""
    known: dict[object, Voter] = {}
    voters = {}
    for ballot in ballots:
        request = asked[ballot.request].request
        same = (request.stages, request.excluded, request.terms.exclude)
        if same not in known:
            known[same] = voter_for(house, asked[ballot.request], ballot.person)
        voters[request.id] = known[same]
    return voters


def _admitted(
    unit: Unit,
    voters: dict[RequestId, Voter],
    ballots: Sequence[Ballot],
    found: dict[RequestId, Said],
    *,
    takes_up: bool,
) -> list[Admitted]:
    """Return the verdicts that count; what becomes of the others is kept in `found`."""
    admitted: list[Admitted] = []

    @cache  # All of them came by the same delivery, which is taken up once.
    def is_known() -> bool:
        return takes_up and is_repeated(unit, ballots[0])

    for ballot in ballots:
        try:
            one = admit_ballot(unit, voters[ballot.request], ballot, is_known=is_known)
            if isinstance(one, Admitted):
                check_reason(one)
        except GateError as refused:
            found[ballot.request] = Refused(request=ballot.request, why=refused)
            continue
        if isinstance(one, Decided):
            found[ballot.request] = one
        else:
            admitted.append(one)
    unread = [one.why for one in found.values() if isinstance(one, Refused)]
    if not admitted and any(isinstance(one, PeopleUnreadableError) for one in unread):
        raise next(one for one in unread if isinstance(one, PeopleUnreadableError))
    return admitted
