"""Whether a condition can be true: what trying finds, and that it never claims too much."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.condition_cases import Reach, reached
from workflows.condition_tree import Applied, Constant, Has, Listed, Name, Opaque, Tree, tree_of
from workflows.entry import Json
from workflows.errors import ExpressionError
from workflows.policy_facts import rule_environment


@pytest.mark.parametrize(
    ("condition", "reach"),
    [
        ('effect == "destructive" && inputs.amount > 50000', Reach.TRUE),
        ("inputs.a > 5 && inputs.a < 6", Reach.TRUE),
        ("inputs.a > 5 && inputs.a < 5.001", Reach.TRUE),
        ("inputs.a > 5 && inputs.a <= 5", Reach.UNCLEAR),
        ("inputs.a == null", Reach.TRUE),
        ("!has(inputs.a)", Reach.TRUE),
        ("inputs.is_urgent", Reach.TRUE),
        ("hour > 23", Reach.NEVER),
        ("hour >= 23 && hour < 24", Reach.TRUE),
        ("weekday in [0, 8]", Reach.NEVER),
        ('effect == "destructiv"', Reach.NEVER),
        ('workflow == "a" && workflow == "b"', Reach.NEVER),
        ('workflow != "a" && workflow != "b"', Reach.TRUE),
        ('!(workflow in ["a", "b"]) && workflow == "b"', Reach.NEVER),
        ('effect == "write" ? hour > 23 : hour < 0', Reach.NEVER),
        ("inputs.a > 10 && inputs.a < 5", Reach.UNCLEAR),
        ("inputs.a > 10 && hour > 23", Reach.NEVER),
        ('requester.startsWith("@ops")', Reach.TRUE),
        ('requester.startsWith("@ops") && hour > 23', Reach.UNKNOWN),
        ("inputs.a + 1 > 2", Reach.TRUE),
        ("hour == weekday", Reach.TRUE),
        ("size(inputs) > 3", Reach.UNKNOWN),
        ('inputs.hosts.exists(one, one == "db")', Reach.UNKNOWN),
        ("true", Reach.TRUE),
        ("false", Reach.NEVER),
    ],
)
def test_what_a_condition_can_become(condition: str, reach: Reach) -> None:
    assert reached(condition).reach is reach


def test_a_case_is_told_in_words() -> None:
    found = reached('workflow == "refund" && inputs.amount > 5 && !has(inputs.note)')

    assert found.words == 'workflow = "refund", inputs.amount = 6, no inputs.note'


def test_what_is_known_is_not_tried() -> None:
    condition = 'workflow == "refund" && inputs.amount > 5'

    assert reached(condition, {"workflow": "purge"}).reach is Reach.NEVER
    assert reached(condition, {"workflow": "refund"}, inputs=["amount"]).reach is Reach.TRUE
    assert reached(condition, {"workflow": "refund"}, inputs=[]).reach is Reach.UNCLEAR


def test_too_many_cases_are_not_claimed_to_be_all() -> None:
    names = " && ".join(f"inputs.i{number} > 1" for number in range(8))

    assert reached(f"{names} && hour > 23").reach is Reach.UNKNOWN


def test_a_condition_is_read_as_a_tree() -> None:
    def read(condition: str) -> Tree:
        return tree_of(rule_environment(), condition)

    amount = Name(("inputs", "amount"))
    assert read("inputs.amount > -5") == Applied("_>_", (amount, Constant(-5)))
    assert read('inputs["amount"] == 1.5') == Applied("_==_", (amount, Constant(1.5)))
    assert read("has(inputs.amount)") == Has(("inputs", "amount"))
    assert read("hour in [1, 2]") == Applied(
        "@in", (Name(("hour",)), Listed((Constant(1), Constant(2))))
    )
    assert read("inputs.a.exists(x, x == 1)") == Opaque()
    assert read("inputs.amount == null") == Applied("_==_", (amount, Constant(None)))


# --- it never claims too much ----------------------------------------------------------------

NAMES = ("effect", "workflow", "hour", "weekday", "inputs.a", "inputs.b")
VALUES = st.one_of(
    st.sampled_from(['"write"', '"destructive"', '"x"', "true", "null"]),
    st.integers(-3, 30).map(str),
    st.sampled_from(["0.5", "5.25"]),
)
ATOMS = st.one_of(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(["==", "!=", "<", ">="]), VALUES).map(
        " ".join
    ),
    st.tuples(st.sampled_from(NAMES), st.lists(VALUES, min_size=1, max_size=3)).map(
        lambda one: f"{one[0]} in [{', '.join(one[1])}]"
    ),
    st.sampled_from(["has(inputs.a)", "inputs.b"]),
)
CONDITIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        inner.map(lambda one: f"!({one})"),
        st.tuples(inner, st.sampled_from(["&&", "||"]), inner).map(
            lambda one: f"({one[0]}) {one[1]} ({one[2]})"
        ),
    ),
    max_leaves=5,
)
INPUTS = st.dictionaries(
    st.sampled_from(["a", "b"]),
    st.one_of(
        st.integers(-5, 40),
        st.floats(-5, 40, allow_nan=False),
        st.sampled_from(["x", "write", "", True, False, None]),
    ),
)
FACTS = st.fixed_dictionaries(
    {
        "effect": st.sampled_from(["read", "egress", "write", "destructive"]),
        "workflow": st.sampled_from(["x", "write", "anything"]),
        "hour": st.integers(0, 23),
        "weekday": st.integers(1, 7),
        "inputs": INPUTS,
    }
)


@given(CONDITIONS, st.lists(FACTS, min_size=1, max_size=20))
def test_no_facts_make_true_what_never_is(condition: str, facts: list[Mapping[str, Json]]) -> None:
    try:
        rule_environment().compile(condition)
    except ExpressionError:
        return  # Such as an hour compared with a text.
    found = reached(condition).reach
    blank: Mapping[str, Json] = {"step": "s", "action": "a", "requester": "@r", "args": {}}
    given_back = [_given(condition, {**blank, **one}) for one in facts]

    if found in (Reach.NEVER, Reach.UNCLEAR):
        assert True not in given_back
    if found is Reach.NEVER:
        assert None not in given_back


def _given(condition: str, facts: Mapping[str, Json]) -> bool | None:
    try:
        found = rule_environment().evaluate(condition, facts)
    except ExpressionError:
        return None
    return found if isinstance(found, bool) else None
