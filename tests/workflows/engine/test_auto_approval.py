"""A rule may spare people where its own condition says so, and the trail says why."""

import pytest

from storage.database import Database
from storage.store import SqlStore
from tests.workflows.engine.gated import asked, assert_sound, of_kind, wait, with_groups
from tests.world import CHANGE, Clock, Working
from workflows.store import Subject

WRITES = CHANGE.replace("    effect: destructive\n", "")
SMALL = """
defaults: {expires: 24h}
rules:
  - name: changes
    when: effect != "read"
    stages: [{from: ["@leads"]}]
    reason: required
    auto: {when: inputs.by < 10, because: Less than ten hurts nobody.}
"""


def a_house(store: SqlStore, clock: Clock, policy: str = SMALL, text: str = WRITES) -> Working:
    return with_groups(Working(store, clock, definitions=(text,), policy=policy))


def test_where_its_condition_holds_a_rule_asks_nobody_and_says_why(
    store: SqlStore, clock: Clock, database: Database
) -> None:
    house = a_house(store, clock)
    run = asked(house)
    (entry,) = of_kind(house, run, "decision.made")

    assert house.status(run) == "done"
    assert of_kind(house, run, "approval.requested") == []
    assert entry.data == {"step": "change", "decision": "auto_approved", "rule": "changes"}
    assert entry.parts["reason"].value == b"Less than ten hurts nobody."
    assert house.store.outbox.find(Subject.STEP, entry.id) is not None
    assert_sound(database)


def test_where_it_does_not_hold_people_are_asked(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock)
    run = house.start(inputs={"by": 10})
    house.settle()

    assert house.status(run) == "waiting"


@pytest.mark.parametrize("condition", ["inputs.gone < 10", "inputs.by"])
def test_a_condition_that_is_not_clearly_true_spares_nobody(
    condition: str, store: SqlStore, clock: Clock
) -> None:
    house = a_house(store, clock, SMALL.replace("inputs.by < 10", condition))
    run = asked(house)

    assert house.status(run) == "waiting"


def test_a_rule_that_may_not_even_apply_spares_nobody(store: SqlStore, clock: Clock) -> None:
    unsure = SMALL.replace('effect != "read"', "inputs.gone == 1")
    house = a_house(store, clock, unsure)

    assert house.status(asked(house)) == "waiting"


def test_what_is_destructive_always_asks(store: SqlStore, clock: Clock) -> None:
    house = a_house(store, clock, text=CHANGE)

    assert house.status(asked(house)) == "waiting"


def test_a_rule_that_spares_people_spares_nobody_of_another_rule(
    store: SqlStore, clock: Clock
) -> None:
    other = '  - {name: also, when: "true", stages: [{from: ["@directors"]}]}\n'
    house = a_house(store, clock, SMALL + other)
    run = asked(house)
    (entry,) = of_kind(house, run, "approval.requested")
    stages = entry.data["stages"]

    assert isinstance(stages, list)
    assert [one["from"] for one in stages if isinstance(one, dict)] == [["@directors"]]
    assert (entry.data["rules"], entry.data["auto"]) == (["also"], ["changes"])
    assert entry.data["reason"] == "optional"  # The reason was the other rule's wish.


def test_a_definition_that_wants_approval_gets_it(store: SqlStore, clock: Clock) -> None:
    wish = '    with: {name: number, by: "${{ inputs.by }}"}\n'
    text = WRITES.replace(wish, f'{wish}    approval: {{stages: [{{from: ["@directors"]}}]}}\n')
    house = a_house(store, clock, text=text)

    assert house.status(asked(house)) == "waiting"


def test_each_attempt_is_judged_anew(store: SqlStore, clock: Clock) -> None:
    midday = SMALL.replace("inputs.by < 10", "hour == 12")
    house = a_house(store, clock, midday)
    wait(house, hours=1)

    assert house.status(asked(house)) == "waiting"
