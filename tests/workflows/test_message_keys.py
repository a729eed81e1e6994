"""The names of messages are read from both ends, whatever a step's instance is called."""

from hypothesis import given
from hypothesis import strategies as st

from workflows.instances import instance, is_undo, items_of, step_of, undo_of, undone_by
from workflows.message_keys import (
    answer_value,
    card_key,
    read_answer_value,
    read_card_key,
    read_step_key,
)

IDS = st.text("abcdef0123456789_-", min_size=1, max_size=32)
STEPS = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
ITEMS = st.lists(st.integers(0, 9_999), max_size=2)
NAMES = st.builds(instance, STEPS, ITEMS) | st.builds(instance, STEPS, ITEMS).map(undo_of)


@given(run=IDS, name=NAMES, entry=IDS)
def test_reading_a_card_s_key_gives_what_was_written(run: str, name: str, entry: str) -> None:
    assert read_card_key(card_key(run, name, entry)) == (run, name, entry)


@given(run=IDS, name=NAMES, entry=IDS)
def test_reading_a_button_gives_what_was_written(run: str, name: str, entry: str) -> None:
    assert read_answer_value(answer_value(run, name, entry)) == (run, name, entry)


@given(run=IDS, name=NAMES)
def test_a_button_of_an_earlier_release_names_no_entry(run: str, name: str) -> None:
    assert read_answer_value(f"{run}/{name}") == (run, name, "")
    assert read_step_key(f"{run}/{name}") == (run, name)


@given(step=STEPS, items=ITEMS)
def test_an_instance_names_its_step_its_items_and_what_undoes_it(
    step: str, items: list[int]
) -> None:
    name = instance(step, items)

    assert (step_of(name), items_of(name)) == (step, tuple(items))
    assert is_undo(undo_of(name))
    assert not is_undo(name)
    assert undone_by(undo_of(name)) == name


def test_what_is_no_key_has_no_step() -> None:
    assert read_step_key("r1") == ("r1", "")
    assert read_step_key("") == ("", "")
