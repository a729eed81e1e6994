"""Read text into the words that a search compares, the same on every database.

A word is a run of letters and digits. It is compared without regard to capitals, accents and
the other ways to write one letter. What is written without spaces between words, as Chinese,
Japanese, Korean and Thai are, is read as overlapping pairs, so that any part of it can be found:
请求被拒 is 请求, 求被, 被拒, 拒.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from itertools import pairwise

from storage.stems import stem

LONGEST_WORD = 64  # Characters; what goes on is compared by these.
# What a tsvector of Postgres holds, kept to on both databases so that they find the same.
MOST_WORDS = 16_383
MOST_OF_ONE = 256
MOST_CHARACTERS = 200_000
# Keeps the place of a word, also for FTS5, which reads a sign of ASCII as a blank; nobody can
# look for it.
PASSED_OVER = "\u00b7"
KNOWN_CHARACTERS = 8_192

# Accents and points that people leave out as they type: Latin, Greek and Cyrillic ones, Hebrew
# and Arabic vowels; and what chooses between shapes of one character.
LEFT_OUT = (
    (0x0300, 0x036F),
    (0x0483, 0x0489),
    (0x0591, 0x05C7),
    (0x0610, 0x061A),
    (0x064B, 0x065F),
    (0x0670, 0x0670),
    (0x06D6, 0x06ED),
    (0x1AB0, 0x1AFF),
    (0x1DC0, 0x1DFF),
    (0x20D0, 0x20FF),
    (0xFE00, 0xFE0F),
    (0xFE20, 0xFE2F),
    (0xE0100, 0xE01EF),
)
UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao.
    (0x1000, 0x109F),  # Burmese.
    (0x1100, 0x11FF),  # Korean letters.
    (0x1780, 0x17FF),  # Khmer.
    (0x2E80, 0x2FDF),
    (0x3005, 0x3007),
    (0x3021, 0x3029),
    (0x3038, 0x303C),
    (0x3041, 0x318F),  # Japanese, Bopomofo, Korean letters.
    (0x31A0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),  # Chinese, and what others took of it.
    (0xA960, 0xA97F),
    (0xA9E0, 0xA9FF),
    (0xAA60, 0xAA7F),
    (0xAC00, 0xD7FF),  # Korean syllables.
    (0xF900, 0xFAFF),
    (0xFF66, 0xFFDC),
    (0x1AFF0, 0x1B16F),
    (0x20000, 0x3FFFF),
)
HANGUL = (0xAC00, 0xD7A3)
# Letters whose line or ring is no accent of its own.
PLAIN = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "ŧ": "t",
        "\u0131": "i",
        "æ": "ae",
        "œ": "oe",
    }
)


class Kind(Enum):
    """What a character is in a text."""

    GAP = "gap"
    NOTHING = "nothing"
    SPACED = "spaced"
    UNSPACED = "unspaced"


@dataclass(frozen=True, slots=True)
class Word:
    """One word as it is compared, and where it stands in its text.

    Of a pair, `middle` is where its first character ends. An `is_open` one is the end of a run
    without spaces, where a text may go on.
    """

    text: str
    start: int
    middle: int
    end: int
    is_open: bool = False


def words_in(text: str) -> Iterator[Word]:
    """Yield the words of a text in their order, English ones as their stems."""
    for kind, run in _runs(text):
        yield from _pairs(run) if kind is Kind.UNSPACED else _whole(run)


def words_of(text: str) -> str:
    """Return the words of a text with spaces between: what both databases index of a story."""
    return " ".join(_bounded(one.text for one in words_in(text)))


def _bounded(words: Iterable[str]) -> Iterator[str]:
    """Yield as many words as every database holds of one text, and of one word in it."""
    seen: Counter[str] = Counter()
    characters = 0
    for number, word in enumerate(words):
        characters += len(word)
        if number >= MOST_WORDS or characters > MOST_CHARACTERS:
            return
        seen[word] += 1
        yield word if seen[word] <= MOST_OF_ONE else PASSED_OVER


_Run = Sequence[tuple[str, int, int]]  # Characters as compared; where each stood.


def _runs(text: str) -> Iterator[tuple[Kind, _Run]]:
    """Yield each run of characters that belong together."""
    run: list[tuple[str, int, int]] = []
    before = Kind.GAP
    for place, character in enumerate(text):
        kind, folded = _folded(character)
        if kind is Kind.NOTHING:
            continue
        if kind is not before and run:
            yield before, run
            run = []
        before = kind
        run.extend((one, place, place + 1) for one in folded)
    if run:
        yield before, run


def _whole(run: _Run) -> Iterator[Word]:
    whole = "".join(one for one, _start, _end in run)
    word = stem(whole[:LONGEST_WORD])
    yield Word(word, run[0][1], run[-1][2], run[-1][2])


def _pairs(run: _Run) -> Iterator[Word]:
    for (one, start, middle), (other, _start, end) in pairwise(run):
        yield Word(one + other, start, middle, end)
    last, start, end = run[-1]
    yield Word(last, start, end, end, is_open=True)


@lru_cache(maxsize=KNOWN_CHARACTERS)
def _folded(character: str) -> tuple[Kind, str]:
    """Return what a character is, and how it is compared."""
    code, category = ord(character), unicodedata.category(character)
    if category == "Cf" or _is_in(code, LEFT_OUT):
        return Kind.NOTHING, ""
    if category[0] not in "LMN":
        return Kind.GAP, ""
    kind = Kind.UNSPACED if _is_in(code, UNSPACED) else Kind.SPACED
    if _is_in(code, (HANGUL,)):
        return kind, character
    folded = _plain(_plain(character).casefold()).translate(PLAIN)
    return (kind, folded) if folded else (Kind.NOTHING, "")


def _plain(text: str) -> str:
    """Return a text's letters and digits without accents."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(
        one
        for one in apart
        if unicodedata.category(one)[0] in "LMN" and not _is_in(ord(one), LEFT_OUT)
    )


def _is_in(code: int, ranges: Sequence[tuple[int, int]]) -> bool:
    return any(first <= code <= last for first, last in ranges)
