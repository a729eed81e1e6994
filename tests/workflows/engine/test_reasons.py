"""Where the policy wants a reason, nothing is decided without one."""

import pytest

from storage.store import SqlStore
from tests.world import POLICY, Clock, Working
from workflows.entry import RunId
from workflows.errors import ReasonMissingError
from workflows.gate import Outcome, Verdict

REASONED = POLICY.replace("approve: 1}]", "approve: 1}]\n    reason: required")


def asked(store: SqlStore, clock: Clock) -> tuple[Working, RunId]:
    house = Working(store, clock, policy=REASONED)
    run = house.start()
    house.settle()
    return house, run


@pytest.mark.parametrize("comment", ["", "  \n ", "\u200b \u3164"])
@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_decision_without_a_reason_is_refused(
    store: SqlStore, clock: Clock, verdict: Verdict, comment: str
) -> None:
    house, run = asked(store, clock)

    with pytest.raises(ReasonMissingError, match="reason"):
        house.vote(run, verdict, by="ana", comment=comment)

    assert house.kinds(run)[-1] == "approval.requested"


def test_the_reason_stays_beside_the_decision(store: SqlStore, clock: Clock) -> None:
    house, run = asked(store, clock)
    house.vote(run, Verdict.APPROVE, by="ana", comment="seen the invoice")
    granted = house.entries(run)[-1]

    assert granted.kind == "approval.granted"
    assert granted.parts["comment"].value == b"seen the invoice"


TICKET = POLICY.replace(
    "approve: 1}]",
    'approve: 1}]\n    reason: {pattern: "(OPS|FIN)-[0-9]+", hint: "Name the ticket, as OPS-12."}',
)


@pytest.mark.parametrize("said", ["", "fine", "OPS-", "see OPS-12", "OPS-12\nand more"])
def test_an_approval_without_the_wanted_form_of_reason_changes_nothing(
    said: str, store: SqlStore, clock: Clock
) -> None:
    house = Working(store, clock, policy=TICKET)
    run = house.start()
    house.settle()

    with pytest.raises(ReasonMissingError):
        house.vote(run, Verdict.APPROVE, by="ana", comment=said)
    assert house.request(run).outcome is Outcome.OPEN


def test_a_reason_of_the_wanted_form_does(store: SqlStore, clock: Clock) -> None:
    house = Working(store, clock, policy=TICKET)
    run = house.start()
    house.settle()

    house.vote(run, Verdict.APPROVE, by="ana", comment=" OPS-12 ")
    assert house.request(run).outcome is Outcome.APPROVED


def test_nobody_needs_a_ticket_to_say_no(store: SqlStore, clock: Clock) -> None:
    house = Working(store, clock, policy=TICKET)
    run = house.start()
    house.settle()
    with pytest.raises(ReasonMissingError, match="A reason is required"):
        house.deny(run, comment="")

    house.deny(run, comment="too much")
    assert house.request(run).outcome is Outcome.DENIED


def test_a_reason_has_to_fit_every_rule(store: SqlStore, clock: Clock) -> None:
    other = (
        '  - {name: long, when: "true", stages: [{from: ["@deciders"]}], '
        'reason: {pattern: ".{8,}", hint: Write more than that.}}\n'
    )
    house = Working(store, clock, policy=TICKET + other)
    run = house.start()
    house.settle()

    with pytest.raises(ReasonMissingError, match="Write more than that"):
        house.vote(run, Verdict.APPROVE, by="ana", comment="OPS-12")
    house.vote(run, Verdict.APPROVE, by="ana", comment="OPS-12345678")
    assert house.request(run).outcome is Outcome.APPROVED
