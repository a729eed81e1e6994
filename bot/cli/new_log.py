"""What is said when a log begins: above all the key that somebody outside has to keep."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bot.settings import PLACEHOLDER

if TYPE_CHECKING:
    # Help must not wait for the database.
    from bot.opening import Memory
    from bot.settings import Settings


def data_about(settings: "Settings", memory: "Memory") -> dict[str, str]:
    """Return where a log has begun, its name and its key."""
    return {"home": str(settings.home), "origin": memory.journal.origin, "vkey": memory.vkey}


def lines_about(
    settings: "Settings", memory: "Memory", between: Iterable[str] = ()
) -> Iterator[str]:
    """Yield the same for a person, with what lies where; the key is the last line."""
    if memory.is_new:
        yield f"Made {settings.home} with the log {memory.journal.origin}."
    else:
        yield f"The log {memory.journal.origin} had begun; made what {settings.home} still lacked."
    yield f"Workflow files: {settings.definitions}   policy: {settings.policy_file}"
    if memory.journal.origin == PLACEHOLDER:
        yield f"{PLACEHOLDER} is a name to try things out with, and a log keeps its name for ever:"
        yield "  in earnest set INTERLOCK_ORIGIN (your domain, a word, the workspace's id) first."
    yield from between
    yield "Keep this key outside; whoever has it can check the log:"
    yield f"  {memory.vkey}"
