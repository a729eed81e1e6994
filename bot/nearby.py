"""What was probably meant by a command that was mistyped: the whole text, put right.

Nothing is done on a guess: the text becomes a button, and whoever presses it has read it.
"""

import difflib
from collections.abc import Collection

from bot.command_text import parse
from bot.command_values import USAGE, Misread, Ready, Run, Schedule
from bot.typed_words import normal

ALIKE = 0.6
MOST_NEAR = 3
SHORTEST_START = 3  # From so many letters on the beginning of a name counts as the name.
NAMING = frozenset({"run", "schedule", "readiness"})  # These go on with the name of a workflow.


def corrected(text: str, workflows: Collection[str]) -> str:
    """Return `text` with the one name put right that nothing is called, or nothing."""
    typed = normal(text)
    word, _, rest = typed.partition(" ")
    if word.casefold() in USAGE:
        return _with_workflow(word.casefold(), rest.strip(), workflows)
    for near in nearest_names(word, [*USAGE, *workflows]):
        meant = f"{near if near in USAGE else f'run {near}'} {rest}".strip()
        if _makes_sense(meant, workflows):
            return meant
    return ""


def _with_workflow(command: str, rest: str, workflows: Collection[str]) -> str:
    name, _, values = rest.partition(" ")
    if command not in NAMING or not name or name.casefold() in workflows:
        return ""
    for near in nearest_names(name, workflows):
        meant = f"{command} {near} {values}".strip()
        if _makes_sense(meant, workflows):
            return meant
    return ""


def _makes_sense(meant: str, workflows: Collection[str]) -> bool:
    """Say whether a command can be carried out as far as its names go."""
    command = parse(meant)
    if isinstance(command, Run | Schedule | Ready) and command.workflow:
        return command.workflow in workflows
    return not isinstance(command, Misread)


def nearest_names(word: str, known: Collection[str]) -> list[str]:
    """Return the known name that begins so, if only one does, or else those most alike."""
    wanted = word.casefold()
    begun = [one for one in sorted(known) if one.startswith(wanted)]
    if len(begun) == 1 and len(wanted) >= SHORTEST_START:
        return begun
    return difflib.get_close_matches(wanted, sorted(known), n=MOST_NEAR, cutoff=ALIKE)
