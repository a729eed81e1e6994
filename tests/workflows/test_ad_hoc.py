"""What several people ask for again and again, and what goes under two names, shows in the runs."""

import json

import pytest

from tests.workflows.definition_kit import SHIPPED
from workflows.ad_hoc import Use, act, copies_in_use, one_offs, takes_anything
from workflows.entry import Json, Ref, RunId
from workflows.loading import load_definition

REFUND = act("http.request", {"service": "shop", "method": "POST", "path": "/refunds"})
ASKS = load_definition(SHIPPED / "request-approval.yaml")


def uses(workflow: str, acts: str, *people: str) -> list[Use]:
    return [
        Use(
            run=RunId(f"{workflow}-{number}"),
            workflow=workflow,
            requester=Ref(f"s:{who}"),
            acts=frozenset({acts} if acts else ()),
        )
        for number, who in enumerate(people)
    ]


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        ({"title": "Refund order 12"}, {"title": "refund  Order 7a"}, True),
        ({"title": "Refund order 12"}, {"title": "Cancel order 12"}, False),
        ({"path": "/orders/ord_1/cancel"}, {"path": "/orders/ord_22/cancel"}, True),
        ({"path": "/orders/ord_1/cancel"}, {"path": "/orders/ord_1"}, False),
        ({"args": ["restart", "web-1"]}, {"args": ["restart", "web-2"]}, True),
        ({"args": ["restart", "web-1"]}, {"args": ["stop", "web-1"]}, False),
        ({"json": {"order": "a", "cents": 1}}, {"json": {"order": "b", "cents": 2}}, True),
        ({"json": {"order": "a"}}, {"json": {"customer": "a"}}, False),
        ({"json": [{"id": 1}, {"id": 2}]}, {"json": [{"id": 3}]}, True),
    ],
)
def test_what_differs_in_values_only_is_the_same(
    one: dict[str, Json],
    other: dict[str, Json],
    are_same: bool,  # noqa: FBT001 - a column of the table.
) -> None:
    assert (act("a.b", one) == act("a.b", other)) is are_same


def test_runs_of_one_workflow_that_do_what_those_of_another_do_are_a_copy() -> None:
    found = copies_in_use(
        [*uses("refund", REFUND, "ana", "ben", "sue"), *uses("quick-fix", REFUND, "rita", "rita")]
    )

    assert [(one.workflow, one.other, list(one.runs)) for one in found] == [
        ("quick-fix", "refund", ["quick-fix-0", "quick-fix-1"])
    ]


@pytest.mark.parametrize("acts", [REFUND, ""])
def test_once_is_chance_and_nothing_is_no_copy(acts: str) -> None:
    count = 1 if acts else 3

    assert copies_in_use([*uses("a", acts, *"xyz"), *uses("b", acts, *"xyz"[:count])]) == []


def test_the_same_asked_for_by_several_people_where_anything_can_be_asked_for() -> None:
    definitions = {"request-approval": ASKS}
    title = act("slack.release", {"title": "Refund order 1", "details": None})

    (found,) = one_offs(uses("request-approval", title, "ana", "ben", "ana"), definitions)
    assert (found.workflow, len(found.runs), found.people) == ("request-approval", 3, 2)
    assert json.loads(found.act)[1]["title"] == "refund order #"
    assert not [*one_offs(uses("request-approval", title, "ana", "ana", "ana"), definitions)]
    assert not [*one_offs(uses("request-approval", title, "ana", "ben"), definitions)]


def test_a_workflow_that_says_what_it_does_may_be_used_as_often_as_one_likes() -> None:
    files = [*SHIPPED.glob("*.yaml"), *SHIPPED.glob("library/*.yaml")]
    definitions = [load_definition(one) for one in files if "policy" not in one.name]

    assert [one.workflow for one in definitions if takes_anything(one)] == ["request-approval"]
