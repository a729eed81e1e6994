"""How the release before searched stories, each database by its own reading of words.

It answers until every story has the words of this release, which its row says, and falls away
with the column and the index that it reads.
"""

import re

from storage.search_words import Term, Words, for_fts5, for_postgres

LANGUAGE = "english"
WORD = re.compile(r"\w+")


def for_fts5_before(words: Words) -> str:
    """Return the query in FTS5's language."""
    return for_fts5(words, spelled=_fts5)


def for_postgres_before(words: Words) -> str:
    """Return the query in the language of `to_tsquery`, every word in quotes."""
    return for_postgres(words, spelled=_tsquery)


def _fts5(term: Term) -> str:
    phrase = f'"{" ".join(WORD.findall(term.typed))}"'
    return f"{phrase} *" if term.is_prefix else phrase


def _tsquery(term: Term) -> str:
    quoted = term.typed.replace("\\", "\\\\").replace("'", "''")
    return f"'{quoted}'{':*' * term.is_prefix}"
