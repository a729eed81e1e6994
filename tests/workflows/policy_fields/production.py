"""What shows when a field of the bar for production is ignored."""

from tests.workflows.engine.gated import asked, of_kind, wait
from tests.workflows.engine.trials import (
    BAR,
    WRITES,
    activated,
    fails,
    is_watched,
    policy_with,
    runs,
)
from tests.workflows.policy_fields.harness import Bench, Row
from tests.world import Working
from workflows.policy_production import ErrorBudget


def house(bench: Bench, bar: str = BAR) -> Working:
    return activated(bench.house(policy_with(bar), definition=WRITES))


def bar(*, runs: int = 1, varied: int = 1, budget: str = "failures: 0, runs: 10") -> str:
    return f"production: {{runs: {runs}, varied: {varied}, error_budget: {{{budget}}}}}"


def a_version_begins_on_trial(bench: Bench) -> None:
    assert is_watched(house(bench))


def so_many_runs_earn_trust(bench: Bench) -> None:
    made = house(bench, bar(runs=2))
    runs(made)

    assert is_watched(made)


def so_many_inputs_earn_trust(bench: Bench) -> None:
    made = house(bench, bar(runs=2, varied=2))
    runs(made)
    runs(made)

    assert is_watched(made)


def others_may_watch(bench: Bench) -> None:
    made = house(bench, bar().replace("runs: 1", 'watch: ["@security"], runs: 1', 1))
    (request,) = of_kind(made, asked(made), "approval.requested")

    assert "@security" in str(request.data["stages"])


def a_failure_takes_trust_back(bench: Bench) -> None:
    made = house(bench, bar())
    runs(made)
    fails(made)

    assert is_watched(made)


def so_many_failures_are_let_pass(bench: Bench) -> None:
    made = house(bench, bar(budget="failures: 1, runs: 10"))
    runs(made)
    fails(made)

    assert not is_watched(made)


def only_the_last_runs_count(bench: Bench) -> None:
    made = house(bench, bar(budget="failures: 1, runs: 2"))
    runs(made)
    fails(made)
    runs(made)
    runs(made)
    fails(made)

    assert not is_watched(made)


def only_what_failed_lately_counts(bench: Bench) -> None:
    made = house(bench, bar(budget="failures: 1, within: 1h"))
    runs(made)
    fails(made)
    wait(made, hours=2)
    fails(made)

    assert not is_watched(made)


def a_run_in_shadow_asks_what_was_done(bench: Bench) -> None:
    made = house(bench, bar().replace("runs: 1", "shadow: [change-it], runs: 1", 1))
    run = asked(made)

    assert [one.data["shadow"] for one in of_kind(made, run, "question.asked")] == [True]


LOOSE = ErrorBudget(failures=9, runs=10)

ROWS = [
    Row(field="Policy.production", scenario=a_version_begins_on_trial),
    Row(field="Production.runs", scenario=so_many_runs_earn_trust, instead=lambda _: 1),
    Row(field="Production.varied", scenario=so_many_inputs_earn_trust),
    Row(field="Production.watch", scenario=others_may_watch),
    Row(field="Production.shadow", scenario=a_run_in_shadow_asks_what_was_done),
    Row(
        field="Production.error_budget",
        scenario=a_failure_takes_trust_back,
        instead=lambda _: LOOSE,
    ),
    Row(
        field="ErrorBudget.failures",
        scenario=so_many_failures_are_let_pass,
        instead=lambda _: 0,
    ),
    Row(field="ErrorBudget.runs", scenario=only_the_last_runs_count),
    Row(field="ErrorBudget.within", scenario=only_what_failed_lately_counts),
]
