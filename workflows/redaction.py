"""Takes the values of held secrets out of texts, in every form that we write texts in.

Exact matches only: what the bot does not hold it cannot know. Where the values come from is
for `bot/secret_sources`.
"""

import base64
import html
import json
import re
import threading
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus, unquote, urlsplit

from workflows.errors import SecretError

SHORTEST = 8  # Shorter values stand in ordinary words, and taking those out destroys texts.
MARK = "[secret removed]"
_TRIPLET = 3  # base64 turns three bytes into four characters.
_TELLING = 16  # From so many characters on, one line of a value of many lines is told from words.
# Where a text was broken: real line breaks, and those that stand in JSON, however often escaped.
# A row of backslashes is looked at once, from its start, however long it is.
_BREAK = re.compile(r"(?<!\\)(?:\\++r)?\\++n[ \t]*|\r?\n[ \t]*|\r")


class Redactor:
    """Replaces every held value by `MARK`. Safe to share between threads."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values = frozenset(values)
        self._latest: frozenset[str] = frozenset()
        self._guard = threading.Lock()
        self._compile()

    def also(self, *values: str) -> None:
        """Hold these beside the first ones, in place of those given here before."""
        with self._guard:
            self._latest = frozenset(values)
            self._compile()

    def learn(self, *values: str) -> None:
        """Hold these too, for as long as the process lives: an old value may come back late.

        Raises:
            SecretError: one is too short.
        """
        with self._guard:
            if self._values.issuperset(values):
                return
            for value in values:
                forms_of(value)  # One that is refused leaves the others as they were.
            self._values |= {*values}
            self._compile()

    def __call__(self, text: str) -> str:
        pieces, end = [], 0
        for first, last in self._found(text):
            pieces += [text[end:first], MARK]
            end = last
        return "".join([*pieces, text[end:]]) if pieces else text

    def holds(self, text: str) -> bool:
        """Say whether a held value stands in `text`."""
        return next(self._found(text), None) is not None

    def _found(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where held values begin and end in `text`, in order.

        They are looked for in the text without its line breaks, and so in their forms without
        theirs: one search finds those that stand there whole and those that are broken.
        """
        pattern = self._pattern
        if pattern is None:
            return
        joined = _joined(text)
        if len(joined) == len(text):
            yield from (found.span() for found in pattern.finditer(text))
            return
        places: list[tuple[int, int]] = []
        for found in pattern.finditer(joined):
            places = places or _places(text)
            yield _before(places, found.start()), _before(places, found.end() - 1) + 1

    def _compile(self) -> None:
        values = self._values | self._latest
        forms = {_joined(form) for value in values for form in forms_of(value)}
        # The longest first, or a short form would cut the start off a longer one.
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if forms else None


def _joined(text: str) -> str:
    """Return `text` without its line breaks, those that are written as such included."""
    has_breaks = "\n" in text or "\r" in text or "\\" in text
    return _BREAK.sub("", text) if has_breaks else text


def _places(text: str) -> list[tuple[int, int]]:
    """Return from where on the text without line breaks lags behind `text`, and by how much."""
    places: list[tuple[int, int]] = []
    lag = 0
    for found in _BREAK.finditer(text):
        place = found.start() - lag
        lag += len(found[0])
        places.append((place, lag))
    return places


def _before(places: list[tuple[int, int]], at: int) -> int:
    """Return where in the text stands what stands at `at` without its line breaks."""
    index = bisect_right(places, at, key=lambda place: place[0])
    return at + (places[index - 1][1] if index else 0)


def forms_of(value: str) -> frozenset[str]:
    """Return `value` in each form in which it might reach a text.

    Raises:
        SecretError: it is too short to be told from ordinary words.
    """
    if len(_joined(value)) < SHORTEST:
        raise SecretError(
            f"A secret has fewer than {SHORTEST} characters, line breaks aside.",
            hint="Use a longer one.",
        )
    return frozenset(form for one in (value, *_inside(value)) for form in _forms(one))


def _inside(value: str) -> Iterator[str]:
    """Yield what of a value is as secret by itself: a password in an address, a line of a key."""
    lines = [line.strip() for line in value.splitlines()]
    if len(lines) > 1:
        yield from (one for one in lines if len(one) >= _TELLING and not one.startswith("-----"))
    try:
        password = urlsplit(value).password if "://" in value else None
    except ValueError:
        return
    for one in {password or "", unquote(password or "")}:
        if len(one) >= SHORTEST:
            yield one


def _forms(value: str) -> set[str]:
    raw = value.encode()
    plain = {value, raw.hex(), raw.hex().upper(), html.escape(value), _escaped_for_slack(value)}
    return plain | _as_url(value) | _as_json(value) | _as_base64(raw) | {repr(value)[1:-1]}


def _escaped_for_slack(value: str) -> str:
    return html.escape(value, quote=False)


def _as_url(value: str) -> set[str]:
    written = {quote(value), quote(value, safe=""), quote_plus(value)}
    return written | {re.sub(r"%..", lambda found: found[0].lower(), one) for one in written}


def _as_json(value: str) -> set[str]:
    once = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    return once | {json.dumps(one)[1:-1] for one in once}  # JSON kept as a string in JSON.


def _as_base64(raw: bytes) -> set[str]:
    """Return what is left of `raw` in base64 wherever it starts in a longer text.

    `user:secret` encoded as one shifts the secret by some bytes, so each of the three
    alignments is looked for, without the characters at its ends that neighbours change.
    """
    found: set[str] = set()
    for shift in range(_TRIPLET):
        encoded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
        start = (0, 2, 3)[shift]
        whole = (shift + len(raw)) % _TRIPLET == 0
        inner = encoded[start:] if whole else encoded[start:-1]
        found |= {inner, inner.replace("+", "-").replace("/", "_")}
    return found
