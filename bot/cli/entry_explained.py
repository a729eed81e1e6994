"""How `interlock audit explain` tells what is known about one entry."""

from collections.abc import Iterator

from bot.entry_words import words_about
from bot.timeline import Known, who
from storage.checkpoint import FINGERPRINT
from storage.explained import Explained, ExplainedPart
from workflows.moments import stamp

BONDS = ("request", "idem", "by_run", "used", "policy", "version")


def explained_lines(found: Explained, known: Known) -> Iterator[str]:
    """Yield everything about an entry in words, the answer last."""
    entry = found.entry
    yield f"Entry {entry.index}: {words_about(entry)}"
    yield f"  Kind       {entry.kind}"
    yield f"  Who        {who(entry.actor, known).plain} ({entry.actor.kind.value})"
    yield f"  When       {stamp(entry.at)}, by the clock of who wrote it"
    yield f"  Signed     {_signed(found)}"
    yield f"  Place      {_place(found)}"
    yield f"  Proof      {_proof(found)}"
    for part in found.parts:
        yield f"  Payload    {part.name} ({part.cls}): {part_words(part)}"
    if found.bound:
        others = ", ".join(f"#{one}" for one in found.bound)
        yield f"  Bound      to exactly the action of {others}"
    for name in BONDS:
        if isinstance(entry.data.get(name), str):
            yield f"  {name:<10} {entry.data[name]}"
    match entry.data.get("predecessor"):
        case {"log": str(log), "size": int(size), "root": str(root)}:
            head = f"its head of {size} entries, fingerprint {root[:FINGERPRINT]}"
            yield f"  Goes on    from the log {log}, {head}"
    yield "It holds." if found.holds else "IT DOES NOT HOLD. Run `interlock audit verify`."


def explained_data(found: Explained, known: Known) -> dict[str, object]:
    """Return the same as data."""
    entry, key = found.entry, found.key
    return {
        "ok": found.holds,
        "index": entry.index,
        "id": entry.id,
        "kind": entry.kind,
        "words": words_about(entry),
        "by": who(entry.actor, known).plain,
        "at": stamp(entry.at),
        "run": entry.run,
        "rseq": entry.rseq,
        "leaf": found.leaf.hex(),
        "signed": {"ok": found.is_signed, "key": key.id if key else None},
        "before": found.before,
        "chained": found.is_chained,
        "proof": {
            "ok": found.is_proven,
            "hashes": found.hashes,
            "size": found.head.size,
            "fingerprint": found.head.fingerprint,
        },
        "parts": [
            {"name": one.name, "cls": one.cls, "state": state_of(one)} for one in found.parts
        ],
        "bound": [*found.bound],
        "data": dict(entry.data),
    }


def state_of(part: ExplainedPart) -> str:
    """Return what became of a payload, in a word."""
    if part.is_held:
        return "held" if part.is_original and part.gone_by is None else "wrong"
    return "missing" if part.gone_by is None else "gone"


def part_words(part: ExplainedPart) -> str:
    """Return what became of a payload, in words."""
    if part.is_held and part.gone_by is not None:
        return f"IS STILL HERE, though entry {part.gone_by} says that it is gone"
    if part.is_held:
        return "held, and the one that was recorded" if part.is_original else "IS ANOTHER ONE"
    return "IS MISSING" if part.gone_by is None else f"gone, as entry {part.gone_by} says"


def _signed(found: Explained) -> str:
    key = found.key
    if key is None:
        return "by a key that the log does not know"
    holder = key.holder or "the log's first process"
    truth = "and the signature is true" if found.is_signed else "BUT THAT DOES NOT COUNT"
    return f"by {key.id} ({holder}, {key.state}), {truth}"


def _place(found: Explained) -> str:
    entry = found.entry
    if entry.run is None:
        return f"{entry.index} of {found.head.size}, outside any run"
    before = "its first" if found.before is None else f"after #{found.before}"
    named = "" if found.is_chained else ", WHICH IT DOES NOT NAME"
    place = f"{entry.index} of {found.head.size}; number {entry.rseq} of run {entry.run}"
    return f"{place}, {before}{named}"


def _proof(found: Explained) -> str:
    leads = "lead" if found.is_proven else "DO NOT LEAD"
    return (
        f"leaf {found.leaf.hex()[:8]}; {found.hashes} hashes {leads} to the signed head of"
        f" {found.head.size} entries, fingerprint {found.head.fingerprint}"
    )
