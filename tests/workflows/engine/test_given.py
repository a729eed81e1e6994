"""Values are held against what Slack and services know, before anything is recorded."""

import pytest

from storage.store import SqlStore
from tests.world import CHANGE, Clock, Working, id_of
from workflows.entry import Json
from workflows.errors import InputsError, InputsUnreadableError, KeyReusedError, TransientReadError
from workflows.orders import Start
from workflows.replay import replay

INPUTS = """\
inputs:
  by: {type: integer, minimum: 1, maximum: 1000, title: By, default: 5}
  who: {type: user, required: false}
  team: {type: group, required: false}
  place: {type: channel, required: false}
  people: {type: list, of: {type: user}, required: false}
  sheet: {type: file, types: [csv], max_bytes: 9, required: false}
  row:
    type: string
    required: false
    options: {uses: world.list, with: {name: rows}, items: result.rows, value: item.name}
  rows:
    type: list
    required: false
    of:
      type: string
      options: {uses: world.list, with: {name: rows}, items: result.rows, value: item.name}
"""
MORE = CHANGE.replace(
    "inputs:\n  by: {type: integer, minimum: 1, maximum: 1000, title: By}\n", INPUTS
)


@pytest.fixture
def house(store: SqlStore, clock: Clock) -> Working:
    made = Working(store, clock, definitions=(MORE,))
    made.world.items = [{"name": "one", "by": 1}, {"name": "two", "by": 2}]
    return made


def given(house: Working, **inputs: object) -> dict[str, Json]:
    run = house.start(inputs=inputs)
    found = replay(run, house.entries(run)).inputs
    return {name: one for name, one in found.items() if one is not None and name != "by"}


def refused(house: Working, **inputs: object) -> dict[str, str]:
    with pytest.raises(InputsError) as error:
        house.start(inputs=inputs)

    assert house.store_runs() == []
    return error.value.fields


def test_what_slack_names_is_stored_with_its_id_and_its_name(house: Working) -> None:
    found = given(
        house, who="@ana", team="<!subteam^S0OPS|@ops>", place="C0OPS", people="@sam,@ana"
    )

    assert found == {
        "who": {"id": "U0ANA", "name": "ana"},
        "team": {"id": "S0OPS", "name": "ops"},
        "place": {"id": "C0OPS", "name": "ops"},
        "people": [{"id": "U0SAM", "name": "sam"}, {"id": "U0ANA", "name": "ana"}],
    }


def test_of_a_file_only_id_name_and_size_are_stored(house: Working) -> None:
    assert given(house, sheet="F0SHEET") == {"sheet": {"id": "F0SHEET", "name": "a.csv", "size": 9}}


def test_every_field_at_fault_is_named_at_once(house: Working) -> None:
    fields = refused(
        house, who="@nobody", team="@ana", place="x", by="0", row="three", people="@sam,@zoe"
    )

    assert fields == {
        "who": "nobody is called @nobody",
        "team": "no group is called @ana",
        "place": "must be a channel, such as #ops",
        "by": "must be 1 to 1000",
        "row": "three is not offered any more; choose another",
        "people": "item 2: nobody is called @zoe",
    }


@pytest.mark.parametrize(("name", "size"), [("a.exe", 9), ("a.csv", 10)])
def test_a_file_is_judged_by_what_slack_says_of_it(house: Working, name: str, size: int) -> None:
    kind = type(house.slack.files["F0SHEET"])
    house.slack.files["F0SHEET"] = kind(id="F0SHEET", name=name, size=size, type=name[-3:])

    assert set(refused(house, sheet="F0SHEET")) == {"sheet"}
    assert "cannot see" in refused(house, sheet="F0OTHER")["sheet"]


def test_a_choice_has_to_be_offered_still(house: Working) -> None:
    assert given(house, row="two", rows="one,two") == {"row": "two", "rows": ["one", "two"]}
    house.world.items = [{"name": "one", "by": 1}]
    with pytest.raises(InputsError) as error:
        house.start(inputs={"row": "two", "rows": ["one", "two"]})

    assert set(error.value.fields) == {"row", "rows"}


def test_what_cannot_be_asked_now_is_no_fault_of_the_value(house: Working) -> None:
    def away(where: str) -> None:
        if where == "list":
            raise TransientReadError("The world is away.")

    house.world.trouble = away
    house.slack.is_readable = False
    with pytest.raises(InputsUnreadableError) as error:
        house.start(inputs={"row": "two", "who": "@ana"})

    assert set(error.value.fields) == {"row", "who"}
    assert "try again" in error.value.fields["row"]
    assert house.store_runs() == []


def order(**inputs: object) -> Start:
    return Start(
        workflow="change-it", inputs=inputs, trigger="agent", person=id_of("rita"), key="k1"
    )


def test_the_same_key_is_the_same_start_whatever_people_are_called_by_now(house: Working) -> None:
    first = house.engine.start(order(who="@ana", row="two"))
    house.slack.called["U0ANA"] = "@ana.two"
    house.world.items = []

    assert house.engine.start(order(who="U0ANA", row="two")).run == first.run
    assert house.engine.start(order(who="@ana.two", row="two")).run == first.run
    with pytest.raises(KeyReusedError):
        house.engine.start(order(who="@sam", row="two"))


def test_with_slack_away_nobody_is_told_that_a_key_was_used_for_something_else(
    house: Working,
) -> None:
    house.engine.start(order(who="@ana"))
    house.slack.is_readable = False

    with pytest.raises(InputsUnreadableError):
        house.engine.start(order(who="@ana"))


def test_a_stored_value_can_be_given_again(house: Working) -> None:
    first = given(house, who="@ana", people=["@sam"])

    assert given(house, **first) == first
