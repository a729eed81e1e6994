"""Values that people and schedules give are read strictly, and refused field by field."""

import datetime as dt

import pytest

from tests.workflows.definition_kit import HEAD, refund
from workflows.definition import Definition
from workflows.entry import Json
from workflows.errors import DefinitionError, InputsError
from workflows.input_values import read_inputs
from workflows.loading import load_definition

STEPS = "steps: [{id: look, uses: sql.query}]\n"


def asking(spec: str) -> Definition:
    return load_definition(f"{HEAD}inputs: {{field: {spec}}}\n{STEPS}")


def read(spec: str, given: object) -> Json:
    return read_inputs(asking(spec).inputs, {"field": given})["field"]


@pytest.mark.parametrize(
    ("spec", "given", "value"),
    [
        ("{type: integer}", "12", 12),
        ("{type: integer}", "-3", -3),
        ("{type: integer}", 12, 12),
        ("{type: number}", "1.5", 1.5),
        ("{type: number}", 2, 2.0),
        ("{type: boolean}", "true", True),
        ("{type: boolean}", False, False),
        ("{type: date}", "2024-02-29", "2024-02-29"),
        ("{type: date}", dt.date(2024, 2, 29), "2024-02-29"),
        ("{type: enum, choices: [eu, us]}", "eu", "eu"),
        ("{type: string}", "  two  spaces ", "  two  spaces "),
        ("{type: string, multiline: true}", "one\ntwo", "one\ntwo"),
        ("{type: string, required: false}", "", None),
        ("{type: integer, required: false}", None, None),
        ("{type: integer, default: 5}", None, 5),
        ("{type: date, default: 2024-01-01}", None, "2024-01-01"),
        ("{type: boolean, default: false}", None, False),
    ],
)
def test_a_value_is_read_as_its_input_declares(spec: str, given: object, value: Json) -> None:
    found = read(spec, given)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("spec", "given", "why"),
    [
        ("{type: integer}", "12 ", "must be a whole number such as 1200, without spaces"),
        ("{type: integer}", "1.0", "must be a whole number"),
        ("{type: integer}", "١٢", "must be a whole number"),
        ("{type: integer}", True, "must be a whole number"),
        ("{type: integer}", 1.0, "must be a whole number"),
        ("{type: integer}", "9007199254740992", "is too large"),
        ("{type: integer, minimum: 1, maximum: 5}", "6", "must be 1 to 5"),
        ("{type: integer, minimum: 1}", "0", "must be at least 1"),
        ("{type: number, maximum: 2.5}", "2.6", "must be at most 2.5"),
        ("{type: number}", "1,5", "must be a number such as 1.5"),
        ("{type: number}", float("nan"), "must be a number"),
        ("{type: number}", True, "must be a number"),
        ("{type: boolean}", "yes", "must be true or false"),
        ("{type: boolean}", 1, "must be true or false"),
        ("{type: date}", "2023-02-29", "2023-02-29 is not in the calendar"),
        ("{type: date}", "29.02.2024", "must be a day such as 2026-03-31"),
        ("{type: date, minimum: 2024-01-01}", "2023-12-31", "must be at least 2024-01-01"),
        ("{type: enum, choices: [eu, us]}", "EU", "must be one of: eu, us"),
        ("{type: string}", "", "please give a value"),
        ("{type: string}", None, "please give a value"),
        ("{type: string}", 5, "must be text, not a number"),
        ("{type: string}", "one\ntwo", "must be a single line"),
        ("{type: string}", "one\n", "must be a single line"),
        ("{type: string}", "a\0b", "holds a character that cannot be stored"),
        ("{type: string}", "a\ud800", "holds a character that cannot be stored"),
        ("{type: string, max_length: 3}", "abcd", "must have at most 3 characters"),
        ("{type: string, min_length: 2, max_length: 3}", "a", "must have 2 to 3 characters"),
        ('{type: string, pattern: "^ord_[a-z]+$"}', "x", 'must begin with "ord_" and look like'),
        ('{type: string, pattern: "^ord_[a-z]+$"}', " ord_a", "space before or after it"),
        ('{type: string, pattern: "a|b", example: a}', "c", "must look like a|b, for example a"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_what_would(
    spec: str, given: object, why: str
) -> None:
    with pytest.raises(InputsError) as refused:
        read(spec, given)

    assert why in refused.value.fields["field"]


def test_no_pattern_can_be_made_to_run_for_ever() -> None:
    with pytest.raises(InputsError):
        read('{type: string, pattern: "^(a+)+$"}', "a" * 2999 + "b")


def test_a_pattern_matches_the_whole_value() -> None:
    with pytest.raises(InputsError):
        read('{type: string, pattern: "a|b", multiline: true}', "xa")
    with pytest.raises(InputsError):
        read('{type: string, pattern: "a$", multiline: true}', "a\n")


@pytest.mark.parametrize("pattern", ["(?=a)", "(a", "a{2000}{2000}"])
def test_a_pattern_that_could_not_be_bounded_is_refused_when_the_file_is_read(
    pattern: str,
) -> None:
    with pytest.raises(DefinitionError, match="is no regular expression: "):
        asking(f'{{type: string, pattern: "{pattern}"}}')


def test_every_field_gets_its_own_answer() -> None:
    raw = {"order": "x", "amout": "1", "rate": "much"}

    with pytest.raises(InputsError) as refused:
        read_inputs(refund().inputs, raw)

    fields = refused.value.fields
    assert set(fields) == {"order", "amount", "amout", "rate"}
    assert fields["amout"] == "there is no such field; did you mean 'amount'?"


def test_every_declared_input_has_a_value_afterwards() -> None:
    given = read_inputs(refund().inputs, {"order": "ord_1", "amount": "250"})

    assert given == {"order": "ord_1", "amount": 250, "rate": 1.5, "note": None}


@pytest.mark.parametrize(
    "spec",
    [
        "{type: integer, minimum: 5, default: 1}",
        '{type: string, pattern: "^a$", default: b}',
        "{type: enum, choices: [a], default: b}",
        "{type: integer, minimum: 5, maximum: 1}",
        "{type: enum, choices: [a, a]}",
        '{type: string, pattern: "^a$", example: b}',
        "{type: string, min_length: 5, max_length: 1}",
    ],
)
def test_an_input_that_contradicts_itself_is_refused_when_the_file_is_read(spec: str) -> None:
    with pytest.raises(DefinitionError, match=r"definition:5:\d+: inputs\.field"):
        asking(spec)
