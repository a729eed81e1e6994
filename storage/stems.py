"""Bring English words to their stems: *refunds* and *refunded* to *refund*.

Each database has a stemmer of its own, and they differ; so stories and what is looked for are
both brought to stems here, by Porter's algorithm as the Snowball project keeps it
(https://snowballstem.org/algorithms/porter/stemmer.html).
"""

import re
import threading
from functools import cache, lru_cache
from typing import Any

KNOWN = 8_192  # Words whose stems are remembered.
SHORTEST = 3
IS_ENGLISH = re.compile(r"[a-z]+")

_guard = threading.Lock()  # It keeps the word that it works on.


@lru_cache(maxsize=KNOWN)
def stem(word: str) -> str:
    """Return the stem of a word in small letters; one that is not of a to z is its own."""
    if len(word) < SHORTEST or not IS_ENGLISH.fullmatch(word):
        return word
    with _guard:
        return str(_porter().stemWord(word))


@cache
def _porter() -> Any:  # noqa: ANN401 - the library has no types.
    # It brings the stemmers of all languages along, 3 MB, which a bot that waits has no use for.
    from snowballstemmer import stemmer  # type: ignore[import-untyped]  # noqa: PLC0415

    return stemmer("porter")
