"""The options of an input: what a file may say of them, and what is made of an answer."""

import pytest

from tests.workflows.definition_kit import HEAD, said
from workflows.check import schema
from workflows.choosing import Choice, matching
from workflows.loading import load_definition


def asking(options: str, *, more: str = "") -> str:
    return (
        f"{HEAD}inputs:\n  row: {{type: string, {more}options: {{{options}}}}}\n"
        "steps:\n  - {id: say, uses: slack.post, with: {text: '${{ inputs.row }}'}}\n"
    )


READ = "uses: sql.query, with: {database: crm, statement: SELECT 1}"
ROWS = "returns: {rows: [{id: integer, name: 'string?'}]}, items: result.rows"


@pytest.mark.parametrize(
    "options",
    [
        f"{READ}, {ROWS}, value: item.id, label: item.name",
        f"{READ}, {ROWS}, value: string(item.id) + '/' + string(item.name)",
        f"{READ}, items: 'result.rows.filter(row, row.id > 1)', value: item.id",
        (
            "uses: http.request, with: {service: shop, path: '/orders/${{ typed }}'}, "
            "returns: {body: {found: [string]}}, items: result.body.found"
        ),
    ],
)
def test_options_that_make_sense_are_taken(options: str) -> None:
    assert said(asking(options)) == []


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ("uses: sql.qery, items: result.rows", "there is no action 'sql.qery', did you mean"),
        (
            "uses: sql.execute, with: {database: crm, statement: DELETE FROM a}, items: result",
            "sql.execute with these arguments does not only read, read the choices of a form",
        ),
        (f"{READ}, {ROWS}, value: item.idd", "nothing is called item.idd"),
        (f"{READ}, {ROWS}, value: item.id > 1", "gives boolean, but integer or string is needed"),
        (f"{READ}, items: result.row, value: item", "nothing is called result.row"),
        (f"{READ}, items: result.count, value: item", "gives integer, but list is needed"),
        (f"{READ}, returns: {{rows: integer}}, items: result.rows", "`returns` does not fit"),
        (
            (
                "uses: http.request, with: {service: shop, path: '/${{ inputs.row }}'},"
                " items: result.body"
            ),
            "nothing is called inputs.row",
        ),
        (f"{READ}, {ROWS}, limit: 5", "is not known here"),
    ],
)
def test_options_that_make_none_are_refused_at_their_place(options: str, fault: str) -> None:
    found = said(asking(options))

    assert any(fault in one and "inputs.row.options" in one for one in found), found


def test_options_of_a_question_and_of_a_lists_items_are_checked_too() -> None:
    text = (
        f"{HEAD}inputs:\n  rows: {{type: list, of: {{type: string, options:"
        f" {{{READ}, items: result.rowz}}}}}}\n"
        "steps:\n  - id: which\n    ask:\n      of: ['@ops']\n      question: Which?\n"
        f"      fields: {{one: {{type: string, options: {{{READ}, items: result.rowz}}}}}}\n"
        "  - {id: say, uses: slack.post, with: {text: '${{ inputs.rows[0] }}'}}\n"
    )
    found = said(text)

    assert sum("result.rowz" in one for one in found) == 2
    assert any("inputs.rows.of.options.items" in one for one in found)
    assert any("steps[0].ask.fields.one.options.items" in one for one in found)


def test_inputs_are_typed_by_what_they_hold() -> None:
    head = (
        f"{HEAD}inputs:\n  who: {{type: user}}\n  many: {{type: list, of: {{type: integer}}}}\n"
        "  sheet: {type: file}\n  at: {type: datetime}\nsteps:\n"
    )
    step = '  - {id: say, when: "WHEN", uses: slack.post, with: {text: hm}}\n'

    def told(when: str) -> str:
        return said(head + step.replace("WHEN", when))[0]

    assert "warning" in told("inputs.who.id == inputs.at")
    assert "warning" in told("timestamp(inputs.at) < timestamp(inputs.at)")
    assert "nothing is called inputs.who.idd" in told("inputs.who.idd == ''")
    assert "does not go with" in told("inputs.sheet.size == ''")
    assert "does not go with" in told("inputs.many[0] == ''")


def test_a_person_is_no_text_but_their_name_is() -> None:
    text = (
        f"{HEAD}inputs:\n  who: {{type: user}}\n"
        "steps:\n  - {id: say, uses: slack.post, with: {text: 'for ${{ inputs.who }}'}}\n"
    )

    assert "puts a list or an object into a text" in said(text)[0]
    assert said(text.replace("inputs.who }}", "inputs.who.name }}")) == []


def test_what_begins_with_the_words_typed_comes_first() -> None:
    choices = [Choice(value=one, label=one) for one in ("A-west", "west-1", "east", "West-2")]

    assert [one.value for one in matching(choices, " WEST ")] == ["west-1", "West-2", "A-west"]
    assert len(list(matching(choices, ""))) == 4


def test_editors_know_every_type_of_input() -> None:
    known = schema()["$defs"]
    types = {one["properties"]["type"]["const"] for name, one in known.items() if "Input" in name}

    assert types == {
        "string",
        "integer",
        "number",
        "boolean",
        "date",
        "datetime",
        "enum",
        "list",
        "user",
        "group",
        "channel",
        "file",
    }


def test_a_workflow_that_uses_none_of_this_keeps_its_version() -> None:
    plain = load_definition(
        f"{HEAD}inputs:\n  order: {{type: string}}\n  size: {{type: enum, choices: [a, b]}}\n"
        "steps:\n  - {id: say, uses: slack.post, with: {text: '${{ inputs.order }}'}}\n"
    )

    assert plain.version.startswith("b5d92bd58516")
