"""What somebody typed, as it was meant: plain signs, and words that quotes hold together.

Phones turn quotes and dashes into typographic ones, Slack escapes three characters and turns
mentions into ids; all of that is undone here.
"""

import re

_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "’": "'", "‘": "'"})  # noqa: RUF001 - the marks that phones type.
_SPACES = re.compile(r"[\x00\u00a0\u2000-\u200b\u202f\u3000\ufeff]")
_DASHES = re.compile(r"(?<!\S)[—–](?=[a-z])")  # noqa: RUF001 - what phones make of "--".
_LINK = re.compile(r"<((?:https?|mailto):[^|>\s]+)(?:\|([^>]*))?>")


def normal(text: str) -> str:
    """Return `text` as it was meant: plain quotes, spaces and dashes, links as they were typed.

    Line breaks become spaces, except inside straight quotes, where a value may hold them.
    """
    typed = _SPACES.sub(" ", text).replace("\r\n", "\n").translate(_QUOTES)
    typed = _LINK.sub(_as_typed, typed)
    for entity, raw in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        typed = typed.replace(entity, raw)
    typed = _DASHES.sub("--", typed)
    return "".join(_outside_quotes(typed)).strip()


def _as_typed(found: re.Match[str]) -> str:
    # Slack makes links of hosts and of file names as well: `README.md` comes as an address.
    target, label = found[1], found[2] or ""
    return label if target == f"http://{label}" else target.removeprefix("mailto:")


def _outside_quotes(typed: str) -> list[str]:
    parts = typed.split('"')
    is_closed = len(parts) % 2 == 1
    quoted = [
        part if index % 2 and is_closed else part.replace("\n", " ").replace("\t", " ")
        for index, part in enumerate(parts)
    ]
    return ['"'.join(quoted)]


def tokens(text: str) -> list[str]:
    r"""Return the words of `text`; quotes hold words together when they begin a word or value.

    An apostrophe inside a word is just that. Inside double quotes `\"` is a quote.
    """
    found: list[str] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        word, at = _token(text, at)
        found.append(word)
    return found


def _token(text: str, at: int) -> tuple[str, int]:
    word = ""
    while at < len(text) and not text[at].isspace():
        if text[at] == '"' and (not word or word.endswith("=")):
            quoted, at = _quoted(text, at + 1)
            return word + quoted, at
        word += text[at]
        at += 1
    return word, at


def _quoted(text: str, at: int) -> tuple[str, int]:
    value = ""
    while at < len(text) and text[at] != '"':
        if text.startswith('\\"', at):
            at += 1
        value += text[at]
        at += 1
    return value, at + 1
