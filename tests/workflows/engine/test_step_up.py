"""An approval with a one-time code: whose codes count, when a code does, and what is recorded."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from storage.history import read_entries
from storage.rebuild import check_projections
from storage.sequencing import sequence_pending
from storage.store import SqlStore
from tests.world import POLICY, Clock, Working, id_of
from workflows.breaking import Breaking
from workflows.delegating import NewDelegation
from workflows.enrolling import Proof
from workflows.entry import Entry, Ref, RunId
from workflows.errors import (
    NoCodesError,
    NotAllowedError,
    NotEligibleError,
    SecretError,
    StepUpError,
    WrongCodeError,
)
from workflows.gate import Outcome, Verdict
from workflows.orders import Ballot
from workflows.store import Delivery, Subject
from workflows.totp import code_of, step_at

CODED = (
    POLICY.replace("approve: 1}]", "approve: 1}]\n    step_up: totp")
    + 'roles: {governors: ["@governors"]}\n'
)
SECRETS = {name: name.encode().ljust(20, b".") for name in ("ana", "ben", "dora", "gus", "ana2")}


@pytest.fixture
def house(store: SqlStore, clock: Clock) -> Working:
    found = Working(store, clock, policy=CODED)
    found.town.groups["@governors"] = {"gus", "ana"}
    return found


def code(house: Working, name: str, *, steps: int = 0) -> str:
    return code_of(SECRETS[name], step_at(house.clock()) + steps)


def offers(house: Working, who: str, secret: str = "") -> str:
    return house.engine.offer_codes(id_of(who), SECRETS[secret or who])


def proves(house: Working, who: str, ident: str, typed: str) -> None:
    house.engine.prove_codes(Proof(person=id_of(who), enrolment=ident, code=typed))


def enrols(house: Working, who: str, secret: str = "", *, by: str = "gus") -> str:
    """Have somebody set codes up and a governor confirm them, and let the code go out of use."""
    ident = offers(house, who, secret)
    proves(house, who, ident, code(house, secret or who))
    if by:
        house.engine.confirm_codes(ident, governor=id_of(by))
    house.clock.forward(timedelta(seconds=60))
    return ident


def asked(house: Working) -> RunId:
    run = house.start()
    house.settle()
    return run


def approve(house: Working, run: RunId, typed: str, *, by: str = "ana") -> Outcome:
    return house.vote(run, Verdict.APPROVE, by=by, code=typed).tally.outcome


def told(house: Working, *kinds: str) -> list[Entry]:
    sequence_pending(house.store.database, house.store.journal.sequencer)
    with house.store.database.read() as connection:
        found = read_entries(connection, 0, 100_000)
    return [one for one in found if one.kind in kinds]


def refusals(house: Working) -> list[object]:
    return [one.data["why"] for one in told(house, "step_up.refused")]


def wrong(house: Working, name: str) -> str:
    """Return six digits that are no code of that person around now."""
    near = {code(house, name, steps=shift) for shift in (-1, 0, 1)}
    return next(one for one in ("000000", "111111", "222222", "333333") if one not in near)


def test_an_approval_with_a_right_code_counts_and_says_so(house: Working) -> None:
    enrols(house, "ana")
    run = asked(house)
    assert approve(house, run, code(house, "ana")) is Outcome.APPROVED
    house.settle()
    (given,) = [one for one in house.entries(run) if one.kind == "approval.granted"]

    assert given.data["step_up"] is True
    assert house.request(run).terms.step_up == "totp"
    assert house.status(run) == "done"
    assert check_projections(house.store.database) == []


def test_without_a_code_nothing_counts_and_nothing_is_counted(house: Working) -> None:
    enrols(house, "ana")
    run = asked(house)
    for typed in ("", "12345", "abcdef"):
        with pytest.raises(WrongCodeError, match="6 digits"):
            approve(house, run, typed)

    assert house.request(run).outcome is Outcome.OPEN
    assert refusals(house) == []


def test_to_reject_nobody_needs_a_code(house: Working) -> None:
    run = asked(house)
    assert house.deny(run, by="ana").tally.outcome is Outcome.DENIED
    (given,) = [one for one in house.entries(run) if one.kind == "approval.denied"]

    assert given.data["step_up"] is False


def test_where_no_rule_asks_for_a_code_none_is_needed(store: SqlStore, clock: Clock) -> None:
    plain = Working(store, clock)
    run = asked(plain)

    assert plain.request(run).terms.step_up is None
    assert approve(plain, run, "") is Outcome.APPROVED
    with pytest.raises(StepUpError, match="Nothing here asks"):
        offers(plain, "ana")


def test_who_has_no_codes_is_told_so(house: Working) -> None:
    with pytest.raises(NoCodesError, match="have none yet"):
        approve(house, asked(house), "123456")


def test_codes_do_not_count_before_a_governor_confirmed_them(house: Working) -> None:
    ident = enrols(house, "ben", by="")
    run = asked(house)
    with pytest.raises(NoCodesError, match="wait for a governor"):
        approve(house, run, code(house, "ben"), by="ben")

    house.engine.confirm_codes(ident, governor=id_of("gus"))
    assert approve(house, run, code(house, "ben"), by="ben") is Outcome.APPROVED


def test_nobody_confirms_their_own_codes_nor_does_anybody_but_a_governor(house: Working) -> None:
    ident = enrols(house, "ana", by="")
    with pytest.raises(NotAllowedError, match="another governor"):
        house.engine.confirm_codes(ident, governor=id_of("ana"))
    for who in ("ben", "rita"):
        with pytest.raises(NotAllowedError, match="Only a governor"):
            house.engine.confirm_codes(ident, governor=id_of(who))

    assert told(house, "step_up.confirmed") == []


def test_a_governor_alone_cannot_set_codes_up(house: Working) -> None:
    house.town.groups["@governors"] = {"ana"}

    with pytest.raises(StepUpError, match="no governor but you"):
        offers(house, "ana")


def test_every_governor_but_the_person_is_asked_and_the_person_is_told(house: Working) -> None:
    ident = enrols(house, "ana", by="")
    (entry,) = told(house, "step_up.enrolled")
    with house.store.begin() as unit:
        gus, ana = unit.ref(id_of("gus")), unit.ref(id_of("ana"))

    assert entry.data["asked"] == [gus]
    for who in (gus, ana):
        assert house.store.outbox.find(Subject.CODES, f"{ident}/{who}") is not None


def test_a_wrong_code_while_setting_up_enrols_nothing(house: Working) -> None:
    ident = offers(house, "ana")
    with pytest.raises(WrongCodeError, match="not right"):
        proves(house, "ana", ident, wrong(house, "ana"))
    assert told(house, "step_up.enrolled") == []

    proves(house, "ana", ident, code(house, "ana"))
    assert len(told(house, "step_up.enrolled")) == 1


def test_only_the_secret_shown_last_can_be_set_up_and_only_by_who_saw_it(house: Working) -> None:
    first = offers(house, "ana")
    second = offers(house, "ana", "ana2")
    for who, ident in (("ana", first), ("ben", second)):
        with pytest.raises(NoCodesError, match="too long ago"):
            proves(house, who, ident, code(house, "ana"))
    house.clock.forward(timedelta(minutes=16))

    with pytest.raises(NoCodesError, match="too long ago"):
        proves(house, "ana", second, code(house, "ana2"))


def test_a_code_counts_once_the_one_it_was_set_up_with_too(house: Working) -> None:
    ident = offers(house, "ana")
    used = code(house, "ana")
    proves(house, "ana", ident, used)
    house.engine.confirm_codes(ident, governor=id_of("gus"))
    run = asked(house)
    with pytest.raises(WrongCodeError, match="used already"):
        approve(house, run, used)
    house.clock.forward(timedelta(seconds=30))

    now = code(house, "ana")
    assert approve(house, run, now) is Outcome.APPROVED
    with pytest.raises(WrongCodeError, match="used already"):
        approve(house, asked(house), now)
    assert refusals(house) == ["used", "used"]


def test_an_older_code_than_one_that_was_used_is_refused(house: Working) -> None:
    enrols(house, "ana")
    before = code(house, "ana", steps=-1)
    approve(house, asked(house), code(house, "ana"))

    with pytest.raises(WrongCodeError, match="used already"):
        approve(house, asked(house), before)


def test_five_wrong_codes_lock_for_a_quarter_of_an_hour(house: Working) -> None:
    enrols(house, "ana")
    run = asked(house)
    for _ in range(4):
        with pytest.raises(WrongCodeError, match="not right"):
            approve(house, run, wrong(house, "ana"))
    with pytest.raises(StepUpError, match="5 wrong codes") as fifth:
        approve(house, run, wrong(house, "ana"))
    assert not isinstance(fifth.value, WrongCodeError)
    with pytest.raises(StepUpError, match="5 wrong codes"):
        approve(house, run, code(house, "ana"))
    house.clock.forward(timedelta(minutes=14, seconds=59))
    with pytest.raises(StepUpError, match="5 wrong codes"):
        approve(house, run, code(house, "ana"))
    house.clock.forward(timedelta(seconds=1))

    assert approve(house, run, code(house, "ana")) is Outcome.APPROVED
    assert refusals(house) == ["wrong"] * 5
    assert "locked_until" in told(house, "step_up.refused")[-1].data


def test_wrong_codes_are_counted_over_any_quarter_of_an_hour(house: Working) -> None:
    enrols(house, "ana")
    run = asked(house)
    for minutes in (0, 5, 5, 4, 1, 5):  # Never five within fifteen.
        house.clock.forward(timedelta(minutes=minutes))
        with pytest.raises(WrongCodeError, match="not right"):
            approve(house, run, wrong(house, "ana"))

    assert len(refusals(house)) == 6


@pytest.mark.parametrize("misses", [4, 5])
def test_codes_that_were_refused_by_a_clock_far_ahead_count_for_nothing_once_it_is_right(
    house: Working, misses: int
) -> None:
    enrols(house, "ana")
    day = timedelta(days=1)
    house.clock.forward(day)
    run = asked(house)
    for _ in range(misses):  # Right by the app, whose clock is right.
        with pytest.raises(StepUpError):
            approve(house, run, code(house, "ana", steps=-(day // timedelta(seconds=30))))
    house.clock.forward(-day)
    with pytest.raises(WrongCodeError, match="4 more of these"):
        approve(house, run, wrong(house, "ana"))

    assert approve(house, run, code(house, "ana")) is Outcome.APPROVED


def test_a_clock_that_is_put_right_by_a_few_seconds_opens_no_lock(house: Working) -> None:
    enrols(house, "ana")
    run = asked(house)
    for _ in range(5):
        with pytest.raises(StepUpError):
            approve(house, run, wrong(house, "ana"))
    house.clock.forward(timedelta(seconds=-10))

    with pytest.raises(StepUpError, match="none of yours counts until"):
        approve(house, run, code(house, "ana"))


def test_the_lock_is_of_one_person(house: Working) -> None:
    enrols(house, "ana")
    enrols(house, "ben")
    run = asked(house)
    for _ in range(5):
        with pytest.raises(StepUpError):
            approve(house, run, wrong(house, "ana"))

    assert approve(house, run, code(house, "ben"), by="ben") is Outcome.APPROVED


def test_who_may_not_decide_uses_up_no_code(house: Working) -> None:
    enrols(house, "dora")
    run = asked(house)
    with pytest.raises(NotEligibleError):
        approve(house, run, code(house, "dora"), by="dora")
    with house.store.begin() as unit:
        guard = unit.codes.hold(unit.ref(id_of("dora")))

    assert guard.last_step < step_at(house.clock())


def lends(house: Working, typed: str = "", *, days: int = 1) -> None:
    """Have Ana let Dora decide in her place."""
    until = house.clock() + timedelta(days=days)
    new = NewDelegation(giver=id_of("ana"), stand_in=id_of("dora"), until=until, code=typed)
    house.engine.delegate(new)


def test_who_stands_in_types_a_code_of_their_own(house: Working) -> None:
    enrols(house, "ana")
    enrols(house, "dora")
    lends(house, code(house, "ana"))
    run = asked(house)
    with pytest.raises(WrongCodeError):
        approve(house, run, code(house, "ana", steps=1), by="dora")

    assert approve(house, run, code(house, "dora"), by="dora") is Outcome.APPROVED


def test_a_stolen_login_lends_no_voice_without_a_code(house: Working) -> None:
    enrols(house, "ana")
    enrols(house, "dora")
    for typed in ("", wrong(house, "ana")):
        with pytest.raises(WrongCodeError):
            lends(house, typed)

    assert told(house, "approval.delegated") == []
    lends(house, code(house, "ana"))
    (said,) = told(house, "approval.delegated")
    assert said.data["step_up"] is True
    assert [str(one) for one in check_projections(house.store.database)] == []


def test_a_voice_that_was_lent_without_a_code_rejects_and_approves_nothing_that_wants_one(
    house: Working,
) -> None:
    enrols(house, "dora")
    lends(house)  # Ana has no codes yet, and gets some.
    enrols(house, "ana")
    run = asked(house)

    with pytest.raises(StepUpError, match="typed none when they let you"):
        approve(house, run, code(house, "dora"), by="dora")
    assert house.deny(run, by="dora").tally.outcome is Outcome.DENIED

    lends(house, code(house, "ana"))
    assert approve(house, asked(house), code(house, "dora"), by="dora") is Outcome.APPROVED


def test_new_codes_leave_the_old_ones_alone_until_they_are_confirmed(house: Working) -> None:
    """A stolen login can ask for new codes; that neither gives codes nor takes any away."""
    enrols(house, "ana")
    news = enrols(house, "ana", "ana2", by="")
    with pytest.raises(WrongCodeError):
        approve(house, asked(house), code(house, "ana2"))
    assert approve(house, asked(house), code(house, "ana")) is Outcome.APPROVED

    house.engine.confirm_codes(news, governor=id_of("gus"))
    house.clock.forward(timedelta(seconds=30))
    with pytest.raises(WrongCodeError):
        approve(house, asked(house), code(house, "ana"))
    assert approve(house, asked(house), code(house, "ana2")) is Outcome.APPROVED
    assert check_projections(house.store.database) == []


def test_declined_codes_are_over_and_cannot_be_confirmed(house: Working) -> None:
    ident = enrols(house, "ana", by="")
    house.engine.decline_codes(ident, governor=id_of("gus"))
    for decide in (house.engine.confirm_codes, house.engine.decline_codes):
        with pytest.raises(StepUpError, match="do not wait"):
            decide(ident, governor=id_of("gus"))

    with pytest.raises(NoCodesError):
        approve(house, asked(house), code(house, "ana"))
    assert [one.data["reason"] for one in told(house, "step_up.reset")] == ["declined"]


def test_a_governor_takes_anothers_codes_away_never_their_own(house: Working) -> None:
    enrols(house, "ana")
    enrols(house, "ana", "ana2", by="")
    for who, whose in (("ana", "ana"), ("ben", "ana")):
        with pytest.raises(NotAllowedError):
            house.engine.reset_codes(id_of(whose), governor=id_of(who))
    house.engine.reset_codes(id_of("ana"), governor=id_of("gus"))

    with pytest.raises(NoCodesError, match="have none yet"):
        approve(house, asked(house), code(house, "ana"))
    with pytest.raises(NoCodesError, match="has no codes"):
        house.engine.reset_codes(id_of("ana"), governor=id_of("gus"))
    assert check_projections(house.store.database) == []


def test_codes_that_ended_leave_no_secret_behind(house: Working) -> None:
    enrols(house, "ana")
    house.engine.reset_codes(id_of("ana"), governor=id_of("gus"))
    with house.store.database.glance() as tx:
        kept = tx.run("SELECT sealed FROM step_up").fetchall()
        offered = tx.run("SELECT offer_sealed FROM step_up_guard").fetchall()

    assert [one[0] for one in kept] == [None]
    assert {one[0] for one in offered} <= {None}


def test_a_secret_moved_to_another_person_opens_nothing(house: Working) -> None:
    enrols(house, "ana")
    enrols(house, "ben")
    with house.store.database.begin() as tx:
        (sealed,) = tx.run("SELECT sealed FROM step_up ORDER BY enrolled_at LIMIT 1").fetchone()
        tx.run("UPDATE step_up SET sealed = ?", (bytes(sealed),))

    with pytest.raises(SecretError):
        approve(house, asked(house), code(house, "ana"), by="ben")


@pytest.fixture
def crowd() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def test_of_many_clicks_with_one_code_at_once_one_counts(
    house: Working, crowd: ThreadPoolExecutor
) -> None:
    enrols(house, "ana")
    runs = [asked(house) for _ in range(6)]
    typed = code(house, "ana")

    def click(run: RunId) -> bool:
        try:
            return approve(house, run, typed) is Outcome.APPROVED
        except WrongCodeError:
            return False

    assert sum(crowd.map(click, runs)) == 1
    assert refusals(house) == ["used"] * 5


def test_wrong_codes_at_once_are_all_counted(house: Working, crowd: ThreadPoolExecutor) -> None:
    enrols(house, "ana")
    runs = [asked(house) for _ in range(8)]
    typed = wrong(house, "ana")

    def click(run: RunId) -> str:
        try:
            approve(house, run, typed)
        except StepUpError as refused:
            return type(refused).__name__
        return "counted"

    said = sorted(crowd.map(click, runs))
    assert said == ["StepUpError"] * 4 + ["WrongCodeError"] * 4
    assert refusals(house) == ["wrong"] * 5


def test_entries_name_people_by_pseudonym_and_hold_no_code(house: Working) -> None:
    enrols(house, "ana")
    run = asked(house)
    with pytest.raises(WrongCodeError):
        approve(house, run, wrong(house, "ana"))
    typed = code(house, "ana")
    approve(house, run, typed)
    with house.store.database.read() as connection:
        lines = [repr(one) for one in read_entries(connection, 0, 10_000)]

    assert not [one for one in lines if typed in one and "step_up" in one]
    assert all(
        Ref(str(one.data["person"])).startswith("s:")
        for one in told(house, "step_up.enrolled", "step_up.confirmed", "step_up.refused")
    )


def test_a_form_that_is_sent_again_with_the_right_code_counts(house: Working) -> None:
    enrols(house, "ana")
    ballot = Ballot(
        request=house.request(asked(house)).id,
        person=id_of("ana"),
        verdict=Verdict.APPROVE,
        delivery=Delivery(team="T0", kind="submission", key="v1"),
    )
    with pytest.raises(WrongCodeError):
        house.engine.decide(replace(ballot, code=wrong(house, "ana")))

    assert house.engine.decide(replace(ballot, code=code(house, "ana"))).changed


GLASS = 'break_glass: {people: ["@deciders"], by: ["@governors"]}\n'


def breaks(house: Working, run: RunId, typed: str, *, delivery: Delivery | None = None) -> bool:
    order = Breaking(
        request=house.request(run).id,
        person=id_of("ben"),
        reason="the shop is down",
        code=typed,
        delivery=delivery,
    )
    done = house.engine.break_glass(order)
    house.settle()
    return done


def test_whoever_breaks_the_glass_needs_a_code_where_approvers_do(
    store: SqlStore, clock: Clock
) -> None:
    house = Working(store, clock, policy=CODED + GLASS)
    house.town.groups["@governors"] = {"gus", "ana"}
    run = asked(house)
    with pytest.raises(NoCodesError):
        breaks(house, run, "123456")
    enrols(house, "ben")
    sent = Delivery(team="T0", kind="submission", key="v1")
    with pytest.raises(WrongCodeError):
        breaks(house, run, wrong(house, "ben"), delivery=sent)
    assert "break_glass.used" not in house.kinds(run)
    assert len(told(house, "step_up.refused")) == 1

    assert breaks(house, run, code(house, "ben"), delivery=sent)
    assert house.status(run) == "done"
    (used,) = [one for one in house.entries(run) if one.kind == "break_glass.used"]
    assert used.data["step_up"] is True
