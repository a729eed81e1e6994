"""What a conversation comes to: sentences that were written, in their order, and no others."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.thread_summary import LONGEST_QUOTE, MOST_QUOTED, Said, gist

CHATTER = (
    "Good morning everybody out there.",
    "Lovely weather today in the north.",
    "My train was late once again.",
    "Lunch tastes better on Fridays anyway.",
    "Somebody left an umbrella upstairs.",
    "Coffee is on the second floor.",
    "The plants look rather thirsty here.",
    "Music from the street all day long.",
)


def thread(*texts: str, reactions: int = 0) -> list[Said]:
    return [
        Said(ts=f"{number}.0", author=f"U{number}", text=text, reactions=reactions)
        for number, text in enumerate(texts)
    ]


def quoted(said: list[Said]) -> list[str]:
    return [one.text for one in gist(said)]


def test_a_short_thread_is_quoted_whole() -> None:
    assert quoted(thread("It is broken. Who looks into it?", "I do, right now.")) == [
        "It is broken.",
        "Who looks into it?",
        "I do, right now.",
    ]


def test_nothing_said_comes_to_nothing() -> None:
    assert gist([]) == []
    assert gist(thread("…", "👍", "  \n ")) == []


@pytest.mark.parametrize(
    "telling",
    [
        "We decided that Ana will restore it tomorrow.",
        "Has anybody told the customer about this yet?",
        "The root cause is the new import, which must go.",
    ],
)
def test_what_asks_decides_or_promises_outweighs_chatter(telling: str) -> None:
    middle = [*CHATTER[:4], telling, *CHATTER[4:]]
    found = quoted(thread("The import fails since noon.", *middle, "That was it for now."))

    assert telling in found
    assert len(found) == MOST_QUOTED


def test_what_the_thread_comes_back_to_outweighs_what_one_said() -> None:
    about = ("The importer stumbles over orders.", "Orders make the importer stumble.")
    found = quoted(thread("Hello there everybody.", *CHATTER, *about, "Until later then."))

    assert set(about) <= set(found)


def test_how_it_began_and_what_was_said_last_are_always_there() -> None:
    decided = [f"We decided number {one} and agreed that it must be done." for one in range(20)]
    found = quoted(thread("Plain words to begin with.", *decided, "Plain words to end with."))

    assert (found[0], found[-1]) == ("Plain words to begin with.", "Plain words to end with.")


def test_many_reactions_are_a_reason_to_quote() -> None:
    loud = Said(ts="8.5", author="U9", text="Quiet words about some garden fence.", reactions=9)
    said = thread("Hello there everybody.", *CHATTER, "Until later then.")

    assert loud.text not in quoted([*said[:9], replace(loud, reactions=0), said[9]])
    assert loud.text in quoted([*said[:9], loud, said[9]])


def test_a_long_sentence_is_cut_and_says_so() -> None:
    (found,) = gist(thread("word " * 200))

    assert len(found.text) == LONGEST_QUOTE
    assert found.text.endswith("…")


@given(
    st.lists(
        st.text(
            alphabet=st.sampled_from("ab .!?\n…<>&*_`@é漢👍\u202e"),
            max_size=80,
        ),
        max_size=30,
    )
)
def test_every_quote_was_written_by_its_author_in_that_order(texts: list[str]) -> None:
    said = thread(*texts)
    found = gist(said)
    wrote = {one.ts: " ".join(one.text.split()) for one in said}
    places = [float(one.ts) for one in found]

    assert len(found) <= MOST_QUOTED
    assert all(one.text in wrote[one.ts] for one in found)
    assert places == sorted(places)
