"""Values of inputs in words: what people read of them means one thing."""

import pytest

from workflows.entry import Json
from workflows.input_words import in_words


@pytest.mark.parametrize(
    ("items", "words"),
    [
        (["a", "b"], "a, b"),
        (["a, b"], '"a, b"'),
        (["a, b", "c"], '"a, b", c'),
        (['a", "b'], r'"a\", \"b"'),
        (["", " "], '"", " "'),
        ([1, 2], "1, 2"),
        (["naïve 漢字"], "naïve 漢字"),
    ],
)
def test_an_item_with_a_comma_does_not_read_as_several(items: list[Json], words: str) -> None:
    assert in_words(items, None) == words
