"""A definition told in words, facet by facet, so that two versions can be compared by people.

Everything that the canonical form holds has a facet, so nothing changes without a word of it.
To that comes what stands elsewhere: the effect that an action has, and what a workflow does
that a step starts.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from workflows.actions.base import Action, Effect
from workflows.definition import Definition, meaning
from workflows.definition_flow import Call, Flow
from workflows.definition_steps import Approval, ApprovalStage, Step, Undo, raised, turns_of

Actions: TypeAlias = Mapping[str, Action[Any, Any]]
Find: TypeAlias = Callable[[str], Definition | None]  # The workflow of a name as it is now.
Facets: TypeAlias = Mapping[str, str]

NOBODY = "nobody, unless the policy asks"
UNKNOWN = "nobody knows: there is no such action here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is needed to say what steps do."""

    actions: Actions
    find: Find


def facets(definition: Definition, known: Known) -> Facets:
    """Return what `definition` says, by facet, in the order of the file."""
    return dict(_facets(definition, known))


def effect_of(work: Step | Undo, actions: Actions) -> Effect | None:
    """Return what `work` does to the world, None where its action is unknown."""
    action = actions.get(work.uses)
    return None if action is None else raised(action.effect_of(work.arguments), work.effect)


def starts(definition: Definition, find: Find) -> tuple[Definition, ...]:
    """Return every workflow that it starts, directly or through others, itself left out."""
    found: dict[str, Definition] = {definition.workflow: definition}
    waiting = [definition]
    while waiting:
        names = waiting.pop().starts - found.keys()
        news = [one for name in sorted(names) if (one := find(name)) is not None]
        found |= {one.workflow: one for one in news}
        waiting += news
    return tuple(found.values())[1:]


def _facets(definition: Definition, known: Known) -> Iterator[tuple[str, str]]:
    said = meaning(definition)
    yield from leaves({name: one for name, one in said.items() if name != "steps"})
    yield "order of the steps", ", ".join(definition.outline)
    for node in definition.outline.values():
        yield from _step(node.step, known)


def _step(form: Flow, known: Known) -> Iterator[tuple[str, str]]:
    said = _without_steps(meaning(form))
    name = f"step {said.pop('id')}"
    if isinstance(form, Step):
        yield from _effect(name, form, known)
        _leave_out_told(said)
        if isinstance(form.undo, Undo):
            yield from _effect(f"{name}: undo", form.undo, known)
            _leave_out_told(said["undo"])
    if isinstance(form, Call):
        yield f"{name}: does", _does(form.workflow, known)
    yield from ((f"{name}: {place}", words) for place, words in leaves(said))


def _leave_out_told(said: dict[str, Any]) -> None:
    """Take out the approval, which has its own words; the effect is only what the file says."""
    said.pop("approval", None)
    if "effect" in said:
        said["effect as stated"] = said.pop("effect")


def _effect(name: str, work: Step | Undo, known: Known) -> Iterator[tuple[str, str]]:
    effect = effect_of(work, known.actions)
    yield f"{name}: effect", UNKNOWN if effect is None else effect.value
    if effect is not Effect.READ or work.approval is not None:
        yield f"{name}: asks", approval_words(work.approval)


def approval_words(approval: Approval | None) -> str:
    """Return whom an approval asks, and on which terms."""
    if approval is None:
        return NOBODY
    turns = [" and ".join(map(_stage_words, turn)) for turn in turns_of(approval.stages)]
    terms = {name: one for name, one in meaning(approval).items() if name != "stages"}
    if terms["reason"] == "optional":
        del terms["reason"]
    more = [f"{place} {words}" for place, words in leaves(terms)]
    return "; ".join([", then ".join(turns), *more])


def _stage_words(stage: ApprovalStage) -> str:
    people = " or ".join(stage.asked)
    deny = f" ({stage.deny} reject)" if stage.deny > 1 else ""
    return f"{stage.approve} of {people}{deny}"


def _does(name: str, known: Known) -> str:
    """Say what a workflow does that is started, and what those do that it starts."""
    first = known.find(name)
    if first is None:
        return f"nobody knows: there is no workflow {name} yet"
    told = [_in_short(one, known) for one in (first, *starts(first, known.find))]
    return "; ".join(told)


def _in_short(definition: Definition, known: Known) -> str:
    effects = [
        f"{step.id} {effect.value} by {step.uses}"
        for step in definition.works
        if (effect := effect_of(step, known.actions)) is not Effect.READ and effect is not None
    ]
    return f"{definition.workflow} {definition.version[:8]}: {', '.join(effects) or 'only reads'}"


def _without_steps(said: dict[str, Any]) -> dict[str, Any]:
    """Return a step with the names of those inside it in their place; they have facets too."""
    if "parallel" in said:
        inside = {name: _names(branch) for name, branch in said["parallel"].items()}
        return {**said, "parallel": inside}
    return {**said, "steps": _names(said["steps"])} if "foreach" in said else said


def _names(steps: list[dict[str, Any]]) -> str:
    return ", ".join(str(one["id"]) for one in steps)


def leaves(value: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, str]]:
    """Yield each value inside, with the names that lead to it."""
    for name, one in value.items():
        here = f"{place} {name.replace('_', ' ')}".lstrip()
        inside = _numbered(one) if isinstance(one, list) else one
        if isinstance(inside, Mapping):
            yield from leaves(inside, here)
        elif one != []:
            is_words = isinstance(inside, str)
            yield here, inside if is_words else json.dumps(inside, ensure_ascii=False)


def _numbered(found: list[Any]) -> Any:  # noqa: ANN401 - a list of JSON.
    """Return names in one line, and anything larger by its number."""
    if all(isinstance(one, str) for one in found):
        return ", ".join(found)
    return {str(number): one for number, one in enumerate(found, start=1)}
