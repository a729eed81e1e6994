"""The gist of a conversation: the sentences that carry it, word for word, in their order.

Extractive, like the summary of a run: nothing is written anew, so nothing can be wrong but the
choice. What opened the thread and what was said last are always there; between them the
sentences whose words the thread comes back to, and those that ask, decide or promise.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MOST_QUOTED = 8
LONGEST_QUOTE = 280
SHORTEST = 3  # Words; "ok thanks" says nothing by itself.

_WORD = re.compile(r"\w[\w'-]+")
_BETWEEN = re.compile(r"(?<=[.!?…])\s+|\n+")
_CUES = re.compile(
    r"\b(decided?|agreed?|approved?|rejected?|done|fixed|blocked|because|deadline|tomorrow"
    r"|by (mon|tues|wednes|thurs|fri|satur|sun)day|will|must|should|need(s|ed)?|todo|owner"
    r"|next step|root cause|rolled? back|released?|shipped)\b",
    re.IGNORECASE,
)
CUE, QUESTION, REACTION = 1.0, 0.75, 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message of a conversation; `reactions` counts who reacted to it."""

    ts: str
    author: str
    text: str
    reactions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A sentence of somebody's, as they wrote it, and the message it stands in."""

    ts: str
    author: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    quote: Quote
    place: int
    weight: float


def gist(messages: Sequence[Said]) -> list[Quote]:
    """Return at most `MOST_QUOTED` sentences of a conversation, in the order they were said."""
    found = list(_candidates(messages))
    if not found:
        return []
    first, last = found[0], found[-1]
    fixed = {first.place, last.place}
    rest = sorted(
        (one for one in found if one.place not in fixed), key=lambda one: (-one.weight, one.place)
    )
    chosen = {*fixed, *(one.place for one in rest[: MOST_QUOTED - len(fixed)])}
    return [one.quote for one in found if one.place in chosen]


def _candidates(messages: Sequence[Said]) -> Iterator[_Candidate]:
    common = _common_words(messages)
    place = 0
    for message in messages:
        for sentence in _sentences(message.text):
            quote = Quote(ts=message.ts, author=message.author, text=sentence)
            weight = _weight(sentence, common) + REACTION * min(message.reactions, 4)
            yield _Candidate(quote=quote, place=place, weight=weight)
            place += 1


def _sentences(text: str) -> list[str]:
    """Return the sentences of a message that say something; a short message as it is."""
    whole = " ".join(text.split())
    parts = [" ".join(one.split()) for one in _BETWEEN.split(text)]
    telling = [one for one in parts if len(_WORD.findall(one)) >= SHORTEST]
    found = telling or ([whole] if _WORD.search(whole) else [])
    return [one if len(one) <= LONGEST_QUOTE else f"{one[: LONGEST_QUOTE - 1]}…" for one in found]


def _words(text: str) -> list[str]:
    return [one.casefold() for one in _WORD.findall(text)]


def _common_words(messages: Sequence[Said]) -> dict[str, float]:
    """Return what the conversation keeps coming back to, by in how many messages it stands.

    Words that stand in more than half of them bind sentences together and say little.
    """
    counted = Counter(word for one in messages for word in set(_words(one.text)))
    most = max(2, len(messages) // 2)
    return {word: count for word, count in counted.items() if 1 < count <= most}


def _weight(sentence: str, common: dict[str, float]) -> float:
    words = set(_words(sentence))
    if not words:
        return 0.0
    shared = sum(common.get(word, 0.0) for word in words) / (len(words) + 5)
    cues = CUE * len(set(_CUES.findall(sentence)))
    return shared + min(cues, 2 * CUE) + (QUESTION if sentence.endswith("?") else 0.0)
