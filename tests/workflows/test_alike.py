"""Workflows that people would take for one another."""

import pytest

from tests.bot.catalog import LOWERED, PLAIN
from tests.workflows.definition_kit import demo_policy
from tests.world import definition_in
from workflows.actions.slack import SlackPostAction
from workflows.alike import close_to, mistaken_for, same_work, slip_of
from workflows.check_proposed import check_proposed
from workflows.errors import DefinitionError

KNOWN = ("purge-accounts", "refund-customer", "roll-back")
ACTIONS = {SlackPostAction.name: SlackPostAction()}


@pytest.mark.parametrize(
    "name", ["purge-account", "purgeaccounts", "refund-custorner", "ro11-back"]
)
def test_names_that_look_the_same_are_told(name: str) -> None:
    assert mistaken_for(name, KNOWN) in KNOWN


@pytest.mark.parametrize("name", ["purge-accounts", "deploy", "refund-supplier"])
def test_other_names_and_the_name_itself_are_not(name: str) -> None:
    assert mistaken_for(name, KNOWN) is None


def test_a_name_that_is_nearly_another_is_near_it() -> None:
    assert close_to("refund-customers-2", KNOWN) == "refund-customer"


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("refund-custmer", "refund-customer"),
        ("refund-customerr", "refund-customer"),
        ("refund-cusotmer", "refund-customer"),
        ("purge-acxounts", "purge-accounts"),
        ("refund-customer", None),
        ("refund-customer-eu", None),
        ("roll-beck", None),
        ("refund-cutsomre", None),
    ],
)
def test_a_slip_in_one_word_is_told(name: str, other: str | None) -> None:
    assert slip_of(name, KNOWN) == other


def test_the_same_work_under_another_name_is_told_whatever_its_steps_are_called() -> None:
    one = definition_in(PLAIN)
    again = definition_in(LOWERED.replace("tidy-up", "clean-up").replace("id: say", "id: tell"))
    other = definition_in(PLAIN.replace("tidy-up", "sweep").replace("Tidied", "Swept"))

    assert [(a.workflow, b.workflow) for a, b in same_work([one, again, other], ACTIONS)] == [
        ("clean-up", "tidy-up")
    ]


@pytest.mark.parametrize(
    ("name", "why"),
    [("tidyup", "would be mistaken for tidy-up"), ("interlock-tidy", "are Interlock's own")],
)
def test_a_name_that_hides_behind_another_is_refused(name: str, why: str) -> None:
    text, among = PLAIN.replace("tidy-up", name), [definition_in(PLAIN)]
    known = {"tidy-up"}
    with pytest.raises(DefinitionError, match=why):
        check_proposed(text, "x.yaml", ACTIONS, policy=demo_policy(), among=among, names=known)


def test_a_copy_under_a_new_name_is_a_warning_for_whoever_decides() -> None:
    text, among = PLAIN.replace("tidy-up", "sweep-floors"), [definition_in(PLAIN)]
    found = check_proposed(text, "x.yaml", ACTIONS, policy=demo_policy(), among=among, names=())

    assert [one.what for one in found.warnings] == ["is nearly a copy of tidy-up"]
