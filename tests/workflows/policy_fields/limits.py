"""What shows when a limit of the policy is ignored: denials, budgets, freezes, the glass."""

import json
from datetime import timedelta

import pytest

from tests.workflows.engine.gated import asked, of_kind, policy_of, trouble_of, wait
from tests.workflows.policy_fields.harness import Bench, Row
from tests.world import Working, id_of
from workflows.breaking import Breaking
from workflows.entry import Json, RunId
from workflows.errors import NotEligibleError
from workflows.gate import Verdict
from workflows.glass import Finding
from workflows.reviewing import Review

LEADS = 'stages: [{from: ["@leads"]}]'
MONTH = timedelta(days=30)
# It is Monday, 2 March 2026, 12:00 UTC.
ONCE = 'freezes: [{name: night, from: "2026-03-02T10:00", until: "2026-03-02T14:00"}]\n'
WEEKLY = 'freezes: [{name: Mondays, weekly: {weekdays: [1], from: "10:00", to: "14:00"}}]\n'
GLASS = 'break_glass: {people: ["@directors"], by: ["@security"], review: 2h}\n'


def budget(more: str = "limit: 7, window: 2h") -> str:
    one = f'name: changes, when: action == "world.change", amount: args.by, {more}'
    return policy_of(LEADS, rest=f"budgets: [{{{one}}}]\n")


def changed(house: Working, *, by: str = "rita") -> RunId:
    """Change the number by five; return the run."""
    run = asked(house, by=by)
    if house.status(run) == "waiting":
        house.approve(run)
        house.settle()
    return run


# Denials that stick


def a_denial_sticks(bench: Bench, policy: str) -> None:
    house = bench.house(policy)
    house.vote(asked(house), Verdict.DENY, by="ana", comment="no")
    wait(house, days=20)
    (raised,) = of_kind(house, asked(house), "approval.requested")

    assert "denied" in json.loads(raised.parts["preview"].value or b"")


def every_denial_sticks(bench: Bench) -> None:
    a_denial_sticks(bench, policy_of(LEADS).replace("24h}", "24h, sticky: 30d}"))


def denials_of_a_rule_stick(bench: Bench) -> None:
    a_denial_sticks(bench, policy_of(f"{LEADS}, sticky: 30d"))


# Budgets


def there_is_only_so_much(bench: Bench) -> None:
    house = bench.house(budget())
    runs = [changed(house), changed(house)]

    assert [house.status(one) for one in runs] == ["done", "exception"]
    assert "Budget changes: 5 of 7 used in 2h" in trouble_of(house, runs[1])


def what_it_is_not_about_is_free(bench: Bench) -> None:
    house = bench.house(budget().replace('action == "world.change"', 'action == "world.other"'))

    assert [house.status(changed(house)) for _ in range(2)] == ["done", "done"]


def there_is_room_again(bench: Bench) -> None:
    house = bench.house(budget())
    changed(house)
    wait(house, hours=2)

    assert house.status(changed(house)) == "done"


def each_has_their_own(bench: Bench) -> None:
    house = bench.house(budget("per: requester, limit: 7, window: 2h"))
    house.town.groups["@askers"].add("sue")

    assert [house.status(changed(house, by=one)) for one in ("rita", "sue")] == ["done", "done"]


# Freezes


def holds(bench: Bench, freeze: str) -> tuple[Working, RunId]:
    house = bench.house(policy_of(LEADS, rest=freeze))
    run = changed(house)
    until = [one.data["until"] for one in of_kind(house, run, "decision.made")]

    assert until == ["2026-03-02T14:00:00.000Z"]
    return house, run


def effects_wait_once(bench: Bench) -> None:
    house, run = holds(bench, ONCE)

    assert trouble_of(house, run).startswith("the freeze “night”")
    wait(house, hours=2)
    assert house.status(run) == "done"


def effects_wait_each_week(bench: Bench) -> None:
    house, run = holds(bench, WEEKLY)
    wait(house, hours=2)

    assert house.status(run) == "done"


def it_does_not_wait_before(bench: Bench) -> None:
    house = bench.house(policy_of(LEADS, rest=ONCE.replace("T10", "T13")))

    assert house.status(changed(house)) == "done"


def it_does_not_wait_on_other_days(bench: Bench) -> None:
    house = bench.house(policy_of(LEADS, rest=WEEKLY.replace("[1]", "[2]")))

    assert house.status(changed(house)) == "done"


def it_does_not_wait_before_that_hour(bench: Bench) -> None:
    house = bench.house(policy_of(LEADS, rest=WEEKLY.replace('"10:00"', '"13:00"')))

    assert house.status(changed(house)) == "done"


def what_a_freeze_is_not_about_runs(bench: Bench) -> None:
    freeze = ONCE.replace("}]", ", when: 'workflow == \"other\"'}]")
    house = bench.house(policy_of(LEADS, rest=freeze))

    assert house.status(changed(house)) == "done"


# Break-glass


def broken(house: Working, run: RunId, *, by: str = "dora") -> None:
    house.engine.break_glass(
        Breaking(request=house.request(run).id, person=id_of(by), reason="the shop is down")
    )
    house.settle()


def somebody_decides_alone(bench: Bench) -> None:
    house = bench.house(policy_of(LEADS, rest=GLASS))
    run = asked(house)
    broken(house, run)

    assert house.status(run) == "done"


def nobody_else_decides_alone(bench: Bench) -> None:
    house = bench.house(policy_of(LEADS, rest=GLASS))
    run = asked(house)

    with pytest.raises(NotEligibleError, match="Only @directors"):
        broken(house, run, by="ana")


def some_things_have_no_glass(bench: Bench) -> None:
    glass = GLASS.replace("}", ", when: 'workflow == \"other\"'}")
    house = bench.house(policy_of(LEADS, rest=glass))
    run = asked(house)

    with pytest.raises(NotEligibleError, match="no glass"):
        broken(house, run)


def used(house: Working, run: RunId) -> tuple[str, Json]:
    (entry,) = of_kind(house, run, "break_glass.used")
    return entry.id, entry.data["review_by"]


def somebody_reviews_it(bench: Bench) -> None:
    house = bench.house(policy_of(LEADS, rest=GLASS))
    run = asked(house)
    broken(house, run)
    order = Review(use=used(house, run)[0], person=id_of("sue"), finding=Finding.RIGHT)

    assert house.engine.review_glass(order)


def a_review_is_due(bench: Bench) -> None:
    house = bench.house(policy_of(LEADS, rest=GLASS))
    run = asked(house)
    broken(house, run)

    assert used(house, run)[1] == "2026-03-02T14:00:00.000Z"


ROWS = [
    Row(field="Defaults.sticky", scenario=every_denial_sticks),
    Row(field="Rule.sticky", scenario=denials_of_a_rule_stick),
    Row(field="Policy.budgets", scenario=there_is_only_so_much),
    Row(field="Budget.name", scenario=there_is_only_so_much, instead=lambda _: "a budget"),
    Row(field="Budget.when", scenario=what_it_is_not_about_is_free, instead=lambda _: "true"),
    Row(field="Budget.amount", scenario=there_is_only_so_much, instead=lambda _: "1"),
    Row(field="Budget.per", scenario=each_has_their_own),
    Row(field="Budget.limit", scenario=there_is_only_so_much, instead=lambda _: 1000),
    Row(field="Budget.window", scenario=there_is_room_again, instead=lambda _: MONTH),
    Row(field="Policy.freezes", scenario=effects_wait_once),
    Row(field="Freeze.name", scenario=effects_wait_once, instead=lambda _: "a freeze"),
    Row(
        field="Freeze.begins",
        scenario=it_does_not_wait_before,
        instead=lambda old: old and "2026-01-01T00:00",
    ),
    Row(
        field="Freeze.ends",
        scenario=effects_wait_once,
        instead=lambda old: old and "2026-04-01T00:00",
    ),
    Row(field="Freeze.weekly", scenario=effects_wait_each_week),
    Row(field="Freeze.when", scenario=what_a_freeze_is_not_about_runs),
    Row(
        field="Weekly.weekdays",
        scenario=it_does_not_wait_on_other_days,
        instead=lambda _: (1, 2),
    ),
    Row(field="Weekly.begins", scenario=it_does_not_wait_before_that_hour),
    Row(field="Weekly.ends", scenario=effects_wait_each_week, instead=lambda _: "15:00"),
    Row(field="Policy.break_glass", scenario=somebody_decides_alone),
    Row(
        field="BreakGlass.people",
        scenario=nobody_else_decides_alone,
        instead=lambda _: ("@directors", "@leads"),
    ),
    Row(field="BreakGlass.by", scenario=somebody_reviews_it, instead=lambda _: ("@leads",)),
    Row(field="BreakGlass.review", scenario=a_review_is_due),
    Row(field="BreakGlass.when", scenario=some_things_have_no_glass),
]
