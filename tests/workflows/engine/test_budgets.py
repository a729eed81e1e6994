"""Budgets over runs: what effects take, what comes back, and what is refused."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from storage.budget_sql import BudgetSql
from storage.database import open_database
from storage.log_setup import open_journal
from storage.rebuild import check_projections
from storage.store import SqlStore
from tests.world import LOST, POLICY, UNREACHABLE, Clock, Working, failing, id_of
from workflows.actions.base import Happened
from workflows.entry import Entry, Json, RunId
from workflows.loading import load_policy

BUDGET = """
budgets:
  - name: changes a day
    when: action == "world.change"
    amount: args.by
    limit: 10
    window: 24h
"""
ASKS_NOBODY = """
workflow: just-change
title: Change the number at once
owner: "@owners"
deputy: "@deputies"
run_by: ["@askers"]
inputs:
  by: {type: integer, minimum: 0, maximum: 1000, title: By}
  whom: {type: string, title: For whom, default: nobody}
steps:
  - id: change
    uses: world.change
    with: {name: "${{ inputs.whom }}", by: "${{ inputs.by }}"}
    undo: none
"""
TELLS = """
workflow: just-tell
title: Tell somebody
owner: "@owners"
deputy: "@deputies"
run_by: ["@askers"]
steps:
  - id: tell
    uses: slack.post
    with: {text: hello}
"""
LOOPS = """
workflow: change-all
title: Change all of them
owner: "@owners"
deputy: "@deputies"
run_by: ["@askers"]
steps:
  - id: list
    uses: world.list
    with: {name: all}
  - id: each
    foreach: ${{ steps.list.output.rows }}
    as: row
    max_parallel: 1
    on_item_failure: continue
    steps:
      - id: change
        uses: world.change
        with: {name: "${{ row.name }}", by: "${{ row.by }}"}
        undo: none
"""


def a_house(store: SqlStore, clock: Clock, budget: str = BUDGET) -> Working:
    return Working(store, clock, definitions=(ASKS_NOBODY, TELLS, LOOPS), policy=POLICY + budget)


def changed(house: Working, by: int, *, whom: str = "nobody", asker: str = "rita") -> RunId:
    run = house.start("just-change", {"by": by, "whom": whom}, by=asker)
    house.settle()
    return run


def why_stopped(house: Working, run: RunId) -> tuple[str, str]:
    """Return the error class and the words of the run's newest exception."""
    stops = [one for one in house.entries(run) if one.data.get("decision") == "exception"]
    return str(stops[-1].data["rule"]), stops[-1].parts["reason"].value.decode()


def taken(house: Working, run: RunId) -> Json:
    (intent,) = [one for one in house.entries(run) if one.kind == "action.intended"]
    return intent.data.get("budgets")


def intents(house: Working, run: RunId) -> list[Entry]:
    return [one for one in house.entries(run) if one.kind == "action.intended"]


def agrees(house: Working) -> bool:
    return check_projections(house.store.database) == []


def test_an_effect_within_the_budget_runs_and_its_announcement_says_what_it_took(
    store: SqlStore, clock: Clock
) -> None:
    house = a_house(store, clock)
    run = changed(house, 7)

    assert house.status(run) == "done"
    assert taken(house, run) == [{"name": "changes a day", "key": "", "amount": 7}]
    assert agrees(house)


def test_an_effect_beyond_the_budget_does_not_run_and_says_what_is_used_and_when_room_comes(
    store: SqlStore, clock: Clock
) -> None:
    house = a_house(store, clock)
    changed(house, 7)
    run = changed(house, 4)

    assert house.status(run) == "exception"
    assert house.world.number == 17
    assert intents(house, run) == []
    code, words = why_stopped(house, run)
    assert code == "over_budget"
    assert "Budget changes a day: 7 of 10 used in 1d, this takes 4." in words
    assert "there is room from 2026-03-03 12:01 UTC on" in words


def test_a_retry_succeeds_once_there_is_room(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)
    changed(house, 7)
    run = changed(house, 4)
    clock.forward(timedelta(hours=24))
    house.engine.settle_exception(run, "change", person=id_of("omar"), answer="retry")
    house.settle()

    assert house.status(run) == "done"
    assert house.world.number == 21


def test_a_retry_before_that_stops_again(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)
    changed(house, 7)
    run = changed(house, 4)
    clock.forward(timedelta(hours=23, minutes=59))
    house.engine.settle_exception(run, "change", person=id_of("omar"), answer="retry")
    house.settle()

    assert house.status(run) == "exception"


def test_what_takes_nothing_is_not_counted(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)
    changed(house, 10)
    run = changed(house, 0)

    assert house.status(run) == "done"
    assert taken(house, run) is None


def test_a_budget_is_only_about_what_its_condition_names(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock, BUDGET.replace("world.change", "world.other"))
    run = changed(house, 900)

    assert house.status(run) == "done"


def test_a_condition_that_cannot_be_evaluated_counts_as_true(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock, BUDGET.replace("action ==", "inputs.missing =="))

    assert house.status(changed(house, 11)) == "exception"


@pytest.mark.parametrize("amount", ["args.missing", '"many"', "-1", "true", "1.5"])
def test_an_effect_that_cannot_be_counted_does_not_run(
    store: SqlStore, clock: Clock, amount: str
) -> None:
    house = a_house(store, clock)
    # Such a policy is refused when it is read, unless the mistake shows only here.
    (budget,) = house.policy.budgets or ()
    house.policy = house.policy.model_copy(
        update={"budgets": (budget.model_copy(update={"amount": amount}),)}
    )
    run = changed(house, 1)

    assert house.world.effects == []
    assert why_stopped(house, run)[0] == "uncountable"


@pytest.mark.parametrize("per", ["args.missing", "1", '""'])
def test_an_effect_of_which_nobody_can_tell_for_whom_it_counts_does_not_run(
    store: SqlStore, clock: Clock, per: str
) -> None:
    house = a_house(store, clock)
    (budget,) = house.policy.budgets or ()
    house.policy = house.policy.model_copy(
        update={"budgets": (budget.model_copy(update={"per": per}),)}
    )
    run = changed(house, 1)

    assert house.world.effects == []
    assert why_stopped(house, run)[0] == "uncountable"


def test_nobody_is_asked_for_what_there_is_never_room_for(store: SqlStore, clock: Clock) -> None:
    house = Working(store, clock, policy=POLICY + BUDGET)
    run, most = house.start(inputs={"by": 11}), house.start(inputs={"by": 10})
    house.settle()

    assert "approval.requested" not in house.kinds(run)
    assert "There is never room for that much." in why_stopped(house, run)[1]
    assert house.status(most) == "waiting"


def test_what_certainly_did_not_happen_gives_its_share_back(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)
    house.world.trouble = failing("before", UNREACHABLE)
    failed = changed(house, 7)
    run = changed(house, 4)

    assert "action.failed" in house.kinds(failed)
    assert house.status(run) == "done"
    assert agrees(house)


def test_what_is_in_doubt_counts_until_somebody_says_that_it_did_not_happen(
    store: SqlStore, clock: Clock
) -> None:
    house = a_house(store, clock)
    house.world.can_probe = False
    house.world.trouble = failing("before", LOST)
    doubted = changed(house, 7)
    while_in_doubt = changed(house, 4)
    house.engine.settle_doubt(doubted, "change", person=id_of("omar"), happened=Happened.NO)
    after_it = changed(house, 3)

    assert house.status(while_in_doubt) == "exception"
    assert house.status(after_it) == "done"
    assert agrees(house)


def test_what_nobody_can_tell_stays_spent(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)
    house.world.can_probe = False
    house.world.trouble = failing("before", LOST)
    doubted = changed(house, 7)
    house.engine.settle_doubt(doubted, "change", person=id_of("omar"), happened=Happened.UNKNOWN)

    assert house.status(changed(house, 4)) == "exception"


def test_each_value_of_per_has_a_budget_of_its_own(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock, BUDGET + "    per: inputs.whom\n")
    runs = [changed(house, 7, whom=whom) for whom in ("acme", "globex", "acme")]

    assert [house.status(one) for one in runs] == ["done", "done", "exception"]
    assert "Budget changes a day (for acme): 7 of 10 used" in why_stopped(house, runs[2])[1]


def test_the_log_knows_whom_a_budget_counts_for_only_by_a_pseudonym(
    store: SqlStore, clock: Clock
) -> None:
    house = a_house(store, clock, BUDGET + "    per: inputs.whom\n")
    keys = [taken(house, changed(house, 1, whom=whom)) for whom in ("acme", "globex", "acme")]
    names = [one[0]["key"] for one in keys if isinstance(one, list)]  # type: ignore[index,call-overload]

    assert names[0] == names[2] != names[1]
    assert all(str(one).startswith("b:") and "acme" not in str(one) for one in names)


def test_a_budget_per_requester_counts_for_their_pseudonym(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock, BUDGET + "    per: requester\n")
    house.town.groups["@askers"].add("dora")
    first, other, again = (changed(house, 7, asker=one) for one in ("rita", "dora", "rita"))
    (share,) = taken(house, first)  # type: ignore[misc]

    assert house.status(other) == "done"
    assert house.status(again) == "exception"
    assert share["key"] == house.entries(first)[0].actor.ref  # type: ignore[index,call-overload]


def test_what_names_only_workflows_and_actions_stands_in_the_log_as_it_is(
    store: SqlStore, clock: Clock
) -> None:
    house = a_house(store, clock, BUDGET + '    per: workflow + "/" + step\n')

    assert taken(house, changed(house, 1)) == [
        {"name": "changes a day", "key": "just-change/change", "amount": 1}
    ]


def test_a_budget_can_count_by_what_the_plan_says(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock, BUDGET.replace("args.by", "plan.by"))
    runs = [changed(house, 7), changed(house, 4)]

    assert [house.status(one) for one in runs] == ["done", "exception"]


def test_a_message_over_the_budget_is_not_sent(store: SqlStore, clock: Clock) -> None:
    budget = BUDGET.replace("world.change", "slack.post").replace("args.by", "6")
    house = a_house(store, clock, budget)
    first, second = house.start("just-tell", {}), house.start("just-tell", {})
    house.settle()

    assert house.status(first) == "waiting"
    assert house.status(second) == "exception"
    assert house.kinds(second) == ["run.started", "decision.made"]


def test_an_item_over_the_budget_is_left_behind_and_the_loop_goes_on(
    store: SqlStore, clock: Clock
) -> None:
    house = a_house(store, clock)
    house.world.items = [{"name": name, "by": by} for name, by in (("a", 6), ("b", 6), ("c", 4))]
    run = house.start("change-all", {})
    house.settle()

    assert house.status(run) == "done"
    assert house.world.effects == [f"{run}/change/0", f"{run}/change/2"]


def test_runs_that_begin_at_once_in_two_processes_never_take_more_than_there_is(
    store: SqlStore,
    database_url: str,
    clock: Clock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    used = BudgetSql.used

    def used_slowly(self: BudgetSql, name: str, key: str, *, since: datetime) -> int:
        found = used(self, name, key, since=since)
        time.sleep(0.01)  # Whoever does not hold the budget by now reads the same.
        return found

    monkeypatch.setattr(BudgetSql, "used", used_slowly)
    home = tmp_path / "home"
    budget = BUDGET.replace("limit: 10", "limit: 100")
    house = a_house(store, clock, budget)
    runs = [house.start("just-change", {"by": 9}) for _ in range(24)]
    other = open_database(database_url)
    shared = SqlStore(other, open_journal(other, home), now=clock)
    houses = [house, *(_beside(house, one, clock, budget) for one in (store, shared, shared))]
    together = threading.Barrier(len(houses))

    def work(number: int) -> None:
        together.wait(30)
        for run in runs[number :: len(houses)]:
            houses[number].engine.advance(run)

    with ThreadPoolExecutor(len(houses)) as pool:
        for done in [pool.submit(work, one) for one in range(len(houses))]:
            done.result()
    other.close()

    statuses = [house.status(one) for one in runs]
    assert house.world.number == 10 + 9 * 11
    assert (statuses.count("done"), statuses.count("exception")) == (11, 13)
    assert agrees(house)


def _beside(first: Working, store: SqlStore, clock: Clock, budget: str) -> Working:
    """Return another engine on the same world."""
    house = a_house(store, clock, budget)
    house.world = first.world
    house.engine = Working(
        store,
        clock,
        world=first.world,
        definitions=(ASKS_NOBODY, TELLS, LOOPS),
        policy=POLICY + budget,
    ).engine
    return house


def test_a_lower_limit_counts_for_what_was_taken_before(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)
    changed(house, 7)
    house.policy = load_policy(POLICY + BUDGET.replace("limit: 10", "limit: 5"))

    assert house.status(changed(house, 1)) == "exception"
