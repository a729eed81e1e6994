"""What of a language model's summary may be shown: sentences that the sources bear out.

A number, a name or an outcome that stands in no source is an invention, and its sentence is
dropped whole. Of an outcome one single source has to say it, of the same names and numbers, and
just as much or as little denied. That a sentence is kept does not make it true; it is labelled.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MOST_SENTENCES = 8
LONGEST = 300

_BETWEEN = re.compile(r"(?<=[.!?…])\s+|\n+")
_BULLET = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+")
_WORD = re.compile(r"[@#]?\w[\w'\u2019.:/%-]*\w|[@#]?\w")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NUMBERS = _words(
    "two three four five six seven eight nine ten eleven twelve dozen hundred thousand million"
    " half twice"
)
_OUTCOMES = _words(
    "approved approves rejected rejects denied denies declined accepted expired withdrawn"
    " cancelled canceled aborted failed fails succeeded done finished completed fixed resolved"
    " solved closed reopened blocked unblocked agreed decided confirmed refunded paid deleted"
    " removed released shipped deployed merged reverted rolled restored restarted skipped"
    " verified escalated"
)
_DENIALS = _words("not no never nobody none neither nor without cannot")
# Words that may begin a sentence in capitals without naming anybody.
_OPENERS = _words(
    "a an the this that these those it they he she we you there here in on at by for from to of"
    " as after before since when while because but and or so then later finally first also both"
    " all some one another each no nobody everybody someone people team is are was were has have"
    " not if with without until"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The sentences that are borne out, and how many were not."""

    kept: tuple[str, ...]
    dropped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claims:
    """What a sentence says that can be looked up."""

    named: frozenset[str]  # Names and numbers.
    outcomes: frozenset[str]
    is_denied: bool


def checked(text: str, sources: Sequence[str]) -> Checked:
    """Return the sentences of `text` whose claims stand in `sources`, in their order."""
    known = [_Source.of(line) for source in sources for line in _BETWEEN.split(source)]
    whole = frozenset().union(*(one.words for one in known))
    sentences = list(_sentences(text))
    kept = [
        one
        for one in sentences
        if len(one) <= LONGEST and _is_borne_out(_claims(one), known, whole)
    ]
    return Checked(kept=tuple(kept[:MOST_SENTENCES]), dropped=len(sentences) - len(kept))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    words: frozenset[str]
    is_denied: bool

    @classmethod
    def of(cls, line: str) -> "_Source":
        words = frozenset(_plain(one) for one in _WORD.findall(line))
        return cls(words=words, is_denied=_denies(words))


def _sentences(text: str) -> Iterator[str]:
    for part in _BETWEEN.split(text):
        sentence = " ".join(_BULLET.sub("", part).split())
        if _WORD.search(sentence):
            yield sentence


def _claims(sentence: str) -> _Claims:
    words = _WORD.findall(sentence)
    plain = frozenset(_plain(one) for one in words)
    named = {
        _plain(one)
        for place, one in enumerate(words)
        if _is_number(one) or _is_name(one, is_first=place == 0)
    }
    return _Claims(named=frozenset(named), outcomes=plain & _OUTCOMES, is_denied=_denies(plain))


def _is_borne_out(claims: _Claims, known: Sequence[_Source], whole: frozenset[str]) -> bool:
    if not claims.named <= whole:
        return False
    if not claims.outcomes:
        return True
    wanted = claims.named | claims.outcomes
    return any(wanted <= one.words and one.is_denied == claims.is_denied for one in known)


def _is_number(word: str) -> bool:
    return any(sign.isdigit() for sign in word) or word.casefold() in _NUMBERS


def _is_name(word: str, *, is_first: bool) -> bool:
    if word[0] in "@#":
        return True
    if not any(sign.isupper() for sign in word):
        return False
    return not (is_first and word.casefold() in _OPENERS)


def _denies(words: frozenset[str]) -> bool:
    return bool(words & _DENIALS) or any(one.endswith("n't") for one in words)


def _plain(word: str) -> str:
    bare = word.casefold().replace("\u2019", "'").lstrip("@#")
    return bare.removesuffix("'s")
