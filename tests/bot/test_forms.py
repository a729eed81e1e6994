import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.form_hints import hint_for
from bot.forms import FormState, block_id, blocks_for, field_errors, state_of, values_from
from bot.views.run_form import (
    PICK_OPTIONS,
    WorkflowChoice,
    ask_again,
    picked,
    picker,
    picker_options,
    run_form,
)
from tests.bot.payload_checks import faults_of_blocks, faults_of_message, faults_of_view, text_of
from workflows.definition import Definition
from workflows.definition_inputs import TextInput
from workflows.errors import InputsError
from workflows.input_values import read_inputs
from workflows.run import Status

EVERY_KIND: dict[str, dict[str, Any]] = {
    "order": {"type": "string", "pattern": "^ord_[a-z0-9]+$", "title": "Order", "example": "ord_1"},
    "amount": {"type": "integer", "minimum": 1, "maximum": 500_000, "title": "Amount in cents"},
    "share": {"type": "number", "minimum": 0.5, "required": False},
    "loud": {"type": "boolean", "default": False},
    "day": {"type": "date", "maximum": date(2026, 12, 31), "required": False},
    "size": {"type": "enum", "choices": ("small", "large")},
    "reason": {"type": "string", "multiline": True, "max_length": 500},
}
CHOSEN: dict[str, dict[str, Any]] = {
    "at": {"type": "datetime", "minimum": datetime(2026, 1, 1, tzinfo=UTC)},
    "tags": {"type": "list", "of": {"type": "string"}, "max_items": 3},
    "sizes": {"type": "list", "of": {"type": "enum", "choices": ("small", "large")}},
    "city": {"type": "enum", "choices": tuple(f"city {one}" for one in range(101))},
    "who": {"type": "user", "default": "@rita"},
    "team": {"type": "group"},
    "place": {"type": "channel"},
    "people": {"type": "list", "of": {"type": "user"}},
    "sheet": {"type": "file", "types": ("csv",), "max_bytes": 2_000},
}


def a_definition(**inputs: dict[str, Any]) -> Definition:
    return Definition.model_validate(
        {
            "workflow": "refund-customer",
            "title": "Refund a customer who asked for it",
            "owner": "@finance-ops",
            "deputy": "@support-leads",
            "inputs": inputs,
            "steps": ({"id": "look", "uses": "http.request", "with": {}},),
        }
    )


DEFINITION = a_definition(**EVERY_KIND)


def filled(definition: Definition, **fields: dict[str, Any]) -> dict[str, Any]:
    """Return the state of a submitted view, as Slack sends it."""
    return {"values": {block_id(definition, name): {"value": one} for name, one in fields.items()}}


def element_of(definition: Definition, name: str, **values: object) -> dict[str, Any]:
    wanted = block_id(definition, name)
    blocks = (block.to_dict() for block in blocks_for(definition, values=values))
    element: dict[str, Any] = next(
        one["element"] for one in blocks if one.get("block_id") == wanted
    )
    return element


def test_each_kind_of_input_gets_its_own_field() -> None:
    kinds = {name: element_of(DEFINITION, name)["type"] for name in DEFINITION.inputs}

    assert kinds == {
        "order": "plain_text_input",
        "amount": "number_input",
        "share": "number_input",
        "loud": "radio_buttons",
        "day": "datepicker",
        "size": "static_select",
        "reason": "plain_text_input",
    }


CHOOSING = a_definition(**CHOSEN)


def test_what_is_chosen_gets_the_menu_that_slack_has_for_it() -> None:
    kinds = {name: element_of(CHOOSING, name)["type"] for name in CHOOSING.inputs}

    assert kinds == {
        "at": "datetimepicker",
        "tags": "plain_text_input",
        "sizes": "multi_static_select",
        "city": "external_select",
        "who": "users_select",
        "team": "external_select",
        "place": "conversations_select",
        "people": "multi_users_select",
        "sheet": "file_input",
    }


def test_what_was_typed_stands_in_the_menus_where_slack_can_show_it() -> None:
    at = element_of(CHOOSING, "at", at="2026-03-31T09:00+02:00")
    sizes = element_of(CHOOSING, "sizes", sizes="large")

    assert at["initial_date_time"] == 1774940400
    assert [one["value"] for one in sizes["initial_options"]] == ["large"]
    assert element_of(CHOOSING, "city", city="city 7")["initial_option"]["value"] == "city 7"
    assert element_of(CHOOSING, "who", who="<@U0ANA|ana>")["initial_user"] == "U0ANA"
    assert element_of(CHOOSING, "people", people="<@U0ANA>,U0SAM")["initial_users"] == [
        "U0ANA",
        "U0SAM",
    ]
    assert element_of(CHOOSING, "tags", tags="a,b")["initial_value"] == "a\nb"
    assert "initial_user" not in element_of(CHOOSING, "who")
    assert "initial_options" not in element_of(CHOOSING, "sizes", sizes="large,huge")


def test_a_default_that_is_only_a_name_stands_if_the_field_is_left_open() -> None:
    (block,) = [one for one in blocks_for(CHOOSING) if one.block_id.startswith("who.")]

    assert block.to_dict()["optional"] is True
    assert hint_for(CHOOSING.inputs["who"]) == "Left open: @rita."


def test_what_was_chosen_comes_back_as_it_would_be_typed() -> None:
    state = filled(
        CHOOSING,
        at={"type": "datetimepicker", "selected_date_time": 1774940400},
        tags={"type": "plain_text_input", "value": "a, b\n\n c "},
        sizes={"type": "multi_static_select", "selected_options": [{"value": "large"}]},
        who={"type": "users_select", "selected_user": None},
        place={"type": "conversations_select", "selected_conversation": "C0OPS"},
        people={"type": "multi_users_select", "selected_users": ["U0ANA", "U0SAM"]},
        sheet={"type": "file_input", "files": [{"id": "F0ABC12", "name": "x"}]},
    )
    for name, value in (("city", "city 7"), ("team", "S0OPS")):
        option = {"type": "external_select", "selected_option": {"value": value}}
        state["values"][block_id(CHOOSING, name)] = {"form.options": option}

    assert values_from(state, CHOOSING) == {
        "at": "2026-03-31T07:00:00Z",
        "tags": ["a, b", "c"],
        "sizes": ["large"],
        "place": "C0OPS",
        "people": ["U0ANA", "U0SAM"],
        "sheet": "F0ABC12",
        "city": "city 7",
        "team": "S0OPS",
    }


def test_hints_say_what_a_menu_cannot() -> None:
    hints = {name: hint_for(spec) for name, spec in CHOOSING.inputs.items()}

    assert hints["tags"] == "One a line. At most 3."
    assert hints["sheet"] == "Of type csv. At most 2,000 bytes."
    assert hints["at"] == "At least 2026-01-01 00:00 UTC. In your own time zone."


def test_slack_is_told_the_limits_so_that_it_can_check_them_first() -> None:
    amount, reason = element_of(DEFINITION, "amount"), element_of(DEFINITION, "reason")

    assert (amount["min_value"], amount["max_value"]) == ("1", "500000")
    assert amount["is_decimal_allowed"] is False
    assert (reason["max_length"], reason["multiline"]) == (500, True)


def test_hints_say_the_limits_in_words() -> None:
    hints = {name: hint_for(spec) for name, spec in DEFINITION.inputs.items()}

    assert hints["amount"] == "From 1 to 500,000. A whole number."
    assert hints["order"] == "For example ord_1"
    assert hints["reason"] == "At most 500 characters."
    assert hints["day"] == "At most 2026-12-31."


def test_defaults_and_given_values_stand_in_the_fields() -> None:
    assert element_of(DEFINITION, "loud")["initial_option"]["value"] == "false"
    assert element_of(DEFINITION, "amount", amount="100")["initial_value"] == "100"
    assert element_of(DEFINITION, "size", size="large")["initial_option"]["value"] == "large"
    assert element_of(DEFINITION, "day", day="2026-03-31")["initial_date"] == "2026-03-31"


def test_a_value_that_its_field_cannot_show_is_left_out_rather_than_changed() -> None:
    assert "initial_value" not in element_of(DEFINITION, "amount", amount="a lot")
    assert "initial_value" not in element_of(DEFINITION, "order", order="two\nlines")
    assert "initial_value" not in element_of(DEFINITION, "reason", reason="x" * 501)
    assert "initial_option" not in element_of(DEFINITION, "size", size="medium")


def test_a_required_input_is_required_in_the_form() -> None:
    blocks = [block.to_dict() for block in blocks_for(DEFINITION)]
    optional = {block["block_id"].split(".")[0] for block in blocks if block["optional"]}

    assert optional == {"share", "day"}


def test_what_was_filled_in_comes_back_as_typed_and_validates() -> None:
    state = filled(
        DEFINITION,
        order={"type": "plain_text_input", "value": "ord_1"},
        amount={"type": "number_input", "value": "100"},
        share={"type": "number_input", "value": None},
        loud={"type": "radio_buttons", "selected_option": {"value": "true"}},
        day={"type": "datepicker", "selected_date": "2026-03-31"},
        size={"type": "static_select", "selected_option": {"value": "small"}},
        reason={"type": "plain_text_input", "value": "two\nlines"},
    )

    values = values_from(state, DEFINITION)

    assert values == {
        "order": "ord_1",
        "amount": "100",
        "loud": "true",
        "day": "2026-03-31",
        "size": "small",
        "reason": "two\nlines",
    }
    assert read_inputs(DEFINITION.inputs, values)["amount"] == 100


def test_a_field_that_is_not_of_this_workflow_is_ignored() -> None:
    state = {"values": {"bank.x.0": {"value": {"value": "mine"}}, "order.x.0": {"other": {}}}}

    assert values_from(state, DEFINITION) == {}
    assert values_from({}, DEFINITION) == {}


def test_each_wrong_field_gets_its_hint() -> None:
    with pytest.raises(InputsError) as refused:
        read_inputs(DEFINITION.inputs, {"order": "8841", "amount": "0", "size": "s", "reason": "x"})

    errors = field_errors(refused.value, DEFINITION)

    assert errors[block_id(DEFINITION, "amount")] == "must be 1 to 500000"
    assert 'must begin with "ord_"' in errors[block_id(DEFINITION, "order")]
    assert set(errors) <= {block.block_id for block in blocks_for(DEFINITION)}


def test_a_fault_of_no_field_stands_at_the_first_one() -> None:
    errors = field_errors(InputsError({"bank": "there is no such field"}), DEFINITION)

    assert errors == {block_id(DEFINITION, "order"): "bank: there is no such field"}


def test_the_next_drawing_of_a_form_has_new_block_ids() -> None:
    first = {block.block_id for block in blocks_for(DEFINITION)}
    second = {block.block_id for block in blocks_for(DEFINITION, revision=1)}

    assert not first & second


def test_a_form_remembers_how_it_was_opened() -> None:
    state = state_of(DEFINITION, channel="C0OPS", revision=2)

    assert FormState.read(run_form(DEFINITION, state).private_metadata or "") == state


@pytest.mark.parametrize("tampered", ["", "{}", "[1,2,3,4]", '["a","b","c"]', "null"])
def test_a_form_with_foreign_metadata_is_refused(tampered: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        FormState.read(tampered)


def test_a_long_title_is_clipped_in_the_bar_and_whole_below() -> None:
    view = run_form(DEFINITION, state_of(DEFINITION)).to_dict()

    assert view["title"]["text"] == "Refund a customer who a…"
    assert view["blocks"][0]["text"]["text"] == "Refund a customer who asked for it"


def test_what_was_wrong_stands_on_top_of_a_form_that_is_opened_again() -> None:
    view = run_form(DEFINITION, state_of(DEFINITION), errors={"amount": "must be <1 to 5>"})

    assert "*Amount in cents* must be &lt;1 to 5&gt;" in text_of(view.to_dict())
    assert faults_of_view(view.to_dict()) == []


def test_a_workflow_without_inputs_can_still_be_run() -> None:
    plain = a_definition()
    view = run_form(plain, state_of(plain)).to_dict()

    assert view["submit"]["text"] == "Run"
    assert faults_of_view(view) == []


def test_the_picker_offers_every_workflow_and_says_which_was_chosen() -> None:
    choices = [WorkflowChoice(name=f"wf-{one}", title=f"Workflow {one}") for one in range(100)]
    view = picker(choices, metadata="C0OPS").to_dict()

    chosen = {"workflow": {"workflow": {"selected_option": {"value": "wf-7"}}}}
    assert faults_of_view(view) == []
    assert len(view["blocks"][0]["element"]["options"]) == 100
    assert picked({"state": {"values": chosen}}) == "wf-7"
    assert picked({}) == ""


@pytest.mark.trap(26)
def test_more_workflows_than_a_menu_holds_are_searched() -> None:
    choices = [WorkflowChoice(name=f"wf-{one}", title=f"Workflow {one}") for one in range(150)]
    view = picker(choices).to_dict()
    chosen = {"workflow": {PICK_OPTIONS: {"selected_option": {"value": "wf-149"}}}}

    assert view["blocks"][0]["element"]["type"] == "external_select"
    assert [one.value for one in picker_options(choices, "WORKFLOW 14")][:2] == ["wf-14", "wf-140"]
    assert len(picker_options(choices, "")) == 100
    assert picked({"state": {"values": chosen}}) == "wf-149"


def test_with_nothing_to_start_the_picker_says_whom_to_ask() -> None:
    view = picker([]).to_dict()

    assert "Ask one of the operators" in text_of(view)
    assert faults_of_view(view) == []


def test_the_same_command_twice_asks_before_it_starts_a_second_run() -> None:
    link = "https://acme.example/p1"
    asked = ask_again("Refund {0}", value="k1", status=Status.DONE, thread=link).payload
    unstarted = ask_again("Refund {0}", value="k1", status=None).payload

    assert faults_of_message(asked) == faults_of_message(unstarted) == []
    assert asked["blocks"][1]["elements"][0]["action_id"] == "run.again"
    assert asked["text"].startswith("You started Refund {0} the same way a moment ago, and it is")
    assert "nothing has started from it" in unstarted["text"]


KINDS = [
    *("string", "integer", "number", "boolean", "date", "datetime", "enum"),
    *("list", "user", "group", "channel", "file"),
]
CHOICES = st.lists(st.text(min_size=1, max_size=75), min_size=1, max_size=100, unique=True)


@st.composite
def some_input(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(KINDS))
    more = draw(MORE[kind]) if kind in MORE else {}
    return {"type": kind, "required": draw(st.booleans()), **more}


@st.composite
def some_text(draw: st.DrawFn) -> dict[str, Any]:
    most = draw(st.integers(1, 3_000))
    default = draw(st.none() | st.text(max_size=most))
    return {"max_length": most, "multiline": draw(st.booleans()), "default": default}


@st.composite
def some_enum(draw: st.DrawFn) -> dict[str, Any]:
    choices = tuple(draw(CHOICES))
    return {"choices": choices, "default": draw(st.sampled_from([None, choices[0]]))}


@st.composite
def some_list(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["string", "integer", "enum", "user", "group", "channel"]))
    more = {"choices": tuple(draw(CHOICES))} if kind == "enum" else {}
    first = more.get("choices", ("x",))[0]
    defaults = [None, (first,)] if kind in ("string", "enum") else [None]
    return {"of": {"type": kind, **more}, "default": draw(st.sampled_from(defaults))}


def with_default(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"default": st.none() | strategy})


NAMES = with_default(st.sampled_from(["@rita", "#ops", "U0RITA"]))
MORE: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "string": some_text(),
    "enum": some_enum(),
    "list": some_list(),
    "integer": st.fixed_dictionaries(
        {"minimum": st.none() | st.integers(-10, 10), "default": st.none() | st.integers(11, 100)}
    ),
    "date": with_default(st.dates()),
    "datetime": with_default(
        st.integers(0, 10**11).map(lambda at: datetime.fromtimestamp(at, UTC))
    ),
    "file": st.fixed_dictionaries({"types": st.sampled_from([None, ("csv", "pdf")])}),
    **dict.fromkeys(("user", "group", "channel"), NAMES),
}


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(st.from_regex(r"f_[a-z0-9]{1,8}", fullmatch=True), some_input(), max_size=8),
    st.dictionaries(st.text(), st.text(), max_size=4),
    st.data(),
)
def test_every_definition_makes_a_form_that_slack_takes(
    inputs: dict[str, dict[str, Any]], errors: dict[str, str], data: st.DataObject
) -> None:
    definition = a_definition(**inputs)
    values = {name: data.draw(st.text(max_size=50)) for name in inputs}
    view = run_form(definition, state_of(definition), values=values, errors=errors).to_dict()

    assert faults_of_view(view) == []


@given(st.text(min_size=1, max_size=2_999))
def test_a_text_comes_back_through_the_form_unchanged(text: str) -> None:
    definition = a_definition(note={"type": "string", "multiline": True})
    shown = element_of(definition, "note", note=text).get("initial_value", text)
    state = json.loads(json.dumps(filled(definition, note={"value": shown})))

    assert values_from(state, definition) == {"note": text}


@given(CHOICES)
def test_every_choice_comes_back_as_itself(choices: list[str]) -> None:
    definition = a_definition(one={"type": "enum", "choices": tuple(choices)})
    options = element_of(definition, "one")["options"]
    back = [
        values_from(filled(definition, one={"selected_option": option}), definition)["one"]
        for option in options
    ]

    assert back == choices
    assert faults_of_blocks([block.to_dict() for block in blocks_for(definition)]) == []


def test_a_text_input_without_any_limit_has_no_hint() -> None:
    assert hint_for(TextInput(type="string")) == ""
