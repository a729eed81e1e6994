"""The answer to `/ops health`, within Slack's limits however much there is to say."""

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.views.health import HealthShown, Line, bars, health_page, pareto_bars
from bot.views.pieces import Rendered
from tests.bot.payload_checks import faults_of_message, text_of
from workflows.failure_modes import VIEWS, FailureMode, pareto

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def shown(**changes: Any) -> HealthShown:  # noqa: ANN401 - a field that the test is about.
    usual = HealthShown(
        period="30d",
        requests=3,
        requests_until=NOON,
        runs=1,
        runs_since=NOON,
        findings=["Ana approved 38 of 38, median 3 s."],
        calm="Nothing stands out.",
        total="41 decisions (38 before).",
        buckets=[("under 5 s", 12), ("to 30 s", 0), ("longer", 1)],
        workflows=[Line(name="Refund a customer", words="41 decisions")],
        people=[Line(name="Ana", words="38 decisions")],
        causes=[Line(name="No answer came in time", words="2 times (Refund a customer 2)")],
        note="Figures of one person are private.",
    )
    return replace(usual, **changes)


def told_by(message: Rendered) -> str:
    assert faults_of_message(message.payload) == []
    return text_of(message.payload)


def test_it_says_what_waits_what_stands_out_and_the_figures_behind_it() -> None:
    told = told_by(health_page(shown()))

    assert "3 requests wait for a decision" in told
    assert "1 run needs somebody to settle it" in told
    assert "• Ana approved 38 of 38, median 3 s." in told
    assert "*Refund a customer*: 41 decisions" in told
    assert "*No answer came in time*: 2 times" in told
    assert "/ops approvals" in told


def test_where_nothing_is_there_it_says_so() -> None:
    nothing = shown(
        requests_until=None, runs_since=None, findings=[], buckets=[("under 5 s", 0)], people=[]
    )
    told = told_by(health_page(nothing))

    assert "0 requests wait for a decision." in told
    assert "0 runs need somebody to settle them." in told
    assert "Nothing stands out." in told
    assert "By approver" not in told


def test_the_longest_bar_is_the_largest_bucket_and_something_is_never_nothing() -> None:
    first, second, third = bars([("under 5 s", 100), ("to 30 s", 0), ("longer", 1)])

    assert first == f"under 5 s {'█' * 24} 100"
    assert second == "to 30 s    0"
    assert third == "longer    █ 1"


def test_names_are_words_and_nothing_else() -> None:
    told = told_by(health_page(shown(people=[Line(name="<!channel> *Ana*", words="1")])))

    assert "<!channel>" not in told


@pytest.mark.parametrize(("page", "way"), [(1, "Further"), (2, "Earlier in the list")])
def test_hundreds_of_workflows_and_people_fit_page_by_page(page: int, way: str) -> None:
    many = [Line(name=f"Workflow {number} {'x' * 60}", words="y" * 300) for number in range(120)]
    message = health_page(shown(workflows=many, people=many), page=page)

    assert told_by(message)
    assert way in str(message.payload)


def test_failures_are_drawn_the_most_frequent_first_with_their_share() -> None:
    modes: Counter[FailureMode] = Counter()
    for number, times in enumerate((6, 3, 1)):
        modes[mode(step=f"step-{number}")] += times
    told = told_by(health_page(shown(modes=[("step", pareto(modes, VIEWS["step"]))])))

    assert "What stopped runs, by step" in told
    assert re.search(r"refund/step-0 +█+ 6 \(60 %\)", told)
    assert re.search(r"refund/step-2 +█+ 1 \(100 %\)", told)


def test_many_modes_are_told_as_a_few_and_the_rest() -> None:
    modes = Counter({mode(target=f"shop-{number}"): 1 for number in range(10)})
    lines = pareto_bars(pareto(modes, VIEWS["target"]))

    assert len(lines) == 6
    assert "5 others" in lines[-1]
    assert lines[-1].endswith("5 (100 %)")


def mode(*, step: str = "refund", target: str = "shop") -> FailureMode:
    version = "a" * 64
    return FailureMode(workflow="refund", version=version, step=step, target=target, cause="crash")
