"""Words for Slack: harmless, short enough, and in the reader's own time zone.

Everything that people, services or models wrote passes through `escape` (for mrkdwn) or
`clean` (for plain text) before it is shown; everything of unknown length through `clip`.
Which words stand where is for the views.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from workflows.entry import PERSON
from workflows.unseen import SHAPELESS

ELLIPSIS = "…"
NOTHING = "–"  # noqa: RUF001 - the dash that stands for an empty value in tables.

_ENTITIES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))
# Look-alikes: Slack has no escape for its formatting marks, and an invisible joiner in front
# of a mark is not documented to disarm it.
_LOOKALIKES = str.maketrans({"*": "\u2217", "_": "\u02cd", "~": "\u223c", "`": "\u02cb"})
_LIVE_MARK = re.compile(r"(?<![A-Za-z0-9])[*_~`]+|[*_~`]+(?![A-Za-z0-9])|`+")
_SHORTCODE = re.compile(r":(?=[A-Za-z0-9_+'-]+:)")
_IDEOGRAPH = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_JOINER, _KEYCAP, _INFORMATION = "\u200d", "\u20e3", "\u2139"
_EMOJI_OR_TEXT = "\ufe0e\ufe0f"  # How the sign before is drawn.
_VIRAMA = 9  # The combining class of what joins two consonants.
# At the start of a line Slack reads an escaped ">" as a quotation. Line by line: blank lines that
# are looked through together, from each of them on, take minutes in a long text.
_QUOTATION = re.compile(r"(?m)^([^\S\n]*)&gt;")
_USER = re.compile(r"[UW][A-Z0-9]{1,20}")
_GROUP = re.compile(r"S[A-Z0-9]{1,20}")
_ADDRESS = 1_000  # Far above any address of a message; a section has room for 3,000 characters.
# What begins at the end of a text that was cut: an entity, a mention or a link.
_BEGUN = re.compile(r"(?:&[a-z]*|<[^<>]*)\Z")
_SAFE_LINK = re.compile(r"https?://[^\s<>|]+")


def length(text: str) -> int:
    """Return how long Slack finds `text`."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def clean(text: str) -> str:
    """Return `text` without anything that could disguise what it says.

    Control characters, lone surrogates, marks that turn the writing direction and what cannot
    be seen become a visible sign; line breaks and tabs stay.
    """
    text = text.replace("\r\n", "\n")
    if _is_plain(text.replace("\n", "")):
        return text
    lines = text.split("\n")
    return "\n".join(line if _is_plain(line) else _cleaned(line) for line in lines)


def _is_plain(line: str) -> bool:
    return line.isprintable() and (line.isascii() or SHAPELESS.search(line) is None)


def _cleaned(line: str) -> str:
    told = "".join(one if _is_honest(one) else "\ufffd" for one in line)
    return SHAPELESS.sub(_seen, told)


def _is_honest(one: str) -> bool:
    if one in "\t\u200d":  # The joiner holds composed emoji together.
        return True
    return unicodedata.category(one) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def _seen(found: re.Match[str]) -> str:
    line, at = found.string, found.start()
    is_used = _is_used(found[0], before=line[max(0, at - 1) : at], after=line[at + 1 : at + 2])
    return found[0] if is_used else "\ufffd"


def _is_used(mark: str, *, before: str, after: str) -> bool:
    """Say whether what has no shape changes the look of what it stands beside."""
    kind = unicodedata.category(before) if before else ""
    if mark == _JOINER:
        joins = kind in {"So", "Sk"} or before == "\ufe0f"
        joins = joins or bool(before and unicodedata.combining(before) == _VIRAMA)
        return joins and after > "\x7f"
    if mark in _EMOJI_OR_TEXT:
        is_sign = kind in {"So", "Sm", "Po", "Pd"} or before == _INFORMATION
        return after == _KEYCAP or is_sign
    is_selector = mark >= "\ufe00" and mark != "\uffa0"
    return is_selector and _IDEOGRAPH.fullmatch(before) is not None


def one_line(text: str) -> str:
    """Return `text` cleaned and on one line, so that a value cannot pretend to be two."""
    return clean(text).replace("\n", " ⏎ ").replace("\t", " ")


def clip(text: str, most: int) -> str:
    """Return `text` in at most `most` units; what was cut ends in an ellipsis."""
    if length(text) <= most:
        return text
    room = max(0, most - length(ELLIPSIS))
    kept = text[:room]
    while (over := length(kept) - room) > 0:
        kept = kept[: len(kept) - (over + 1) // 2]  # A character is one unit or two.
    return kept.rstrip() + ELLIPSIS


def clip_marked(text: str, most: int) -> str:
    """Return mrkdwn in at most `most` units, with no entity, mention or link cut in two."""
    if length(text) <= most:
        return text
    kept = clip(text, most).removesuffix(ELLIPSIS)
    return _BEGUN.sub("", kept).rstrip() + ELLIPSIS


def escape(text: str, most: int | None = None) -> str:
    """Return `text` as mrkdwn that shows these words and does nothing.

    Mentions, links, emoji codes and formatting stay dead letters. With `most`, the escaped
    text has at most that length, and no entity is cut in two.
    """
    # What is cleaned is at least half as long, so what stands beyond that is cut off anyway.
    words = clean(text if most is None else text[: 2 * (most + 1)])
    if most is None:
        return _escaped(words)
    room, words = most, clip(words, most)  # To escape makes nothing shorter.
    escaped = _escaped(words)
    while length(escaped) > most:
        words = clip(words, room)
        escaped = _escaped(words)
        room -= max(1, (length(escaped) - most) // 5)  # An entity has at most five characters.
    return escaped


def _escaped(words: str) -> str:
    for raw, entity in _ENTITIES:
        words = words.replace(raw, entity)
    words = _LIVE_MARK.sub(lambda mark: mark.group().translate(_LOOKALIKES), words)
    words = _SHORTCODE.sub("\u2236", words)
    return _QUOTATION.sub("\\1\u203a", words)


def bold(text: str, most: int | None = None) -> str:
    """Return `text` escaped and bold, on one line."""
    words = escape(one_line(text).strip(), most - 2 if most is not None else None)
    return f"*{words}*" if words else ""


def code(text: str, most: int = 200) -> str:
    """Return `text` escaped as inline code, on one line."""
    words = escape(one_line(text).strip(), most - 2)
    return f"`{words}`" if words else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Somebody as Slack shows them: a live mention where the id is known, else the name."""

    name: str
    user: str = ""
    group: str = ""

    @property
    def plain(self) -> str:
        """Return the name alone, for plain text and notifications of nobody."""
        return one_line(self.name) or self.user or self.group or "somebody"


NAMELESS = Who(name="somebody whose name was erased")


def who_of(external: str, name: str = "") -> Who:
    """Return the person behind an external id such as `slack:T0ACME:U0RITA`.

    A pseudonym stands in its place once the name behind it was erased.
    """
    if external.startswith(PERSON) and not name:
        return NAMELESS
    system, _, rest = external.partition(":")
    user = rest.rpartition(":")[2] if system == "slack" else ""
    return Who(name=name or rest or external, user=user)


def mention(who: Who) -> str:
    """Return the mrkdwn that names `who`, and notifies them where their id is known."""
    if _USER.fullmatch(who.user):
        return f"<@{who.user}>"
    if _GROUP.fullmatch(who.group):
        return f"<!subteam^{who.group}>"
    return escape(who.plain, 80)


def mentions(people: Sequence[Who], otherwise: str, most: int = 5) -> str:
    """Return `a, b or c` as live mentions, or `otherwise` when there is nobody to name."""
    return _several([mention(who) for who in people], otherwise, most)


def names(people: Sequence[Who], otherwise: str, most: int = 5) -> str:
    """Return `a, b or c` as escaped names, for the line that phones show."""
    return _several([escape(who.plain, 80) for who in people], otherwise, most)


def _several(told: list[str], otherwise: str, most: int) -> str:
    more = len(told) - most
    shown = [*told[:most], plural(more, "other")] if more > 0 else told
    return joined(shown) or otherwise


def link(url: str, label: str) -> str:
    """Return a link, or the bare words where `url` is no web address."""
    words = escape(one_line(label), 150)
    return f"<{_in_markup(url)}|{words}>" if is_web_address(url) else words


def is_web_address(url: str) -> bool:
    """Say whether `url` may stand in a message: it is one, and leaves room for the words."""
    return _SAFE_LINK.fullmatch(url) is not None and len(_in_markup(url)) <= _ADDRESS


def _in_markup(url: str) -> str:
    return url.replace("&", "&amp;")


def when(moment: datetime) -> str:
    """Return a date that Slack shows in the reader's time zone."""
    seconds = int(moment.timestamp())
    return f"<!date^{seconds}^{{date_short_pretty}} at {{time}}|{utc(moment)}>"


def utc(moment: datetime) -> str:
    """Return a date for texts in which Slack's dates do not work."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def plural(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun: `1 approval`, `2 approvals`."""
    return f"{amount(count)} {one if count == 1 else many or one + 's'}"


def amount(number: float) -> str:
    """Return a number with its thousands apart: `12,000`."""
    return f"{number:,}"


def duration(span: timedelta) -> str:
    """Return a span in its two largest units: `2 h 5 min`; tiny ones in milliseconds."""
    if span < timedelta(seconds=1):
        return f"{max(0, span // timedelta(milliseconds=1))} ms"
    seconds = span // timedelta(seconds=1)
    parts = []
    for name, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        parts.append((count, name))
    first = next(index for index, (count, _) in enumerate(parts) if count)
    return " ".join(f"{count} {name}" for count, name in parts[first : first + 2] if count)


def joined(told: list[str], last: str = "or") -> str:
    """Return things as a person lists them: `a, b or c`."""
    if len(told) < 2:  # noqa: PLR2004 - one name needs no word between.
        return "".join(told)
    return f"{', '.join(told[:-1])} {last} {told[-1]}"
