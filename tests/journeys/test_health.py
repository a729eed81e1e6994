"""Somebody asks how approvals go, and is told what is theirs to know."""

from tests.journeys.day import Case


def told(case: Case, name: str, typed: str = "/ops health") -> str:
    person = case.person(name)
    before = len(person.ephemerals)
    person.command(typed, channel=case.channel)
    return case.waits(lambda: next(iter(person.ephemerals[before:]), None), "an answer").words


def test_everybody_is_told_how_approvals_go_and_only_governors_about_whom(case: Case) -> None:
    root = case.asks()
    case.approves("ana", case.card(root))
    case.ends(root, "done")
    rita, ana, ivan = (told(case, name) for name in ("rita", "ana", "ivan"))

    for words in (rita, ana, ivan):
        assert "Health, last 30d" in words
        assert "Nothing stands out." in words
        assert "1 decision (0 before), 100 % approved" in words
        assert "*Refund a customer*: 1 decision" in words
    assert "By approver" not in rita
    assert "*ana*" not in rita
    assert "*ana*: 1 decision" in ana
    assert "*ana*: 1 decision" in ivan
    assert "most often ana for rita: 1 of 1 request (100 %)" in ivan
    assert "most often" not in ana


def test_another_period_can_be_asked_for_and_nonsense_is_answered(case: Case) -> None:
    assert "Health, last 7d" in told(case, "rita", "/ops health 7d")
    assert "is no period; write 7d or 30d" in told(case, "rita", "/ops health sometimes")
    assert "longer than a year" in told(case, "rita", "/ops health 400d")
