"""A model's summary is shown as far as the conversation bears it out, and no further."""

import pytest

from workflows.checked_summary import MOST_SENTENCES, checked

SAID = (
    "Ana: The import of 1,200 orders failed at 14:05 in eu-west.",
    "Ben: I restarted it. It is not fixed yet.",
    "Rita: Ana approved the refund of order ord_17.",
)


@pytest.mark.parametrize(
    "sentence",
    [
        "The import of 1,200 orders failed at 14:05.",
        "Ana approved the refund of ord_17.",
        "Ben restarted it.",
        "The import is not fixed.",
        "People talked about the import.",
    ],
)
def test_what_the_thread_says_is_kept(sentence: str) -> None:
    assert checked(sentence, SAID).kept == (sentence,)


@pytest.mark.parametrize(
    "sentence",
    [
        "The import of 1,300 orders failed.",  # Another number.
        "The import failed three times.",  # A number in words.
        "The import failed in us-east2.",
        "Dora looked into it.",  # A name at the beginning.
        "It was raised with Dora.",
        "Ask @dora about it.",
        "Ben approved the refund.",  # Somebody else's outcome.
        "The refund was rejected.",  # An outcome nobody named.
        "The import is fixed.",  # An outcome turned round.
        "Ana never approved the refund.",
        "The refund was not approved.",
        "a " * 400,
    ],
)
def test_what_it_does_not_say_is_dropped_whole(sentence: str) -> None:
    assert checked(sentence, SAID).kept == ()
    assert checked(f"{sentence}\nBen restarted it.", SAID).kept == ("Ben restarted it.",)


def test_what_was_dropped_is_counted_and_bullets_are_taken_off() -> None:
    found = checked("- Ben restarted it.\n2) Dora knows.\n* Ana knows.", SAID)

    assert found.kept == ("Ben restarted it.", "Ana knows.")
    assert found.dropped == 1


def test_a_long_summary_is_cut() -> None:
    assert len(checked("Ben restarted it.\n" * 50, SAID).kept) == MOST_SENTENCES


def test_nothing_comes_of_nothing() -> None:
    assert checked("", SAID).kept == ()
    assert checked("Ana approved it.", ()).kept == ()
