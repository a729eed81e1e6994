"""What is different between two versions of a workflow, in lines for whoever approves one.

What makes a workflow do more, or asks fewer people, stands first and is marked. What a version
cannot say by itself stands last: who starts it, and so does with it what it does.
"""

from collections.abc import Iterable, Iterator

from workflows.actions.base import Effect
from workflows.definition import Definition
from workflows.definition_steps import Step, Undo
from workflows.lowering import is_as_strict, works_of
from workflows.portrait import Known, approval_words, effect_of, facets, starts
from workflows.secret_use import secrets_of

MARK = "⚠️ "
_ANSWERS = ("owner", "deputy", "run by", "channel")


def difference(before: Definition | None, after: Definition, known: Known) -> list[str]:
    """Return the lines that say what `after` changes, none where it changes nothing."""
    if before is None:
        return [*_marked(None, after, known), *_all(after, known)]
    if before.version == after.version:
        return []
    return [*_marked(before, after, known), *_changes(before, after, known)]


def dependents(workflow: str, definitions: Iterable[Definition], known: Known) -> list[str]:
    """Return the names of those that start this workflow, directly or through others."""
    return [
        one.workflow
        for one in definitions
        if any(inner.workflow == workflow for inner in starts(one, known.find))
    ]


def _all(after: Definition, known: Known) -> Iterator[str]:
    for name, words in facets(after, known).items():
        yield f"{name}: {words}"


def _changes(before: Definition, after: Definition, known: Known) -> Iterator[str]:
    old, new = facets(before, known), facets(after, known)
    for name in dict.fromkeys((*old, *new)):
        if name not in new:
            yield f"no longer: {name}: {old[name]}"
        elif name not in old:
            yield f"new: {name}: {new[name]}"
        elif old[name] != new[name]:
            yield f"{name}: {old[name]} → {new[name]}"


def _marked(before: Definition | None, after: Definition, known: Known) -> Iterator[str]:
    """Yield what deserves a second look: gates, effects, proofs and people who answer."""
    old = {} if before is None else works_of(before)
    for name, work in works_of(after).items():
        earlier = old.get(name)
        yield from _marked_effect(name, earlier, work, known)
        if earlier is not None:
            yield from _marked_gate(name, earlier, work)
    used = frozenset() if before is None else secrets_of(before, known.actions)
    for secret in sorted(secrets_of(after, known.actions) - used):
        yield f"{MARK}it may use the secret {secret}"
    if before is None:
        return
    said, says = facets(before, known), facets(after, known)
    for name in _ANSWERS:
        if said.get(name) != says.get(name):
            yield f"{MARK}{name} changes: {said.get(name, 'none')} → {says.get(name, 'none')}"


def _marked_effect(
    name: str, earlier: Step | Undo | None, work: Step | Undo, known: Known
) -> Iterator[str]:
    effect = effect_of(work, known.actions) or Effect.DESTRUCTIVE
    was = Effect.READ if earlier is None else effect_of(earlier, known.actions)
    if was is None or effect.rank == was.rank:
        return
    if effect.rank > was.rank:
        more = f"new {effect.value} effect" if earlier is None else f"{was.value} → {effect.value}"
        yield f"{MARK}{name}: {more}, by {work.uses}"
    else:
        yield (
            f"{MARK}{name}: said to be {was.value}, now only {effect.value}: "
            "rules about the graver effect pass it by"
        )


def _marked_gate(name: str, earlier: Step | Undo, work: Step | Undo) -> Iterator[str]:
    if not is_as_strict(work.approval, earlier.approval):
        was, now = approval_words(earlier.approval), approval_words(work.approval)
        yield f"{MARK}{name}: its gate is LOWERED: {was} → {now}"
    if earlier.verify is not None and work.verify != earlier.verify:
        now = "is gone" if work.verify is None else "changes"
        yield f"{MARK}{name}: the proof that it happened {now}"
    if isinstance(work, Step) and isinstance(earlier, Step):
        if earlier.recheck and not work.recheck:
            yield f"{MARK}{name}: is no longer checked again before it runs"
        if earlier.when is not None and work.when != earlier.when:
            yield f"{MARK}{name}: its condition changes: {earlier.when} → {work.when or 'always'}"
