"""Bring English words to their stems by Porter's algorithm: *refunds* and *refunded* to *refund*.

Each database has a stemmer of its own, and they differ; so stories and what is looked for are
both brought to stems here. M. F. Porter, An algorithm for suffix stripping, 1980; the names of
the steps are his.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

KNOWN = 8_192  # Words whose stems are remembered.
SHORTEST = 3
IS_ENGLISH = re.compile(r"[a-z]+")
MEASURED = re.compile(r"v+c")  # Of a word's shape: each time vowels are followed by consonants.

TWO: Mapping[str, str] = {
    "ational": "ate",
    "tional": "tion",
    "enci": "ence",
    "anci": "ance",
    "izer": "ize",
    "abli": "able",
    "alli": "al",
    "entli": "ent",
    "eli": "e",
    "ousli": "ous",
    "ization": "ize",
    "ation": "ate",
    "ator": "ate",
    "alism": "al",
    "iveness": "ive",
    "fulness": "ful",
    "ousness": "ous",
    "aliti": "al",
    "iviti": "ive",
    "biliti": "ble",
}
THREE: Mapping[str, str] = {
    "icate": "ic",
    "ative": "",
    "alize": "al",
    "iciti": "ic",
    "ical": "ic",
    "ful": "",
    "ness": "",
}
FOUR: Mapping[str, str] = {
    "sion": "s",
    "tion": "t",
    **dict.fromkeys(("al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement"), ""),
    **dict.fromkeys(("ment", "ent", "ou", "ism", "ate", "iti", "ous", "ive", "ize"), ""),
}
LONGEST_ENDING = 7


@lru_cache(maxsize=KNOWN)
def stem(word: str) -> str:
    """Return the stem of a word in small letters; one that is not of a to z is its own."""
    if len(word) < SHORTEST or not IS_ENGLISH.fullmatch(word):
        return word
    word = _one_c(_one_b(_one_a(word)))
    word = _replaced(_replaced(word, TWO, beyond=0), THREE, beyond=0)
    return _five(_replaced(word, FOUR, beyond=1))


def _one_a(word: str) -> str:
    if word.endswith(("sses", "ies")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _one_b(word: str) -> str:
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) > 0 else word
    for ending in ("ed", "ing"):
        if word.endswith(ending):
            begun = word.removesuffix(ending)
            return _mended(begun) if "v" in _shape(begun) else word
    return word


def _mended(begun: str) -> str:
    """Return the beginning that *-ed* or *-ing* was taken from, as the word was before."""
    if begun.endswith(("at", "bl", "iz")):
        return f"{begun}e"
    if _ends_double(begun) and begun[-1] not in "lsz":
        return begun[:-1]
    return f"{begun}e" if _measure(begun) == 1 and _ends_short(begun) else begun


def _one_c(word: str) -> str:
    return f"{word[:-1]}i" if word.endswith("y") and "v" in _shape(word[:-1]) else word


def _replaced(word: str, endings: Mapping[str, str], *, beyond: int) -> str:
    """Return the word with its longest such ending replaced, if enough stands before it."""
    for length in range(min(LONGEST_ENDING, len(word)), 1, -1):
        ending = word[-length:]
        if ending in endings:
            begun = word[:-length] + (endings[ending] if beyond else "")
            if _measure(begun) <= beyond:
                return word
            return begun if beyond else begun + endings[ending]
    return word


def _five(word: str) -> str:
    if word.endswith("e"):
        begun = word[:-1]
        measure = _measure(begun)
        if measure > 1 or (measure == 1 and not _ends_short(begun)):
            word = begun
    is_double = word.endswith("ll") and _measure(word) > 1
    return word[:-1] if is_double else word


def _shape(word: str) -> str:
    """Return a word's vowels and consonants as `v` and `c`; a y behind a consonant is a vowel."""
    shape = ""
    for letter in word:
        is_vowel = letter in "aeiou" or (letter == "y" and shape.endswith("c"))
        shape += "v" if is_vowel else "c"
    return shape


def _measure(word: str) -> int:
    return len(MEASURED.findall(_shape(word)))


def _ends_double(word: str) -> bool:
    return word[-2:-1] == word[-1:] and _shape(word).endswith("c")


def _ends_short(word: str) -> bool:
    return _shape(word).endswith("cvc") and word[-1] not in "wxy"
