"""A definition's version is the digest of what it means, and nothing is lost in storing it."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workflows.definition_kit import REFUND, SHIPPED, refund
from workflows.actions.base import Effect
from workflows.definition import Definition
from workflows.definition_steps import raised
from workflows.duration import duration, duration_text
from workflows.errors import DefinitionError
from workflows.loading import load_definition

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner),
    max_leaves=8,
)


def test_comments_order_and_ways_of_writing_do_not_change_the_version() -> None:
    other = "# a remark\n" + REFUND.replace(
        "title: Refund a customer\nowner:", 'owner: "@finance-ops"\ntitle: "Refund a customer"\nx:'
    ).replace('x: "@finance-ops"\n', "")
    other = other.replace("minimum: 1}", "required: true, minimum: 1}")

    assert load_definition(other).version == refund().version


@pytest.mark.parametrize(
    "change",
    [
        ("minimum: 1", "minimum: 2"),
        ("effect: destructive", "effect: write"),
        ("@finance-leads", "@finance-directors"),
        ("<= steps", "< steps"),
        ("undo: none", "recheck: false\n    undo: none"),
    ],
)
def test_any_change_of_meaning_changes_the_version(change: tuple[str, str]) -> None:
    assert load_definition(REFUND.replace(*change, 1)).version != refund().version


def test_equal_lengths_of_time_are_one_meaning() -> None:
    minute = load_definition(REFUND.replace("undo: none", "timeout: 60s\n    undo: none"))
    same = load_definition(REFUND.replace("undo: none", "timeout: 1m\n    undo: none"))

    assert minute.version == same.version


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*-*-*.yaml")), ids=lambda one: one.stem)
def test_a_shipped_definition_comes_back_whole_from_its_canonical_bytes(path: object) -> None:
    definition = load_definition(path)

    again = Definition.from_canonical(definition.canonical)

    assert again == definition
    assert again.canonical == definition.canonical


@given(arguments=st.dictionaries(st.text("abcdef", min_size=1), JSON, max_size=4))
def test_arguments_of_every_kind_survive_storing(arguments: dict[str, object]) -> None:
    definition = Definition.model_validate_json(
        json.dumps(
            {
                "workflow": "a",
                "title": "A",
                "owner": "@a",
                "deputy": "@b",
                "steps": [{"id": "look", "uses": "sql.query", "with": arguments}],
            }
        )
    )
    again = Definition.from_canonical(definition.canonical)

    assert again.step("look").arguments == arguments
    assert again.version == definition.version


def test_bytes_that_this_release_cannot_read_are_refused_in_words() -> None:
    stored = refund().canonical.replace(b'"steps"', b'"stages"')

    with pytest.raises(DefinitionError, match="stored definition cannot be read"):
        Definition.from_canonical(stored)


def test_whoever_is_not_named_falls_back_to_owner_and_deputy() -> None:
    assert refund().may_run == ("@finance-ops", "@support-leads")


def test_an_unknown_step_is_refused_in_words() -> None:
    with pytest.raises(DefinitionError, match="has no step 'nope'"):
        refund().step("nope")


def test_defaults_are_reliable() -> None:
    step = refund().step("order")

    assert step.timeout == timedelta(minutes=10)
    assert step.recheck


def test_a_definition_raises_an_effect_and_never_lowers_it() -> None:
    assert raised(Effect.WRITE, Effect.DESTRUCTIVE) is Effect.DESTRUCTIVE
    assert raised(Effect.DESTRUCTIVE, Effect.READ) is Effect.DESTRUCTIVE
    assert raised(Effect.EGRESS, None) is Effect.EGRESS


@given(st.integers(1, 999_999), st.sampled_from(["ms", "s", "m", "h", "d"]))
def test_a_length_of_time_written_and_read_again_is_the_same(number: int, unit: str) -> None:
    length = duration(f"{number}{unit}")

    assert duration(duration_text(length)) == length


@pytest.mark.parametrize("text", ["0s", "5", "5 m", "-1s", "1.5h", "1w", "", 5, None, "9999999d"])
def test_anything_else_is_no_length_of_time(text: object) -> None:
    with pytest.raises(ValueError, match="no length of time"):
        duration(text)
