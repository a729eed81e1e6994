"""How `interlock show --timeline` tells the moments of a run."""

from collections.abc import Iterator, Sequence

from bot.timeline import Agreed, Known, Moment, who
from workflows.moments import stamp


def moment_lines(moment: Moment, known: Known) -> Iterator[str]:
    """Yield a moment for the terminal: one line, and what there is to say beside it below."""
    entry = moment.entry
    by = who(entry.actor, known).plain
    yield f"  {_number(entry.index)}  {stamp(entry.at)}  {moment.did:<7}  {by}: {moment.words}"
    if moment.agreed:
        yield f"      on the approval of {_named(moment.agreed, known)}"
    if moment.alone:
        yield f"      on the breaking of the glass by {_named(moment.alone, known)}"
    for note in moment.notes:
        yield f"      {note}"


def moment_data(moment: Moment, known: Known) -> dict[str, object]:
    """Return a moment as data."""
    entry = moment.entry
    return {
        "index": entry.index,
        "id": entry.id,
        "at": stamp(entry.at),
        "kind": entry.kind,
        "did": moment.did,
        "by": who(entry.actor, known).plain,
        "words": moment.words,
        "approved_by": [_agreed(one, known) for one in moment.agreed],
        "alone": [_agreed(one, known) for one in moment.alone],
        "ground": moment.ground,
        "shown": moment.shown,
        "cost": moment.cost,
    }


def _named(people: Sequence[Agreed], known: Known) -> str:
    return ", ".join(f"{who(one.actor, known).plain} ({_number(one.index)})" for one in people)


def _agreed(one: Agreed, known: Known) -> dict[str, object]:
    return {"by": who(one.actor, known).plain, "index": one.index}


def _number(index: int | None) -> str:
    return "#…" if index is None else f"#{index}"
