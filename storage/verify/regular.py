"""The quick way to read a line: is it written as every writer of ours writes it?

Most lines are, and one look at their shape answers what is otherwise asked member by member.
A line that is written otherwise is no finding here: `lines` then reads it slowly, and says why.
"""

import re
from typing import Any

from storage.entry_bytes import MEMBERS, check_value
from storage.verify.members import ACTORS, CLASSES, USER
from workflows.quick_json import dumped, loaded


def _one_of(words: frozenset[Any]) -> str:
    return "|".join(re.escape(word) for word in sorted(words))


_NAME = "[A-Za-z0-9_.:/@-]{1,64}"
_COUNT = "(?:0|[1-9][0-9]{0,14})"
# The base64 of 32 bytes in its one spelling.
_PART = (
    r'"[a-z0-9_.-]{1,64}":\{"c":"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]="'
    rf',"cls":"(?:{_one_of(CLASSES)})","len":{_COUNT}\}}'
)
# The first of a run names none before it, as does what belongs to no run; all others do.
_ORDER = (
    r'(?:"prev":"","rseq":0,"run":(?:null|"[A-Za-z0-9_-]{1,64}")'
    r'|"prev":"[A-Za-z0-9+/=]+","rseq":[1-9][0-9]{0,14},"run":"[A-Za-z0-9_-]{1,64}")'
)
# What stands before `data`, and behind it. In a line that is one JSON object all of that is the
# object's own: no string holds a bare quotation mark, and nothing before the last brace is nested.
HEAD = re.compile(
    (
        rf'\{{"actor":\{{(?:"ref":"s:[0-9a-f]{{32}}","t":"{USER}"'
        rf'|"ref":"{_NAME}","t":"(?:{_one_of(ACTORS - {USER})})")\}},"data":\{{'
    ).encode()
)
BEHIND_DATA = b'},"id":"'
TAIL = re.compile(
    (
        r'\},"id":"[0-9a-f]{32}","key":"[0-9a-f]{16}","kind":"[a-z_.]+"'
        rf',"log":"[A-Za-z0-9_.:/-]+","parts":\{{(?:{_PART}(?:,{_PART})*)?\}},{_ORDER}'
        r',"sig":"[A-Za-z0-9+/=]*","ts":"[0-9:.TZ-]*","v":1\}'
    ).encode()
)


def read_regular(line: bytes) -> dict[str, Any] | None:
    """Return the members of a canonical, well-formed line; None: it has to be read slowly."""
    if HEAD.match(line) is None or TAIL.fullmatch(line, line.rfind(BEHIND_DATA)) is None:
        return None
    try:
        members: dict[str, Any] = loaded(line)
        # Twice a member, odd spaces or escapes, another order: all of them re-encode otherwise.
        if dumped(members) != line or members.keys() != MEMBERS:
            return None
        check_value(members["data"], 2)
    except (ValueError, RecursionError):
        return None
    return members
