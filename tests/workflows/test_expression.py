"""Expressions are typed when a file is read, exact when they run, and bounded."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workflows.definition_kit import demo_policy, real_actions, refund
from workflows.entry import Json
from workflows.errors import DefinitionError, ExpressionError, OutputMismatchError
from workflows.expression import MOST_ITEMS, Environment, Scope
from workflows.loading import load_definition
from workflows.shapes import Kind, Shape, shape_of_returns
from workflows.step_scope import StepScopes, check_output
from workflows.template import references, resolve, resolve_text

BODY: Json = {"paid": 500, "rate": 2, "tags": ["a", None], "more": True}
ORDER: Json = {"status": 200, "body": BODY, "headers": {}, "is_cut": False}
INPUTS: dict[str, Json] = {"order": "ord_1", "amount": 250, "rate": 1.5, "note": None}
SCOPE = Scope(inputs=INPUTS, steps={"order": ORDER}, run={"id": "r1", "requester": "@rita"})


def scopes() -> StepScopes:
    return StepScopes(refund(), real_actions(demo_policy()))


def here() -> Environment:
    return scopes().before("refund")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("inputs.amount <= steps.order.output.body.paid", True),
        ("inputs.amount > 250", False),
        ("inputs.note == null", True),
        ("steps.order.output.body.rate * 2.0 == 4.0", True),
        ("inputs.order.startsWith('ord_') && inputs.order.size() == 5", True),
        ("'a' in steps.order.output.body.tags", True),
        ("[1, 2, 3].exists(x, x > 2)", True),
        ("run.requester == '@rita'", True),
    ],
)
def test_a_condition_is_true_or_false(text: str, answer: bool) -> None:  # noqa: FBT001
    assert here().holds(text, SCOPE) is answer


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("inputs.amout == 1", "nothing is called inputs.amout; did you mean 'inputs.amount'?"),
        ("steps.order.output.body.payd == 1", "did you mean 'steps.order.output.body.paid'?"),
        ("steps.refund.output.status == 1", "nothing is called steps.refund.output.status"),
        ("result.body == 1", "nothing is called result.body"),
        ("inputs.amount + inputs.order == ''", "+ does not go with int, string"),
        ("inputs.rate > 1", "write whole numbers of a fraction as 2.0"),
        ("inputs.amount ==", "Syntax error"),
        ("shout(inputs.order)", "there is no function shout"),
        ("has(inputs.note)", "Compare it: inputs.note != null"),
        ("inputs.amount", "gives an integer, but a condition has to be true or false"),
        ("'yes'", "gives text, but a condition has to be true or false"),
        ("x" * 3000, "3000 characters; at most 2000"),
    ],
)
def test_a_wrong_condition_is_refused_before_anything_runs(text: str, why: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        here().check_condition(text)

    assert why in str(refused.value)


OPEN = Environment(
    {
        "seen": Shape(kind=Kind.ANY),
        "text": Shape(kind=Kind.STRING),
        **dict.fromkeys(("rows", "many"), shape_of_returns(["any"])),
        **dict.fromkeys(("mails", "few"), shape_of_returns(["string"])),
    }
)


@pytest.mark.parametrize(
    "text",
    [
        "result.missing",
        "result.missing == 1",
        "result.list[5] == 1",
        "result.text",
        "result.one / 0 == 1",
        "result.one + 'a' == 'b'",
        "result.none > 1",
        "!result.missing",
        "result.missing || false",
        "result.list.all(x, x.deep)",
    ],
)
def test_what_cannot_be_told_is_refused_and_never_taken_for_true(text: str) -> None:
    proving = Environment({"result": Shape(kind=Kind.ANY)})
    scope = Scope(result={"one": 1, "text": "true", "list": [1], "none": None})

    with pytest.raises(ExpressionError):
        proving.holds(text, scope)


def test_a_condition_over_a_step_that_was_skipped_is_refused() -> None:
    with pytest.raises(ExpressionError, match=r"There is no steps\.order here"):
        here().holds("steps.order.output.body.paid > 1", Scope(inputs=INPUTS))


def test_an_answer_of_another_type_than_declared_is_refused() -> None:
    odd: Json = {**ORDER, "body": {"paid": "500"}}

    with pytest.raises(ExpressionError, match="cannot be evaluated"):
        here().holds("steps.order.output.body.paid > 1", Scope(inputs=INPUTS, steps={"order": odd}))


@given(st.integers(-(2**53) + 1, 2**53 - 1))
def test_whole_numbers_stay_whole_and_exact(number: int) -> None:
    environment = Environment({"seen": Shape(kind=Kind.INTEGER)})

    found = environment.evaluate("seen + 0", {"seen": number})

    assert found == number
    assert isinstance(found, int)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text("abc é😀"),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner),
        max_leaves=6,
    )
)
def test_a_lone_path_gives_the_very_value_that_stands_there(value: Json) -> None:
    environment = Environment({"result": Shape(kind=Kind.ANY)})

    assert resolve("${{ result }}", Scope(result=value), environment) == value
    assert environment.evaluate("[result][0]", {"result": value}) == value


def test_endless_work_is_cut_off() -> None:
    rows: list[Json] = list(range(200))
    text = "rows.all(a, rows.all(b, rows.all(c, true)))"

    with pytest.raises(ExpressionError, match="budget"):
        OPEN.evaluate(text, {"rows": rows})


@pytest.mark.parametrize(
    "text",
    [
        "['ab']" + ".map(x, x + x)" * 25 + ".size() > 0",
        "[[1]]" + ".map(x, [x, x, x, x, x, x, x, x, x, x])" * 8,
        "rows.map(a, rows.map(b, rows))",
        "[0, 1].map(a, " * 10 + "rows" + ")" * 10,
        "[1]" + ". map(x, [x, x])" * 25,
        "[1]" + ".map// of both\n(x, [x, x])" * 25,
        "[1]" + ".\n// Both.\n map\t(x, [x, x])" * 25,
    ],
)
def test_what_could_make_very_much_of_little_is_refused_before_it_is_tried(text: str) -> None:
    rows: list[Json] = list(range(1_000))

    with pytest.raises(ExpressionError, match="may make too much of its data"):
        OPEN.evaluate(text, {"rows": rows})


@pytest.mark.parametrize(
    "text",
    [
        r"rows.exists(a, 'b'.matches('(?i)\\pL{300}c'))",  # A quarter of a second for each row.
        "rows.all(a, 'b'.matches('((a{1,10}){1,10}){1,10}|b'))",
        "text.matches('a(a|b){200}c')",
        "text.matches(text)",
        "text.contains(text + 'b')",
        "rows.exists(a, text.size() == a)",
        "[1, 2].exists(a, [1, 2].all(b, rows.exists(c, -1 in many)))",
        " || ".join(["-1 in many"] * 130),
    ],
)
def test_what_could_take_long_is_refused_before_it_is_tried(text: str) -> None:
    data: dict[str, Json] = {
        "rows": list(range(1_000)),
        "text": "ab" * 300_000,
        "many": [0] * 300_000,
    }

    with pytest.raises(ExpressionError, match="may take too long over its data"):
        OPEN.evaluate(text, data)


def test_what_joins_two_lists_in_a_loop_that_copies_nothing_is_weighed_too() -> None:
    with pytest.raises(ExpressionError, match="may make too much of its data"):
        OPEN.evaluate("rows.exists(a, rows + rows == [])", {"rows": list(range(2_000))})


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("rows.all(r, r.mail.matches('^[^@ ]+@[a-z0-9.-]{1,60}$'))", True),
        ("rows.exists(r, r.mail in mails)", True),
        ("rows.exists(r, few.exists(o, o == r.mail))", True),
    ],
)
def test_thousands_of_rows_are_looked_through(text: str, answer: bool) -> None:  # noqa: FBT001
    mails: list[Json] = [f"person{one}@example.com" for one in range(2_000)]
    rows: list[Json] = [{"mail": one} for one in mails]
    data: dict[str, Json] = {"rows": rows, "mails": mails, "few": mails[:900]}

    assert OPEN.evaluate(text, data) is answer


def test_a_thousand_rows_are_sifted_and_turned_into_others() -> None:
    rows: list[Json] = [
        {"id": one, "name": "n" * 200, "tags": ["a", "b", "c"], "on": one % 2 == 0}
        for one in range(1_000)
    ]
    text = "rows.filter(r, r.on).map(r, {'id': r.id, 'text': r.name + ' ' + r.tags[0] + r.tags[1]})"

    found = OPEN.evaluate(text, {"rows": rows})

    assert isinstance(found, list)
    assert len(found) == 500
    assert found[1] == {"id": 2, "text": "n" * 200 + " ab"}


def test_copying_a_long_list_is_refused_but_looking_through_it_is_not() -> None:
    rows: list[Json] = list(range(MOST_ITEMS + 1))

    assert OPEN.evaluate("rows.size()", {"rows": rows}) == MOST_ITEMS + 1
    with pytest.raises(ExpressionError, match="goes over 1001 items"):
        OPEN.evaluate("rows.map(x, x).size()", {"rows": rows})


@pytest.mark.parametrize(
    "text", ["timestamp('2024-01-01T00:00:00Z')", "duration('1s')", "b'a'", "1.0 / 0.0", "{1: 2}"]
)
def test_what_json_cannot_say_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        here().value(text, SCOPE)


def test_many_threads_get_their_own_answers() -> None:
    environment = here()
    wrong: list[int] = []

    def ask(first: int) -> None:
        for amount in range(first, first + 300):
            scope = Scope(inputs={**INPUTS, "amount": amount}, steps={"order": ORDER})
            text = f"inputs.amount == {amount} && inputs.amount + {amount % 7} > 0"
            shared = environment.holds("inputs.amount > 500", scope)
            if not environment.holds(text, scope) or shared is not (amount > 500):
                wrong.append(amount)

    threads = [threading.Thread(target=ask, args=(1 + 100 * one,)) for one in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert wrong == []


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("${{ inputs.amount }}", 250),
        ("  ${{ inputs.amount }}", "  250"),
        ("/orders/${{ inputs.order }}/${{ inputs.amount + 1 }}", "/orders/ord_1/251"),
        ("${{ inputs.note }}", None),
        ("${{ steps.order.output.body }}", BODY),
        ("${{ {'a': {'b': inputs.amount}} }}", {"a": {"b": 250}}),
        ("${{ '}}' + \"'\" }}!", "}}'!"),
        ("rate ${{ inputs.rate }} ${{ inputs.amount > 1 }}", "rate 1.5 true"),
        ({"a": [None, 1.5, "${{ inputs.amount }}"], "b": "plain $ {{ }}"}, None),
    ],
)
def test_a_lone_expression_keeps_its_type_and_others_become_text(
    template: Json, value: Json
) -> None:
    if isinstance(template, dict):
        value = {"a": [None, 1.5, 250], "b": "plain $ {{ }}"}

    assert resolve(template, SCOPE, here()) == value


@pytest.mark.parametrize(
    "template", ["${{ inputs.amount", "${{ }}", "a ${{ inputs.note }}", "a ${{ [1] }}", "${{ '}} "]
)
def test_a_text_that_cannot_be_filled_is_refused(template: str) -> None:
    with pytest.raises(ExpressionError):
        resolve(template, SCOPE, here())


def test_a_lock_is_always_a_text() -> None:
    assert resolve_text("${{ inputs.amount }}", SCOPE, scopes().start()) == "250"


def test_values_are_never_read_as_expressions_again() -> None:
    sly = Scope(inputs={**INPUTS, "order": "${{ inputs.amount }}"})

    assert resolve("x ${{ inputs.order }}", sly, here()) == "x ${{ inputs.amount }}"


def test_an_expression_tells_what_it_rests_on() -> None:
    template: Json = {
        "a": ["${{ inputs.amount + steps.order.output.body.paid }}", "no inputs.rate"]
    }

    assert references(template, here()) == {"inputs.amount", "steps.order.output.body.paid"}
    assert here().references("[1].all(inputs, inputs == 1)") == frozenset()


def test_a_step_rests_on_reads_directly_and_through_others() -> None:
    read = "uses: http.request\n    with: {service: shop, path: "
    text = f"""\
workflow: chain
title: Chain
owner: "@a"
deputy: "@b"
steps:
  - id: first
    {read}/a}}
  - id: idle
    {read}/b}}
  - id: second
    {read}"/c/${{{{ steps.first.output.status }}}}"}}
  - id: third
    when: steps.second.output.status == 200
    {read}/d}}
"""
    chain = StepScopes(load_definition(text), real_actions(demo_policy()))

    assert chain.rests_on("third") == ("first", "second")
    assert chain.rests_on("first") == ()


def test_a_proof_sees_its_result_and_the_step_itself() -> None:
    proving = scopes().verifying("refund")
    scope = Scope(inputs=INPUTS, steps={"order": ORDER}, result={"body": {"refunded": 250}})

    assert proving.holds("result.body.refunded >= inputs.amount", scope)
    with pytest.raises(ExpressionError, match="nothing is called result"):
        scopes().after("refund").compile("result.body.refunded")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"paid": "500", "rate": 1, "tags": []}, r"output\.body\.paid should be integer"),
        ({"paid": 5.5, "rate": 1, "tags": []}, r"output\.body\.paid should be integer"),
        ({"paid": True, "rate": 1, "tags": []}, "but is a boolean"),
        ({"paid": 5, "tags": []}, r"output\.body has no 'rate'"),
        ({"paid": 5, "rate": 1, "tags": [None, 1]}, r"output\.body\.tags\[1\] should be string"),
        ([], r"output\.body should be object, but is a list"),
        (None, r"output\.body should be object, but is null"),
    ],
)
def test_an_answer_that_is_not_as_declared_is_refused(body: Json, why: str) -> None:
    with pytest.raises(OutputMismatchError, match=why):
        check_output(refund().step("order"), {"status": 200, "body": body})


def test_an_answer_may_hold_more_than_was_declared() -> None:
    assert check_output(refund().step("order"), ORDER) == ORDER


def test_an_unknown_action_stops_an_expression_that_needs_its_output() -> None:
    broken = StepScopes(refund(), {})

    with pytest.raises(DefinitionError, match=r"No action 'http\.request'"):
        broken.before("refund")
