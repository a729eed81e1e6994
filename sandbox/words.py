"""Slack's little markup: what people type, what is stored, and what a phone shows."""

import re

from sandbox.records import Channel, Group, User
from sandbox.state import State

_TYPED = re.compile(
    r"(?P<address>(?<![\w.+-])[\w.+-]+@(?:[\w-]+\.)+[a-z]{2,})"
    r"|(?P<link>https?://(?:(?!&[lg]t;)[^\s<>|\"”])+(?<![.,:!?)]))"
    # A host, or a file whose ending is a country's: Slack's clients make links of both.
    r"|(?P<host>(?<![\w./@-])(?:[\w-]+\.)+(?:com|dev|io|md|net|org|sh)(?![\w./-]))"
    r"|(?<![\w<@])(?P<mark>[@#])(?P<name>[\w.-]*\w)"
)
_STORED = re.compile(r"<([^<>]+)>")


def escape(text: str) -> str:
    """Escape the three characters that carry markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    """Undo `escape`."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def find_user(state: State, name: str) -> User | None:
    """Return the person of that name or id."""
    bare = name.removeprefix("@")
    return state.users.get(bare) or next(
        (one for one in state.users.values() if one.name == bare), None
    )


def find_group(state: State, handle: str) -> Group | None:
    """Return the group of that handle or id."""
    bare = handle.removeprefix("@")
    return state.groups.get(bare) or next(
        (one for one in state.groups.values() if one.handle == bare), None
    )


def find_channel(state: State, name: str) -> Channel | None:
    """Return the channel of that name or id."""
    bare = name.removeprefix("#")
    return state.channels.get(bare) or next(
        (one for one in state.channels.values() if one.kind != "im" and one.name == bare), None
    )


def as_stored(state: State, typed: str, *, with_names: bool = False) -> str:
    """Turn `@ana`, `#ops` and `@finance-leads` into ids, and addresses into links, as Slack does.

    `with_names` adds the name behind the id, which is how command texts arrive; private channels
    have none there.
    """

    def swap(match: re.Match[str]) -> str:
        if match["address"]:
            return f"<mailto:{match[0]}|{match[0]}>"
        if match["link"]:
            return f"<{match[0]}>"
        if match["host"]:
            return f"<http://{match[0]}|{match[0]}>"
        mark, name = match["mark"], match["name"]
        return _reference(state, mark, name, with_names=with_names) or match[0]

    return _TYPED.sub(swap, escape(typed))


def _reference(state: State, mark: str, name: str, *, with_names: bool) -> str | None:
    if mark == "#":
        channel = find_channel(state, name)
        if channel is None:
            return None
        is_nameless = with_names and channel.kind == "private"
        return f"<#{channel.id}|{'' if is_nameless else channel.name}>"
    if user := find_user(state, name):
        return f"<@{user.id}|{user.name}>" if with_names else f"<@{user.id}>"
    if group := find_group(state, name):
        return f"<!subteam^{group.id}|@{group.handle}>"
    return f"<!{name}>" if name in {"here", "channel", "everyone"} else None


def readable(state: State, stored: str) -> str:
    """Turn stored text into what a person reads: names for ids, labels for links."""
    return unescape(_STORED.sub(lambda match: _shown(state, match[1]), stored))


def _shown(state: State, inside: str) -> str:
    target, _, label = inside.partition("|")
    if target.startswith("@"):
        user = state.users.get(target[1:])
        return f"@{user.name}" if user else f"@{label or target[1:]}"
    if target.startswith("#"):
        channel = state.channels.get(target[1:])
        return f"#{channel.name}" if channel else f"#{label or target[1:]}"
    if target.startswith("!subteam^"):
        group = state.groups.get(target.removeprefix("!subteam^"))
        return f"@{group.handle}" if group else label
    if target.startswith("!date^"):
        return label
    if target.startswith("!"):
        return "@" + target[1:]
    return label or target


def mentioned(state: State, stored: str) -> set[str]:
    """Return the ids of everyone a text calls by name, by group or by `@channel`."""
    found: set[str] = set()
    for inside in _STORED.findall(stored):
        target = inside.partition("|")[0]
        if target.startswith("@"):
            found.add(target[1:])
        elif target.startswith("!subteam^"):
            group = state.groups.get(target.removeprefix("!subteam^"))
            found.update(group.members if group else [])
        elif target in {"!here", "!channel", "!everyone"}:
            found.update(state.users)
    return found
