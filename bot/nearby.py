"""What was probably meant by a command that was mistyped: the whole text, put right.

Nothing is done on a guess: the text becomes a button, and whoever presses it has read it.
"""

import difflib
from collections.abc import Collection

from bot.command_text import USAGE, Misread, normal, parse

ALIKE = 0.6
SHORTEST_START = 3  # From so many letters on the beginning of a name counts as the name.
NAMING = frozenset({"run", "schedule"})  # These go on with the name of a workflow.


def corrected(text: str, workflows: Collection[str]) -> str:
    """Return `text` with the one name put right that nothing is called, or nothing."""
    typed = normal(text)
    word, _, rest = typed.partition(" ")
    if word.casefold() in USAGE:
        return _with_workflow(word.casefold(), rest.strip(), workflows)
    near = nearest_name(word, [*USAGE, *workflows])
    if near is None:
        return ""
    meant = f"{near} {rest}".strip() if near in USAGE else f"run {near} {rest}".strip()
    return "" if isinstance(parse(meant), Misread) else meant


def _with_workflow(command: str, rest: str, workflows: Collection[str]) -> str:
    name, _, values = rest.partition(" ")
    if command not in NAMING or not name or name.casefold() in workflows:
        return ""
    near = nearest_name(name, workflows)
    meant = f"{command} {near} {values}".strip() if near is not None else ""
    return "" if not meant or isinstance(parse(meant), Misread) else meant


def nearest_name(word: str, known: Collection[str]) -> str | None:
    """Return the known name that begins so, if only one does, or else the one most alike."""
    wanted = word.casefold()
    begun = [one for one in sorted(known) if one.startswith(wanted)]
    if len(begun) == 1 and len(wanted) >= SHORTEST_START:
        return begun[0]
    found = difflib.get_close_matches(wanted, sorted(known), n=1, cutoff=ALIKE)
    return found[0] if found else None
