"""What shows when a field of the section `publish` is ignored."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.workflows.policy_fields.harness import Bench, Row
from workflows.actions.base import Concern, Effect
from workflows.demand import Demand
from workflows.errors import NoGateError
from workflows.policy_facts import Facts

BEGIN = """
defaults: {expires: 24h}
rules: [{name: gate, when: "false", stages: [{from: ["@a"]}]}]
roles: {governors: ["@govern"]}
"""


def demanded(bench: Bench, section: str) -> Demand:
    """Return what is demanded of a publication under that section."""
    found = bench.policy(f"{BEGIN}publish: {section}\n").demand(
        Facts(
            effect=Effect.WRITE,
            workflow="interlock-publish",
            step="publish",
            action="interlock.publish",
            requester="@rita",
            at=datetime(2026, 3, 2, tzinfo=UTC),
            concern=Concern(owner="@owners", deputy="@deputies"),
        )
    )
    assert found is not None
    return found


def asks_owner_and_governor(bench: Bench) -> None:
    try:
        found = demanded(bench, "{}")
    except NoGateError:
        pytest.fail("nobody gates it")

    assert [one.asked for one in found.stages] == [("@owners",), ("@govern",)]
    assert len({one.turn for one in found.stages}) == 1


def asks_whom_it_says(bench: Bench) -> None:
    found = demanded(bench, '{stages: [{from: [deputy, "@more"], approve: 2, deny: 2}]}')

    assert [(one.asked, one.approve, one.deny) for one in found.stages] == [
        (("@deputies", "@more"), 2, 2)
    ]


def asks_side_by_side(bench: Bench) -> None:
    found = demanded(bench, '{stages: [{all: [{from: [owner]}, {from: ["@more"]}]}]}')

    assert [one.asked for one in found.stages] == [("@owners",), ("@more",)]


def ends(bench: Bench) -> None:
    assert demanded(bench, "{expires: 3h}").expires == timedelta(hours=3)


def reminds(bench: Bench) -> None:
    assert demanded(bench, "{expires: 3h, remind: [1h]}").remind == (timedelta(hours=1),)


def wants_a_reason(bench: Bench) -> None:
    assert demanded(bench, "{reason: required}").needs_reason


def names_authors(bench: Bench) -> None:
    section = bench.policy(f"{BEGIN}publish: {{authors: ['@writers']}}\n").publish

    assert section is not None
    assert section.authors == ("@writers",)


ROWS = [
    Row(field="Policy.publish", scenario=asks_owner_and_governor),
    Row(field="Publish.stages", scenario=asks_whom_it_says),
    Row(field="Publish.expires", scenario=ends),
    Row(field="Publish.remind", scenario=reminds),
    Row(field="Publish.reason", scenario=wants_a_reason),
    Row(field="Publish.authors", scenario=names_authors),
    Row(field="PublishStage.asked", scenario=asks_whom_it_says, instead=lambda _: ("owner",)),
    Row(field="PublishStage.approve", scenario=asks_whom_it_says),
    Row(field="PublishStage.deny", scenario=asks_whom_it_says),
    Row(field="PublishAllOf.parts", scenario=asks_side_by_side, instead=lambda old: old[:1]),
]
