"""What a version asks of fewer people, or proves less of, than the one before it. Pure.

`comparing` shows every change to whoever approves it; this is what an author may not propose
alone. A step under another name is held against those that went, so a new name lowers nothing
unseen, and so is what a workflow does that a step newly starts. What is new or does something
else than before is also held against every gate that the same target had, so that a step which
kept its gate and does nothing any more is no cover.
"""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from workflows.actions.base import Effect
from workflows.definition import Definition
from workflows.definition_steps import LONGEST_EXPIRY, Approval, Step, Undo
from workflows.demand import gathered, wish_of
from workflows.portrait import Actions, Known, approval_words, effect_of, starts

_TARGETS = ("service", "database", "program", "channel")  # Where an action says what it reaches.

Works: TypeAlias = Mapping[str, Step | Undo]


def lowered(before: Definition, after: Definition, known: Known) -> list[str]:
    """Return what `after` holds people or proof to less than `before`, a phrase each."""
    old, new = works_of(before), works_of(after)
    gone = {name: one for name, one in old.items() if name not in new}
    came = {name: one for name, one in new.items() if name not in old}
    found = [f"{name}: {one}" for name in old.keys() & new for one in _less(old[name], new[name])]
    found += [
        f"{name}: said to be {stated.value} no more"
        for name in old.keys() & new
        if (stated := _unsaid(old[name], new[name], known.actions)) is not None
    ]
    came |= _newly_started(before, after, known)
    for name, work in came.items():
        found += _of_another_name(name, work, gone, known.actions)
    stayed = {name: one for name, one in old.items() if name not in gone}
    turned = {name: new[name] for name in stayed if _does(new[name]) != _does(old[name])}
    for name, work in {**came, **turned}.items():
        found += _beside_a_gate(name, work, stayed, known.actions)
    verifies = any(one.verify is not None for one in old.values())
    if verifies and after.is_best_effort and not before.is_best_effort:
        found.append("best effort: nothing is verified any more")
    return sorted(found)


def works_of(definition: Definition) -> Works:
    """Return what it does, by the name for people: its steps, and what takes them back."""
    steps = definition.works
    undos = {f"undo of {one.id}": one.undo for one in steps if isinstance(one.undo, Undo)}
    return {**{f"step {one.id}": one for one in steps}, **undos}


def is_as_strict(now: Approval | None, was: Approval | None) -> bool:
    """Say whether whoever satisfied `now` has satisfied `was` too."""
    if was is None:
        return True
    if now is None:
        return False
    mine, theirs = (gathered([wish_of(one, name="", expires=LONGEST_EXPIRY)]) for one in (now, was))
    return mine is not None and mine.is_as_strict_as(theirs)


def _less(was: Step | Undo, now: Step | Undo) -> Iterator[str]:
    if not is_as_strict(now.approval, was.approval):
        asked, asks = approval_words(was.approval), approval_words(now.approval)
        yield f"its gate is lowered: {asked} → {asks}"
    if was.verify is not None and now.verify is None:
        yield "the proof that it happened is gone"
    if isinstance(was, Step) and isinstance(now, Step):
        if isinstance(was.undo, Undo) and not isinstance(now.undo, Undo):
            yield "it can be taken back no more"
        if was.recheck and not now.recheck:
            yield "it is no longer checked again before it runs"


def _unsaid(was: Step | Undo, now: Step | Undo, actions: Actions) -> Effect | None:
    """Return the effect that a step was said to have and that it is only said not to have."""
    effect, stated = effect_of(now, actions), was.effect
    if stated is None or effect is None or effect.rank >= stated.rank:
        return None
    declares = [effect_of(one.model_copy(update={"effect": None}), actions) for one in (was, now)]
    before, after = declares
    # A step that became another call may well be more harmless; one that is the same is not.
    is_harmless = before is not None and after is not None and after.rank < before.rank
    return None if is_harmless else stated


def _newly_started(before: Definition, after: Definition, known: Known) -> Works:
    """Return what is done by workflows that `after` starts and `before` did not."""
    earlier = {one.workflow for one in starts(before, known.find)}
    return {
        f"{name} of {one.workflow}": work
        for one in starts(after, known.find)
        if one.workflow not in earlier
        for name, work in works_of(one).items()
    }


def _does(work: Step | Undo) -> tuple[str, object]:
    return work.uses, work.arguments


def _beside_a_gate(name: str, work: Step | Undo, old: Works, actions: Actions) -> Iterator[str]:
    """Yield which gate of the same target is passed by, where it stood before no graver effect.

    What takes a step back is none the worse for being there.
    """
    effect = effect_of(work, actions) or Effect.DESTRUCTIVE
    if effect is Effect.READ or not isinstance(work, Step):
        return
    for other, earlier in old.items():
        if other == name or _target(earlier) != _target(work):
            continue
        is_graver = (effect_of(earlier, actions) or Effect.DESTRUCTIVE).rank > effect.rank
        if not is_graver and not is_as_strict(work.approval, earlier.approval):
            asked, asks = approval_words(earlier.approval), approval_words(work.approval)
            yield f"{name} reaches what {other} is gated for: {asked} → {asks}"


def _target(work: Step | Undo) -> tuple[object, ...]:
    return (work.uses, *(work.arguments.get(one) for one in _TARGETS))


def _of_another_name(name: str, work: Step | Undo, gone: Works, actions: Actions) -> Iterator[str]:
    if effect_of(work, actions) is Effect.READ:
        return
    for was, earlier in gone.items():
        if earlier.uses == work.uses:
            yield from (f"{name}, beside {was} before: {one}" for one in _less(earlier, work))
