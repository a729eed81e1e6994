"""Reads a conversation: the commands that people pasted, and the steps that somebody listed.

Who wrote what is left out: a draft names nobody.
"""

import json
import re
from collections.abc import Iterator, Mapping

from workflows.actions.base import Effect
from workflows.adopting.found import ByHand, Doing, Script
from workflows.adopting.shell_script import read_shell
from workflows.errors import DefinitionError

_FENCE = re.compile(r"```(?:\w+\n)?(.*?)```", re.DOTALL)
_COMMAND = re.compile(r"^\s*\$ (.+)$|^`([^`]+)`$", re.MULTILINE)
_PROMPT = re.compile(r"^\s*\$ ", re.MULTILINE)
_LISTED = re.compile(r"^\s*(?:\d{1,2}[.)]|[-*•])\s+(.{3,})$", re.MULTILINE)
_MENTION = re.compile(r"<[@#!][^>]*>|(?<!\w)@[\w.-]+")
_LINK = re.compile(r"<(https?://[^|>]+)(?:\|[^>]*)?>")


def texts_in(exported: str) -> list[str]:
    """Return the messages of an exported thread, or the sentences of a summary, in their order.

    Raises:
        DefinitionError: it is neither.
    """
    try:
        found = json.loads(exported)
    except (ValueError, RecursionError) as error:
        raise DefinitionError(f"The thread is no JSON: {error}.") from error
    if isinstance(found, dict):
        found = next(
            (found[name] for name in ("messages", "lines", "summary") if name in found), None
        )
    if not isinstance(found, list):
        raise DefinitionError(
            "There are no messages in it.",
            hint="Export the thread as a list of messages, each with its text.",
        )
    return [text for one in found if (text := _text(one))]


def _text(message: object) -> str:
    if isinstance(message, Mapping):
        return str(message.get("text") or "")
    return message if isinstance(message, str) else ""


def joined(texts: list[str]) -> str:
    """Return the messages as one text in which each has lines of its own."""
    return "\n\f\n".join(texts)


def read_thread(text: str) -> Script:
    """Return what a conversation says was done. Its secrets have been taken out before.

    The line of a doing is the number of its message.
    """
    doings: list[Doing] = []
    inputs: dict[str, None] = {}
    left_out: list[tuple[int, str]] = []
    for number, message in enumerate(text.split("\n\f\n"), start=1):
        for code in _commands(message):
            script = read_shell(code)
            inputs |= dict.fromkeys(script.inputs)
            doings += [
                Doing(line=number, work=one.work, effect=one.effect, open=one.open)
                for one in script.doings
            ]
            left_out += [(number, what) for _, what in script.left_out]
        doings += [_listed(number, words) for words in _steps(message)]
    return Script(doings=tuple(doings), inputs=tuple(inputs), left_out=tuple(left_out))


def _commands(message: str) -> Iterator[str]:
    yield from (_PROMPT.sub("", _LINK.sub(r"\1", one)) for one in _FENCE.findall(message))
    rest = _FENCE.sub("", message)
    yield from (_LINK.sub(r"\1", first or second) for first, second in _COMMAND.findall(rest))


def _steps(message: str) -> Iterator[str]:
    for words in _LISTED.findall(_FENCE.sub("", message)):
        if not words.startswith(("`", "$ ")):
            yield _MENTION.sub("somebody", _LINK.sub(r"\1", words)).strip()


def _listed(number: int, words: str) -> Doing:
    asked = ("say what does this: an action, or a person",)
    work = ByHand(words=words.replace("${{", "$ {{"))
    return Doing(line=number, work=work, effect=Effect.DESTRUCTIVE, open=asked)
