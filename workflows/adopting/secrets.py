"""Takes secrets out of a script before anything else looks at it.

Names give most of them away, then forms that are known, then long words without any sense. What
is taken out leaves a name behind, and its line is reported; the value is never kept.
"""

import math
import re
from collections import Counter
from dataclasses import dataclass

MARK = "SECRET_"
SHORTEST = 4
_LONGEST_NAME = 40

_NAME = r"""(?P<name>[a-z0-9_-]*(?:passw(?:or)?d|passwd|passphrase|secret|token|api[_-]?key
    |access[_-]?key|private[_-]?key|credentials?)[a-z0-9_]*|(?:[a-z0-9]+[_-])*(?:pass|pwd))"""
_NAMED = re.compile(
    rf"""(?ix)\b{_NAME}(?P<sign>["']?\s*(?:=|:|\s)\s*["']?)
    (?P<value>[^\s"'$;|&<>(){{}},`\\]{{4,}})"""
)
# Of several words: in quotes alone it is known where they end.
_QUOTED = re.compile(
    rf"""(?ix)\b{_NAME}(?P<sign>["']?\s*[=:]\s*(?P<quote>["']))
    (?P<value>(?=[^"'\n]*\s)[^"'$`\n]{{4,}})(?=(?P=quote))"""
)
_IN_URL = re.compile(
    r"(?P<before>[a-z][a-z0-9+.-]*://[^\s/:@\"']*:)(?P<value>[^\s@/\"'$]{1,})(?=@)"
)
_TOKEN_IN_URL = re.compile(
    r"""(?ix)(?P<before>://(?=[^\s/:@"'$]{16,}@)|hooks\.slack\.com/services/|[?&](?:key|sig|signature
    |auth)=)(?P<value>[^\s@&\#"'$]{8,})"""
)
_COOKIE = re.compile(r"""(?i)(?P<before>\bcookie:\s*)(?P<value>[^"'$\n]{8,})""")
_PIPED = re.compile(
    r"""(?P<before>\b(?:echo|printf)\s+(?:-n\s+|['"]%s['"]\s+)?["']?)(?P<value>[^\s"'$|]{4,})"""
    r"""(?=["']?\s*\|[^|\n]*--password-stdin)"""
)
_BEARER = re.compile(
    r"(?i)(?P<before>\b(?:bearer|basic|token)\s+)(?P<value>[A-Za-z0-9._~+/=-]{8,})"
)
_FLAG = re.compile(
    r"""(?x)(?P<before>(?<![\w-])(?:
    --[a-z-]*(?:password|passphrase|token|secret|api-key|access-key)[= ]
    | (?:-[a-zA-Z]*u\s*|--user[=\s]\s*)["']?[^\s:"']+:
    | (?:mysql|mariadb)[\w-]*\b[^|;&]{0,200}?\s-p(?=\S) | sshpass\s+-p\s*
    | redis-cli\b[^|;&]{0,200}?\s-a\s+ | \blogin\b[^|;&]{0,200}?\s-p\s+
    | \bhtpasswd\s+-[a-zA-Z]*b[a-zA-Z]*\s+\S+\s+\S+\s+ | \bopenssl\b[^|;&]{0,200}?\s-k\s+
    | -pass(?:in|out)?\s+pass: | \baws\s+configure\s+set\s+\S*(?:secret|token)\S*\s+
    )["']?)(?P<value>[^\s"'$]{4,})"""
)
_KNOWN = re.compile(
    r"(?P<value>AKIA[0-9A-Z]{12,}|gh[pousr]_[A-Za-z0-9]{20,}|xox[abeprs]-[A-Za-z0-9-]{10,}"
    r"|sk-[A-Za-z0-9_-]{20,}|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_.-]{10,}|AIza[A-Za-z0-9_-]{30,}"
    r"|glpat-[A-Za-z0-9_-]{15,})"
)
_KEY = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
)
_LONG = re.compile(r"(?<![\w/.-])(?P<value>[A-Za-z0-9][A-Za-z0-9+_=-]{23,})(?![\w/.-])")
# What a name says of its place rather than of a value.
_NO_VALUE = frozenset(
    ("none", "null", "true", "false", "required", "env", "file", "read", "import", "bearer")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """A text without its secrets: their lines and names."""

    text: str
    secrets: tuple[tuple[int, str], ...]


def without_secrets(text: str) -> Cleaned:
    """Return `text` with each secret replaced by a name, on lines of the same number."""
    cleaner = _Cleaner()
    cleaned = _KEY.sub(lambda one: cleaner.block(one, text), text)
    lines = [cleaner.line(number, one) for number, one in enumerate(cleaned.split("\n"), start=1)]
    return Cleaned(text="\n".join(lines), secrets=tuple(sorted(set(cleaner.found))))


class _Cleaner:
    def __init__(self) -> None:
        self.found: list[tuple[int, str]] = []
        self._names: dict[str, str] = {}

    def block(self, match: re.Match[str], text: str) -> str:
        """Replace a key of several lines by its name and as many lines."""
        line = text.count("\n", 0, match.start()) + 1
        return self._named(line, match[0], "private_key") + "\n" * match[0].count("\n")

    def line(self, number: int, text: str) -> str:
        for pattern in (_KNOWN, _IN_URL, _TOKEN_IN_URL, _COOKIE, _BEARER, _PIPED, _FLAG):
            text = pattern.sub(lambda one: self._taken(number, one, ""), text)
        text = _QUOTED.sub(lambda one: self._by_name(number, one), text)
        text = _NAMED.sub(lambda one: self._by_name(number, one), text)
        return _LONG.sub(lambda one: self._by_look(number, one), text)

    def _by_name(self, number: int, match: re.Match[str]) -> str:
        value = match["value"]
        is_call = match.string[match.end() : match.end() + 1] == "("
        is_folder = match["name"].casefold().endswith("pwd") and value.startswith("/")
        is_reading = value.casefold() in _NO_VALUE or value.startswith(("os.", MARK, "-"))
        is_word = match["sign"].strip("\"'").isspace() and not match["name"].startswith("-")
        if is_call or is_folder or is_reading or is_word or len(value) < SHORTEST:
            return match[0]
        return f"{match['name']}{match['sign']}{self._named(number, value, match['name'])}"

    def _taken(self, number: int, match: re.Match[str], name: str) -> str:
        value = match["value"]
        if value.startswith(MARK):
            return match[0]
        before = match.groupdict().get("before") or ""
        return f"{before}{self._named(number, value, name)}"

    def _by_look(self, number: int, match: re.Match[str]) -> str:
        value = match["value"]
        if MARK in value or not _is_random(value):
            return match[0]
        return self._named(number, value, "")

    def _named(self, number: int, value: str, name: str) -> str:
        if value not in self._names:
            plain = re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")[:_LONGEST_NAME]
            plain = plain or f"value_{len(self._names) + 1}"
            while plain in self._names.values():
                plain = f"{plain}_{len(self._names) + 1}"
            self._names[value] = plain
        known = self._names[value]
        self.found.append((number, known))
        return f"{MARK}{known.upper()}"


def _is_random(value: str) -> bool:
    """Say whether a long word looks drawn by lot: digits among letters, few signs repeated."""
    has_both = any(one.isdigit() for one in value) and any(one.isalpha() for one in value)
    if not has_both or re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", value):
        return False  # Digests of commits and images are no secrets.
    counts = Counter(value).values()
    entropy = -sum(one / len(value) * math.log2(one / len(value)) for one in counts)
    return entropy > 3.8  # noqa: PLR2004 - bits for each sign; words have less.
