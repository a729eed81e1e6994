"""What somebody wrote in Slack, as plain words: links as addresses, mentions as names.

Slack stores markup and ids; whoever quotes a message, or fills a field with it, shows words.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

_LIVE = re.compile(r"<([^<>]+)>")
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))

NameOf = Callable[[str], str]  # Of a person's id; empty where it is not known.


def words_of_message(message: Mapping[str, Any], name_of: NameOf = lambda _: "") -> str:
    """Return what a message says; of one that is only blocks or files, what stands for it."""
    text = str(message.get("text") or "")
    words = readable(text, name_of).strip()
    if words:
        return words
    names = [str(one.get("name") or one.get("id")) for one in message.get("files") or ()]
    return f"({', '.join(names)})" if names else ""


def readable(text: str, name_of: NameOf = lambda _: "") -> str:
    """Return Slack's text as people read it."""
    words = _LIVE.sub(lambda found: _shown(found[1], name_of), text)
    for entity, raw in _ENTITIES:
        words = words.replace(entity, raw)
    return words


def _shown(inside: str, name_of: NameOf) -> str:
    target, _, label = inside.partition("|")
    if target.startswith("@"):
        return f"@{name_of(target[1:]) or label.removeprefix('@') or target[1:]}"
    if target.startswith("#"):
        return f"#{label or target[1:]}"
    if target.startswith("!subteam^"):
        return label or "@group"
    if target.startswith("!"):
        return label or f"@{target[1:]}"
    if target == f"http://{label}":
        return label  # Slack made a link of a host or of a file's name.
    address = target.removeprefix("mailto:")
    return address if label in ("", address) else f"{label} ({address})"
