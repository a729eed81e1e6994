"""Takes the values of held secrets out of texts, in every form that we write texts in.

Exact matches only: what the bot does not hold it cannot know. Where the values come from is
for `bot/secrets_source`.
"""

import base64
import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

from workflows.errors import SecretError

SHORTEST = 8  # Shorter values stand in ordinary words, and taking those out destroys texts.
MARK = "[secret removed]"
_TRIPLET = 3  # base64 turns three bytes into four characters.


class Redactor:
    """Replaces every held value by `MARK`. Safe to share between threads."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values = frozenset(values)
        self.also()

    def also(self, *values: str) -> None:
        """Hold these beside the first ones, in place of those given here before."""
        forms = {form for value in {*self._values, *values} for form in forms_of(value)}
        # The longest first, or a short form would cut the start off a longer one.
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def __call__(self, text: str) -> str:
        return text if self._pattern is None else self._pattern.sub(MARK, text)

    def holds(self, text: str) -> bool:
        """Say whether a held value stands in `text`."""
        return self._pattern is not None and self._pattern.search(text) is not None


def forms_of(value: str) -> frozenset[str]:
    """Return `value` in each form in which it might reach a text.

    Raises:
        SecretError: it is too short to be told from ordinary words.
    """
    if len(value) < SHORTEST:
        raise SecretError(
            f"A secret has fewer than {SHORTEST} characters.", hint="Use a longer one."
        )
    raw = value.encode()
    plain = {value, raw.hex(), raw.hex().upper(), html.escape(value), _escaped_for_slack(value)}
    return frozenset(plain | _as_url(value) | _as_json(value) | _as_base64(raw))


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
