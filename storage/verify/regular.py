"""The quick way to read a line: is it written as every writer of ours writes it?

Most lines are, and three looks at their shape answer what is otherwise asked member by member.
A line that is written otherwise is no finding here: `lines` then reads it slowly, and says why.
"""

import re
from typing import Any

from storage.entry_bytes import DECODER, check_value
from storage.verify.members import ACTORS, CLASSES, PSEUDONYM, USER
from workflows.binding import canonical

# What stands before `data`, between `data` and `parts`, and behind `parts`.
HEAD = re.compile(r'\{"actor":\{"ref":"([A-Za-z0-9_.:/@-]{1,64})","t":"([a-z]+)"\},"data":(?=\{)')
MIDDLE = re.compile(
    r',"id":"([0-9a-f]{32})","key":"([0-9a-f]{16})","kind":"([a-z_.]+)"'
    r',"log":"([A-Za-z0-9_.:/-]+)","parts":(?=\{)'
)
NO_PARTS = "{}"
# A part; the base64 of 32 bytes in its one spelling.
PART = re.compile(
    r'"([a-z0-9_.-]{1,64})":\{"c":"([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=)"'
    r',"cls":"([a-z.]+)","len":(0|[1-9][0-9]{0,14})\}'
)
END = re.compile(
    r',"prev":"([A-Za-z0-9+/=]*)","rseq":(0|[1-9][0-9]{0,14})'
    r',"run":(?:null|"([A-Za-z0-9_-]{1,64})")'
    r',"sig":"([A-Za-z0-9+/=]*)","ts":"([0-9:.TZ-]*)","v":1\}\Z'
)


def read_regular(line: bytes) -> dict[str, Any] | None:
    """Return the members of a canonical, well-formed line; None: it has to be read slowly."""
    try:
        return _read(line.decode())
    except (ValueError, RecursionError):
        return None


def _read(text: str) -> dict[str, Any] | None:
    head = HEAD.match(text)
    if head is None:
        return None
    data, after_data = DECODER.raw_decode(text, head.end())
    # Twice a member, odd spaces or escapes, another order: all of them re-encode otherwise.
    if canonical(data) != text[head.end() : after_data].encode():
        return None
    check_value(data, 2)
    middle = MIDDLE.match(text, after_data)
    if middle is None:
        return None
    parts, after_parts = _parts(text, middle.end())
    end = END.match(text, after_parts)
    return None if end is None else _members(head, middle, end, data=data, parts=parts)


def _parts(text: str, at: int) -> tuple[dict[str, Any], int]:
    """Return the parts that are written from `at` on, and where they end.

    Raises:
        ValueError: they are not in order, or of a class that there is not.
    """
    parts: dict[str, Any] = {}
    if text.startswith(NO_PARTS, at):
        return parts, at + len(NO_PARTS)
    newest, sign = "", "{"
    while sign != "}":
        part = PART.match(text, at + 1)
        if part is None:
            raise ValueError(at)
        name, commitment, cls, length = part.groups()
        if name <= newest or cls not in CLASSES:
            raise ValueError(name)
        parts[name] = {"c": commitment, "cls": cls, "len": int(length)}
        newest, at = name, part.end()
        sign = text[at : at + 1]
        if sign not in {",", "}"}:
            raise ValueError(at)
    return parts, at + 1


def _members(
    head: re.Match[str],
    middle: re.Match[str],
    end: re.Match[str],
    *,
    data: dict[str, Any],
    parts: dict[str, Any],
) -> dict[str, Any] | None:
    ref, actor = head.groups()
    if actor not in ACTORS or (actor == USER and PSEUDONYM.fullmatch(ref) is None):
        return None
    uid, key, kind, log = middle.groups()
    prev, rseq, run, sig, ts = end.groups()
    # The first of a run names none before it, as does what belongs to no run; all others do.
    if (rseq == "0") != (prev == "") or (run is None and prev):
        return None
    return {
        "actor": {"ref": ref, "t": actor},
        "data": data,
        "id": uid,
        "key": key,
        "kind": kind,
        "log": log,
        "parts": parts,
        "prev": prev,
        "rseq": int(rseq),
        "run": run,
        "sig": sig,
        "ts": ts,
        "v": 1,
    }
