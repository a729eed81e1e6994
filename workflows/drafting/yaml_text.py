"""Writes plain values as YAML that a person goes on with: blocks, short things on one line."""

import json
import re
from collections.abc import Iterator, Mapping

from workflows.entry import Json

LONGEST = 88
_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*( [A-Za-z0-9_./=<>(),'-]+)*")
_PLAIN_IN_BLOCK = re.compile(r"[A-Za-z_/][^\n\t#:]*[^\n\t#: ]")  # Brackets mean nothing there.
_LENGTH = re.compile(r"[0-9]+[smhd]")
_WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off"))


def yaml_lines(value: Mapping[str, Json], indent: str = "") -> Iterator[str]:
    """Yield the lines of an object."""
    for name, one in value.items():
        yield from _entry(f"{indent}{scalar(name)}:", one, f"{indent}  ")


def _entry(head: str, value: Json, indent: str) -> Iterator[str]:
    if isinstance(value, str):
        yield f"{head} {_in_block(value)}"
        return
    short = f"{head} {flow(value)}"
    if not isinstance(value, dict | list) or not value or len(short) <= LONGEST:
        yield short
        return
    yield head
    if isinstance(value, dict):
        yield from yaml_lines(value, indent)
        return
    for one in value:
        yield from _item(one, indent)


def _item(value: Json, indent: str) -> Iterator[str]:
    short = f"{indent}- {flow(value)}"
    if not isinstance(value, dict) or len(short) <= LONGEST:
        yield short
        return
    first, *others = yaml_lines(value, f"{indent}  ")
    yield f"{indent}- {first.strip()}"
    yield from others


def flow(value: Json) -> str:
    """Return a value on one line."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{scalar(name)}: {flow(one)}' for name, one in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    return scalar(value) if isinstance(value, str) else json.dumps(value)


def _in_block(text: str) -> str:
    is_plain = _PLAIN_IN_BLOCK.fullmatch(text) and text.casefold() not in _WORDS
    return text if is_plain else scalar(text)


def scalar(text: str) -> str:
    """Return a text, in quotes unless it can only be read as that text."""
    is_plain = _PLAIN.fullmatch(text) and text.casefold() not in _WORDS and "," not in text
    return text if is_plain or _LENGTH.fullmatch(text) else json.dumps(text, ensure_ascii=False)
