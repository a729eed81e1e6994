"""A service that fails, hangs up or talks nonsense: money moves at most once, people are told."""

import pytest

from sandbox.seen import SeenMessage
from sandbox.targets.shop_faults import Fault
from tests.journeys.day import Case


@pytest.mark.parametrize("fault", [Fault.ERROR, Fault.GARBAGE])
def test_a_read_that_fails_once_is_tried_again_by_itself(case: Case, fault: Fault) -> None:
    case.day.stage.shop.faults.switch_on(fault)
    root = case.asks()
    case.in_time(lambda: "approval.requested" in case.kinds() or None, "a second try")
    card = case.card(root)
    case.approves("ana", card)
    case.ends(root, "done")

    assert case.refunds() == [500]
    assert [one.data["outcome"] for one in case.entries() if one.kind == "step.observed"][:2] == [
        "error",
        "ok",
    ]


def exception_card(case: Case, root: SeenMessage) -> SeenMessage:
    """Return the card that asks how an exception goes on."""

    def found() -> SeenMessage | None:
        return next((one for one in case.thread(root) if "Abort" in str(one.buttons)), None)

    return case.in_time(found, "an exception card")


def test_a_read_that_never_answers_is_put_to_the_owner_and_goes_on_when_told(case: Case) -> None:
    case.day.stage.shop.faults.switch_on(Fault.ERROR, times=1000)
    root = case.asks()
    trouble = exception_card(case, root)
    case.day.stage.shop.faults.clear()
    told = refused(case, "ana", trouble, "Retry")
    press(case, "omar", trouble, "Retry")
    case.approves("ana", case.card(root))
    case.ends(root, "done")

    assert "owner" in told
    assert case.refunds() == [500]


def label_of(card: SeenMessage, starts: str) -> str:
    return next(one for one in card.buttons if starts.casefold() in one.casefold())


def press(case: Case, name: str, card: SeenMessage, starts: str) -> None:
    case.person(name).click(label_of(card, starts), message=card)


def refused(case: Case, name: str, card: SeenMessage, starts: str) -> str:
    person = case.person(name)
    before = len(person.ephemerals)
    press(case, name, card, starts)
    return case.waits(lambda: next(iter(person.ephemerals[before:]), None), "an answer").words


@pytest.mark.parametrize("fault", [Fault.AFTER, Fault.AFTER_500])
def test_a_refund_whose_answer_was_lost_is_found_at_the_shop_and_not_sent_again(
    case: Case, fault: Fault
) -> None:
    root = case.asks()
    card = case.card(root)
    case.day.stage.shop.faults.switch_on(fault)
    case.approves("ana", card)
    case.ends(root, "done")

    assert case.refunds() == [500]
    assert "action.in_doubt" in case.kinds()


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.DURING])
def test_a_refund_that_did_not_happen_is_made_once_its_deadline_is_over(
    case: Case, fault: Fault
) -> None:
    root = case.asks()
    card = case.card(root)
    case.day.stage.shop.faults.switch_on(fault)
    case.approves("ana", card)
    case.waits(lambda: "action.intended" in case.kinds() or None, "the first attempt")
    assert case.refunds() == []
    case.in_time(lambda: "run.finished" in case.kinds() or None, "the second attempt")
    case.ends(root, "done")

    assert case.refunds() == [500]
    assert case.kinds().count("approval.granted") == 1


def test_what_nobody_can_find_out_a_person_says_and_it_is_not_sent_again(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = case.asks()
    card = case.card(root)
    case.leaves_a_doubt(monkeypatch)
    case.approves("ana", card)
    doubt = case.waits(
        lambda: next((one for one in case.thread(root) if "happen" in str(one.buttons)), None),
        "a card about the doubt",
    )
    assert "the target acts on it once" in doubt.words
    told = refused(case, "rita", doubt, "happened")
    monkeypatch.undo()
    case.day.stage.shop.faults.clear()
    press(case, "omar", doubt, doubt.buttons[0])
    case.ends(root, "done")

    assert "owner" in told or "someone else" in told
    assert case.refunds() == [500]


def test_a_slow_shop_is_waited_for(case: Case) -> None:
    root = case.asks()
    card = case.card(root)
    case.day.stage.shop.faults.switch_on(Fault.SLOW, times=2, seconds=0.5)
    case.approves("ana", card)
    case.ends(root, "done")

    assert case.refunds() == [500]
