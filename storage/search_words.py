"""What a person typed into a search, read so that nothing they type is ever an error.

Words must all occur, `"a phrase"` in that order, `refun*` as a beginning, `-word` or `NOT word`
not at all; OR between two of them means either, AND what a space does. Everything else is only
a space.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from storage.word_reading import Word, words_in

MOST_TERMS = 32
LONGEST = 1_000
# A phrase, or a run of characters without blanks; quotes inside it separate.
TOKEN = re.compile(r'(-?)"([^"]*)"?|([^\s"]+)')
AND, OR, NOT = "AND", "OR", "NOT"
UNSEEN = "Cf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One or more words in a row; `is_prefix` lets the last one go on.

    `typed` keeps what stood between them.
    """

    words: tuple[str, ...]
    typed: str
    is_prefix: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What to find: every group, in each at least one of its terms; and none of `without`."""

    groups: tuple[tuple[Term, ...], ...] = ()
    without: tuple[Term, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for, so nothing can be found."""
        return not self.groups


def read_words(typed: str) -> Words:
    """Return what `typed` asks for; never raises."""
    groups: list[list[Term]] = []
    without: list[Term] = []
    before = AND
    for minus, phrase, bare in TOKEN.findall(_printable(typed)):
        if bare in (AND, OR, NOT):
            before = bare
            continue
        term = _term(phrase or bare)
        if term is None or len(groups) + len(without) >= MOST_TERMS:
            continue
        if minus or bare.startswith("-") or before == NOT:
            without.append(term)
        elif before == OR and groups:
            groups[-1].append(term)
        else:
            groups.append([term])
        before = AND
    return Words(groups=tuple(tuple(one) for one in groups), without=tuple(without))


def _printable(typed: str) -> str:
    """Return `typed` without what no database takes: control characters, half characters.

    A letter and its accent typed as two characters, as a Mac's file names have them, are one;
    what nobody sees, such as a soft hyphen, parts nothing.
    """
    whole = unicodedata.normalize("NFC", typed[:LONGEST])
    return "".join(
        one if one.isprintable() else " " for one in whole if unicodedata.category(one) != UNSEEN
    )


def _term(text: str) -> Term | None:
    words, goes_on = _looked_for(list(words_in(text)))
    if not words:
        return None
    return Term(words=words, typed=text.strip("-*"), is_prefix=goes_on or text.endswith("*"))


def _looked_for(words: Sequence[Word]) -> tuple[tuple[str, ...], bool]:
    """Return the words to be found in a row, and whether the last one may go on.

    Of what is written without spaces any part is meant: its pairs are all there is to find, and
    a single character begins one.
    """
    texts = tuple(one.text for one in words)
    if len(texts) > MOST_TERMS:
        return texts[:MOST_TERMS], False
    if not words or not words[-1].is_open:
        return texts, False
    is_paired = len(words) > 1 and words[-2].end == words[-1].end
    return (texts[:-1], False) if is_paired else (texts, True)


def for_fts5(words: Words, *, spelled: Callable[[Term], str] | None = None) -> str:
    """Return the query in FTS5's language. Every word stands in quotes, so none is an operator."""
    term = spelled or _fts5
    wanted = " AND ".join(_either(" OR ", map(term, group)) for group in words.groups)
    if not words.without:
        return wanted
    return f"({wanted}) NOT {_either(' OR ', map(term, words.without))}"


def for_postgres(words: Words, *, spelled: Callable[[Term], str] | None = None) -> str:
    """Return the query as a `tsquery` is written, which no dictionary reads again."""
    term = spelled or _tsquery
    wanted = " & ".join(_either(" | ", map(term, group)) for group in words.groups)
    refused = "".join(f" & !{term(one)}" for one in words.without)
    return f"{wanted}{refused}"


def _fts5(term: Term) -> str:
    phrase = f'"{" ".join(term.words)}"'
    return f"{phrase} *" if term.is_prefix else phrase


def _tsquery(term: Term) -> str:
    row = " <-> ".join(f"'{one}'" for one in term.words)
    return f"({row}{':*' * term.is_prefix})"


def _either(between: str, terms: Iterable[str]) -> str:
    return f"({between.join(terms)})"
