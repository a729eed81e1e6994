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
        ("{type: string, required: false}", " ", " "),
        ('{type: string, default: " "}', None, " "),
        ('{type: string, default: " "}', " ", " "),
        ("{type: string}", "\u00a0\u200b.", "\u00a0\u200b."),
        ("{type: string}", "\u0301", "\u0301"),
        ("{type: string}", "\u2764\ufe0f", "\u2764\ufe0f"),
        ("{type: integer, required: false}", None, None),
        ("{type: integer, default: 5}", None, 5),
        ('{type: string, default: ""}', None, ""),
        ("{type: date, default: 2024-01-01}", None, "2024-01-01"),
        ("{type: boolean, default: false}", None, False),
        ("{type: datetime}", "2026-03-31T09:00+02:00", "2026-03-31T07:00:00Z"),
        ("{type: datetime}", "2026-03-31T07:00:59Z", "2026-03-31T07:00:59Z"),
        ('{type: datetime, default: "2026-03-31T09:00:00+02:00"}', "", "2026-03-31T07:00:00Z"),
        ("{type: list, of: {type: string}}", "a, b ,,c", ["a", "b", "c"]),
        ("{type: list, of: {type: string}}", "a, b\n\nc", ["a, b", "c"]),
        ("{type: list, of: {type: string}}", '["a, b", " c"]', ["a, b", " c"]),
        ("{type: list, of: {type: integer}}", "1,2", [1, 2]),
        ("{type: list, of: {type: integer}}", [1, "2"], [1, 2]),
        ("{type: list, of: {type: enum, choices: [eu, us]}}", "us,eu", ["us", "eu"]),
        ("{type: list, of: {type: string}, default: [x]}", [], ["x"]),
        ("{type: list, of: {type: string}, required: false}", [], None),
        ("{type: list, of: {type: user}}", "<@U0RITA|rita>,@sam", ["U0RITA", "@sam"]),
        ("{type: user}", "<@W0RITA>", "W0RITA"),
        ("{type: user}", "@rita.b-c", "@rita.b-c"),
        ("{type: user}", {"id": "U0RITA", "name": "x"}, "U0RITA"),
        ("{type: group}", "<!subteam^S0OPS|@ops>", "S0OPS"),
        ("{type: group}", "@ops", "@ops"),
        ("{type: channel}", "<#C0OPS|ops>", "C0OPS"),
        ("{type: channel}", "#ops", "#ops"),
        ("{type: file}", "F0ABC12", "F0ABC12"),
        ("{type: file}", "https://acme.slack.com/files/U0RITA/F0ABC12/x.csv", "F0ABC12"),
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
        ("{type: string}", "   ", "please give a value; this one holds only blanks"),
        ("{type: string}", "\u00a0", "holds only blanks"),
        ("{type: string, multiline: true}", "\n \t\n", "holds only blanks"),
        ("{type: string}", "\u200b\u2060\ufeff", "holds only blanks"),
        ("{type: string}", "\u3164\u2800\ufe0f\u00ad", "holds only blanks"),
        ('{type: string, pattern: "^.{3,}$"}', "    ", "holds only blanks"),
        ("{type: list, of: {type: string}}", [" "], "item 1 please give a value; this one holds"),
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
        ("{type: datetime}", "2026-03-31T09:00", "must be a moment with its offset"),
        ("{type: datetime}", "2026-03-31", "must be a moment with its offset"),
        ("{type: datetime}", 1774000000, "must be a moment with its offset"),
        ("{type: datetime}", "2026-02-30T09:00Z", "is not in the calendar"),
        ("{type: datetime}", "0001-01-01T00:00+14:00", "is not in the calendar"),
        (
            '{type: datetime, maximum: "2026-01-01T00:00:00Z"}',
            "2026-01-01T00:00:01Z",
            "must be at most 2026-01-01T00:00:00Z",
        ),
        ("{type: list, of: {type: integer}}", "1,x", "item 2 must be a whole number"),
        ("{type: list, of: {type: integer}}", "[1,", "has to be JSON"),
        ("{type: list, of: {type: integer}}", "[" * 9_000, "has to be JSON"),
        ("{type: list, of: {type: integer}}", 5, "must be a list, such as a,b,c"),
        ("{type: list, of: {type: integer}}", "", "please give a value"),
        ("{type: list, of: {type: string}, max_items: 2}", "a,b,c", "at most 2 items"),
        ("{type: list, of: {type: string}, min_items: 2}", "a", "must have 2 to 100 items"),
        ("{type: list, of: {type: string}}", [["a"]], "item 1 must be text, not a list"),
        ("{type: list, of: {type: string}}", [None], "item 1 please give a value"),
        ("{type: user}", "rita", "must be a person, such as @rita"),
        ("{type: user}", "<!channel>", "must be a person"),
        ("{type: user}", "@rita @sam", "must be a person"),
        ("{type: user}", {"name": "rita"}, "must be a person"),
        ("{type: user}", "S0OPS", "must be a person"),
        ("{type: group}", "<@U0RITA>", "must be a user group"),
        ("{type: channel}", "D0RITA", "must be a channel"),
        ("{type: channel}", "#ops,#dev", "must be a channel"),
        ("{type: file}", "report.csv", "must be a file in Slack"),
        ("{type: file}", "https://evil.example/F0ABC12", "must be a file in Slack"),
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
        '{type: datetime, minimum: "2026-01-02T00:00:00Z", maximum: "2026-01-01T00:00:00Z"}',
        '{type: datetime, default: "2026-01-01T00:00:00"}',
        '{type: datetime, default: "2026-01-01T00:00:00.5Z"}',
        "{type: list, of: {type: integer}, default: [x]}",
        "{type: list, of: {type: integer, default: 5}}",
        "{type: list, of: {type: string, multiline: true}}",
        "{type: list, of: {type: list, of: {type: string}}}",
        "{type: list, of: {type: user}, max_items: 21}",
        '{type: list, of: {type: string, pattern: "("}}',
        "{type: list}",
        "{type: user, default: rita}",
        "{type: file, types: [CSV]}",
        "{type: file, default: F0ABC12}",
        "{type: string, multiline: true, options: {uses: sql.query, items: result.rows}}",
        "{type: string, options: {uses: sql.query}}",
        "{type: string, options: {uses: sql.query, items: result.rows, timeout: 3s}}",
    ],
)
def test_an_input_that_contradicts_itself_is_refused_when_the_file_is_read(spec: str) -> None:
    with pytest.raises(DefinitionError, match=r"definition:5:\d+: inputs\.field"):
        asking(spec)
