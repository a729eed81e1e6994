"""What a person typed into a search, read so that nothing they type is ever an error.

Words must all occur, `"a phrase"` in that order, `refun*` as a beginning, `-word` or `NOT word`
not at all; OR between two of them means either, AND what a space does. Everything else is only
a space.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

MOST_TERMS = 32
LONGEST = 1_000
# A phrase, or a run of characters without blanks; quotes inside it separate.
TOKEN = re.compile(r'(-?)"([^"]*)"?|([^\s"]+)')
WORD = re.compile(r"\w+")
AND, OR, NOT = "AND", "OR", "NOT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One or more words in a row; `is_prefix` lets the last one go on.

    `typed` keeps what stood between them: Postgres reads a version or an address as one word.
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

    A letter and its accent typed as two characters, as a Mac's file names have them, are one.
    """
    whole = unicodedata.normalize("NFC", typed[:LONGEST])
    return "".join(one if one.isprintable() else " " for one in whole)


def _term(text: str) -> Term | None:
    words = tuple(word for word in WORD.findall(text) if word.strip("_"))
    if not words:
        return None
    typed = text.strip("-*")
    return Term(words=words[:MOST_TERMS], typed=typed, is_prefix=text.endswith("*"))


def for_fts5(words: Words) -> str:
    """Return the query in FTS5's language. Every word stands in quotes, so none is an operator."""
    wanted = " AND ".join(_either(_fts5(term) for term in group) for group in words.groups)
    if not words.without:
        return wanted
    return f"({wanted}) NOT {_either(_fts5(term) for term in words.without)}"


def for_postgres(words: Words) -> str:
    """Return the query in the language of `to_tsquery`, every word in quotes."""
    wanted = " & ".join(_any(_tsquery(term) for term in group) for group in words.groups)
    refused = "".join(f" & !{_tsquery(term)}" for term in words.without)
    return f"{wanted}{refused}"


def _fts5(term: Term) -> str:
    phrase = f'"{" ".join(term.words)}"'
    return f"{phrase} *" if term.is_prefix else phrase


def _tsquery(term: Term) -> str:
    quoted = term.typed.replace("\\", "\\\\").replace("'", "''")
    return f"'{quoted}'{':*' * term.is_prefix}"


def _either(terms: Iterable[str]) -> str:
    return f"({' OR '.join(terms)})"


def _any(terms: Iterable[str]) -> str:
    return f"({' | '.join(terms)})"
