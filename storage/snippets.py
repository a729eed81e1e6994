"""The words of a story around those that were looked for, with these marked.

A story is read here as it was for the index, so the same words are met on both databases, and
what is shown are the story's own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from storage.search_words import Term, Words
from storage.word_reading import Word, words_in

LENGTH = 160  # Characters of a stretch.
BEFORE = 40  # Of them, at most, stand before the first word found.
STRETCHES = 2
BETWEEN = " … "


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of a snippet; `is_found` says that it is one of the words looked for."""

    text: str
    is_found: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    start: int
    end: int
    term: int  # Which of the terms it answers.


def beginning(body: str) -> tuple[Piece, ...]:
    """Return the snippet of a story in which no word was looked for."""
    return (Piece(text=body[:LENGTH]),) if body else ()


def snippet(body: str, words: Words) -> tuple[Piece, ...]:
    """Return the stretches of a story that have most of the words, in their order."""
    terms = [term for group in words.groups for term in group]
    marks = sorted(_marks(list(words_in(body)), terms), key=lambda one: (one.start, -one.end))
    if not marks:
        return beginning(body)
    pieces: list[Piece] = []
    end = 0
    for stretch in _apart(sorted(_stretches(body, marks))):
        start, stop = stretch
        if start > end:
            pieces.append(Piece(text=BETWEEN if pieces else "…"))
        pieces.extend(_marked(body, start, stop, marks))
        end = stop
    if end < len(body):
        pieces.append(Piece(text="…"))
    return tuple(pieces)


def _marks(story: Sequence[Word], terms: Sequence[Term]) -> Iterator[_Mark]:
    """Yield where a story has each term."""
    places: dict[str, list[int]] = {}
    for place, word in enumerate(story):
        places.setdefault(word.text, []).append(place)
    for number, term in enumerate(terms):
        for first in _beginnings(places, term):
            last = first + len(term.words) - 1
            if last < len(story) and _has(story[first : last + 1], term):
                yield _Mark(start=story[first].start, end=_end(story[last], term), term=number)


def _beginnings(places: dict[str, list[int]], term: Term) -> Iterator[int]:
    if len(term.words) > 1 or not term.is_prefix:
        yield from places.get(term.words[0], ())
        return
    for text, found in places.items():
        if text.startswith(term.words[0]):
            yield from found


def _has(row: Sequence[Word], term: Term) -> bool:
    texts = tuple(one.text for one in row)
    is_last = texts[-1].startswith if term.is_prefix else texts[-1].__eq__
    return texts[:-1] == term.words[:-1] and is_last(term.words[-1])


def _end(last: Word, term: Term) -> int:
    """Return where the term ends: a character that begins a pair is not all of it."""
    return last.middle if term.is_prefix and len(term.words[-1]) == 1 else last.end


def _stretches(body: str, marks: Sequence[_Mark]) -> list[tuple[int, int]]:
    """Return the stretch with most of the terms, and one with most of the others."""
    if len(body) <= LENGTH:
        return [(0, len(body))]
    found: list[tuple[int, int]] = []
    missing = {one.term for one in marks}
    while missing and len(found) < STRETCHES:
        best, terms = _best(marks, missing)
        found.append(_widened(body, best))
        missing -= terms
    return found


def _best(marks: Sequence[_Mark], missing: set[int]) -> tuple[_Mark, set[int]]:
    """Return where a stretch with most of the missing terms begins, and which it has."""
    best, most = marks[0], set[int]()
    behind = 0
    for number, one in enumerate(marks):
        behind = max(behind, number)
        while behind < len(marks) and marks[behind].end <= one.start + LENGTH - BEFORE:
            behind += 1
        terms = {other.term for other in marks[number:behind][:LENGTH]} & missing
        if len(terms) > len(most):
            best, most = one, terms
        if len(most) == len(missing):
            break
    return best, most or {best.term} | missing


def _widened(body: str, mark: _Mark) -> tuple[int, int]:
    """Return a stretch around a mark that cuts no word where it can be helped."""
    start = max(0, min(mark.start - BEFORE, len(body) - LENGTH))
    if start:
        blank = body.find(" ", start, mark.start)
        start = blank + 1 if blank >= 0 else start
    end = min(len(body), max(start + LENGTH, mark.end))
    if end < len(body):
        blank = body.rfind(" ", mark.end, end)
        end = blank if blank >= 0 else end
    return start, end


def _apart(stretches: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield stretches so that none has what one before it has."""
    reached = 0
    for start, end in stretches:
        if end > reached:
            yield max(start, reached), end
            reached = end


def _marked(body: str, start: int, stop: int, marks: Sequence[_Mark]) -> Iterator[Piece]:
    place = start
    for one in marks:
        if one.end <= place or one.end > stop:
            continue
        if one.start > place:
            yield Piece(text=body[place : one.start])
        yield Piece(text=body[max(place, one.start) : one.end], is_found=True)
        place = one.end
    if place < stop:
        yield Piece(text=body[place:stop])
