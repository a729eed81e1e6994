"""Alerts and dashboard ask for figures that are shown, in expressions that can be read."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot.metrics.catalogue import FIGURES
from tests.deploy.promql import NotPromqlError, series_in
from tests.docs.pages import ROOT

RULES: list[dict[str, Any]] = YAML(typ="safe").load((ROOT / "deploy/alerts.yml").read_text())[
    "groups"
][0]["rules"]
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy/dashboard.json").read_text())
PANELS = [one for one in DASHBOARD["panels"] if one["type"] != "row"]
TARGETS = [(one["title"], target) for one in PANELS for target in one["targets"]]
OF_SCRAPES = {"job", "instance"}
SUFFIXES = ("_bucket", "_sum", "_count")


def labels_of(name: str) -> set[str] | None:
    """Return the labels that a series has, None where nothing of that name is shown."""
    if name in FIGURES:
        return {*FIGURES[name].labels, *OF_SCRAPES}
    family = next((name.removesuffix(end) for end in SUFFIXES if name.endswith(end)), "")
    is_histogram = family in FIGURES and FIGURES[family].kind == "histogram"
    return {"le", *OF_SCRAPES} if is_histogram else None


def unknown_in(expression: str) -> Iterator[str]:
    """Yield every series and label of an expression that nothing shows."""
    for asked in series_in(expression):
        labels = labels_of(asked.name)
        if labels is None:
            yield asked.name
        else:
            yield from (f"{asked.name}.{one}" for one in asked.labels - labels)


def kept_by(expression: str) -> set[str]:
    """Return the labels that are left of what an expression asks for."""
    grouped = re.search(r"\bby \(([^)]*)\)", expression)
    return OF_SCRAPES if grouped is None else set(grouped[1].split(", "))


@pytest.mark.parametrize("rule", RULES, ids=lambda one: one["alert"])
def test_an_alert_asks_for_what_is_shown_and_says_what_to_do(rule: dict[str, Any]) -> None:
    named = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))

    assert list(unknown_in(rule["expr"])) == []
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"\d+[mh]", rule.get("for", "1m"))
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert set(rule["annotations"]) == {"summary", "do"}
    assert named <= kept_by(rule["expr"])


def test_alerts_have_names_of_their_own_and_each_is_on_the_page() -> None:
    names = [one["alert"] for one in RULES]
    page = (ROOT / "docs/monitoring.md").read_text()

    assert len(set(names)) == len(names)
    assert all(f"| `{name}` |" in page for name in names)


@pytest.mark.parametrize(("title", "target"), TARGETS, ids=[one[0] for one in TARGETS])
def test_a_panel_asks_for_what_is_shown(title: str, target: dict[str, Any]) -> None:
    assert title
    assert list(unknown_in(target["expr"].replace('"$job"', '"job"'))) == []


def test_the_dashboard_shows_every_figure_and_panels_do_not_overlap() -> None:
    asked = {one.name for _, target in TARGETS for one in series_in(target["expr"])}
    families = {name.removesuffix(end) for name in asked for end in ("", *SUFFIXES)}
    places = [one["gridPos"] for one in DASHBOARD["panels"]]
    cells = [
        (x, y)
        for one in places
        for x in range(one["x"], one["x"] + one["w"])
        for y in range(one["y"], one["y"] + one["h"])
    ]

    assert set(FIGURES) <= families
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
    assert len({one["id"] for one in DASHBOARD["panels"]}) == len(places)


@pytest.mark.parametrize(
    "wrong",
    [
        "max(interlock_runs",
        "interlock_runs{status}",
        "rate(interlock_runs_started_total)",
        "sum by workflow (interlock_runs)",
        "interlock_runs > > 3",
        "increase(interlock_runs_started_total[five])",
        "histogram_quantile(0.9)",
    ],
)
def test_an_expression_that_prometheus_would_refuse_is_refused_here(wrong: str) -> None:
    with pytest.raises(NotPromqlError):
        series_in(wrong)


def test_a_figure_that_nothing_shows_is_found() -> None:
    wrong = 'max by (workflow) (interlock_rums{status="x"}) + interlock_runs{colour="red"}'

    assert list(unknown_in(wrong)) == ["interlock_rums", "interlock_runs.colour"]


def test_every_figure_is_on_the_page_and_named_as_prometheus_wants_it() -> None:
    page = (ROOT / "docs/monitoring.md").read_text()

    for name, figure in FIGURES.items():
        assert f"| `{name}` |" in page, name
        assert name.startswith(("interlock_", "process_"))
        assert (figure.kind == "counter") == name.endswith("_total")
        assert len(figure.labels) <= 3
