"""What a policy says of the workflows at hand: names that nothing has, steps no rule is about."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from workflows.actions.base import Effect
from workflows.condition_cases import OTHER, Reach, reached
from workflows.condition_tree import Applied, Constant, Has, Listed, Name, Tree, every, tree_of
from workflows.definition import Definition
from workflows.definition_file import Document
from workflows.fault import Fault, Place, suggestion
from workflows.judged_steps import JudgedStep
from workflows.policy import Policy
from workflows.policy_facts import rule_environment
from workflows.policy_rule import Rule

_COMPARED = frozenset({"_==_", "_!=_", "@in"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """The workflows that a policy is looked at with."""

    definitions: tuple[Definition, ...]
    steps: tuple[JudgedStep, ...]
    actions: frozenset[str]
    secrets: Mapping[str, frozenset[str]] = field(default_factory=dict)  # Needed, by workflow.


def compared(tree: Tree) -> Iterator[tuple[str, str]]:
    """Yield each plain name that is compared with a text, and that text."""
    for one in every(tree):
        if isinstance(one, Applied) and one.function in _COMPARED:
            names = [part.path[0] for part in one.to if isinstance(part, Name)]
            texts = [text for part in one.to for text in _texts(part)]
            yield from ((name, text) for name in names for text in texts)


def _texts(tree: Tree) -> Iterator[str]:
    parts = tree.items if isinstance(tree, Listed) else (tree,)
    for one in parts:
        if isinstance(one, Constant) and isinstance(one.value, str):
            yield one.value


def inputs_named(tree: Tree) -> list[str]:
    """Return the inputs that a condition looks at, each once."""
    found = (one.path for one in every(tree) if isinstance(one, Name | Has))
    return list(dict.fromkeys(path[1] for path in found if path[0] == "inputs" and len(path) > 1))


def name_faults(
    document: Document, place: Place, condition: str, around: Around
) -> Iterator[Fault]:
    """Yield names in a condition that no workflow here has, with the nearest that one has."""
    tree, meant = tree_of(rule_environment(), condition), _meant(condition, around)
    known = {
        "workflow": {one.workflow for one in around.definitions},
        "step": {name for one in meant for name in one.outline},
        "action": around.actions,
    }
    for name, text in dict.fromkeys(compared(tree)):
        if name in known and text not in known[name]:
            what = f"no {name} here is called {text!r}"
            yield document.fault(place, what, suggestion(text, known[name]), warning=True)
    inputs = {name for one in meant for name in one.inputs}
    for name in inputs_named(tree):
        if meant and name not in inputs:
            what = f"no workflow that it is about has an input {name!r}"
            yield document.fault(place, what, suggestion(name, inputs), warning=True)


def _meant(condition: str, around: Around) -> list[Definition]:
    """Return the workflows that a condition may be about, by their names alone."""
    return [
        one
        for one in around.definitions
        if reached(condition, {"workflow": one.workflow}).reach is not Reach.NEVER
    ]


def reach_faults(document: Document, index: int, rule: Rule, around: Around) -> Iterator[Fault]:
    """Yield that a rule is about no step here, or about some only by mistake."""
    place: Place = ("rules", index, "when")
    found = [(step, reach_of(rule, step)) for step in around.steps]
    if all(reach is Reach.NEVER for _, reach in found) and not _is_net(rule):
        what = "is about no step of the workflows here"
        yield document.fault(place, what, "look at what it compares", warning=True)
        return
    unclear = [step.definition for step, reach in found if reach is Reach.UNCLEAR]
    for name in inputs_named(tree_of(rule_environment(), rule.when)):
        lacking = dict.fromkeys(one.workflow for one in unclear if name not in one.inputs)
        if lacking:
            what = f"counts for {_several(lacking)} too, which have no input {name!r}"
            right = f"name the workflow in it, or begin with has(inputs.{name}) &&"
            yield document.fault(place, what, right, warning=True)


def _is_net(rule: Rule) -> bool:
    """Say whether a rule is about workflows that nobody has thought of yet."""
    return reached(rule.when, {"workflow": OTHER}).reach is not Reach.NEVER


def reach_of(rule: Rule, step: JudgedStep) -> Reach:
    """Return what the condition of a rule can become for one step."""
    found = reached(
        rule.when,
        step.known,
        effects=(step.effect.value,),
        inputs=step.definition.inputs,
    )
    return found.reach


def _several(names: Iterable[str], most: int = 3) -> str:
    every_one = list(names)
    more = len(every_one) - most
    return ", ".join(every_one[:most]) + (f" and {more} more" if more > 0 else "")


def gate_faults(policy: Policy, document: Document, around: Around) -> Iterator[Fault]:
    """Yield the destructive steps that no rule is ever about."""
    for step in around.steps:
        is_met = any(reach_of(rule, step) is not Reach.NEVER for rule in policy.rules)
        if step.effect is not Effect.DESTRUCTIVE or is_met:
            continue
        asks = step.approval is not None
        follows = "so only its own file asks anybody" if asks else "so it never runs"
        what = f"no rule is about {step.shown}, which is destructive, {follows}"
        yield document.fault(("rules",), what, "add a rule", at_key=True, warning=True)


def shadow_faults(policy: Policy, document: Document, around: Around) -> Iterator[Fault]:
    """Yield names among those in shadow that no workflow has, or whose real callers will stop."""
    known = [one.workflow for one in around.definitions]
    shadow = policy.production.shadow if policy.production is not None else None
    for number, name in enumerate(shadow or ()):
        place: Place = ("production", "shadow", number)
        if name not in known:
            what = f"names no workflow {name!r}, so none of that name runs in shadow"
            yield document.fault(place, what, suggestion(name, known), warning=True)
        real = [one.workflow for one in around.definitions if name in one.starts]
        stopped = ", ".join(one for one in real if one not in (shadow or ()))
        if stopped:
            what = f"{name} is started by {stopped}, whose real runs will stop there"
            yield document.fault(place, what, "have those run in shadow too", warning=True)


def target_faults(policy: Policy, document: Document, around: Around) -> Iterator[Fault]:
    """Yield the targets and webhooks that no workflow here uses."""
    arguments = [one for each in around.definitions for one in _arguments(each)]
    used = {
        "services": {str(one.get("service")) for one in arguments},
        "databases": {str(one.get("database")) for one in arguments},
        "programs": {str(one.get("program")) for one in arguments},
        "webhooks": {
            getattr(one, "webhook", "") for each in around.definitions for one in each.triggers
        },
    }
    for section, names in used.items():
        for name in getattr(policy, section) or {}:
            if name not in names:
                what = "is used by no workflow here"
                yield document.fault((section, name), what, at_key=True, warning=True)


def _arguments(definition: Definition) -> Iterator[dict[str, object]]:
    for step in definition.works:
        undo = step.undo if not isinstance(step.undo, str) else None
        for work in (step, step.verify, undo, undo.verify if undo else None):
            if work is not None:
                yield dict(work.arguments)
