"""Chains of people that lead back to where they began, so that nobody is left to turn to.

An escalation leads from those who were asked to those who may decide too; a workflow in trouble
leads from its owner to the deputy, and then to the governors. Only names are known here: who is
in which group, `interlock access review` looks at.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from workflows.definition_file import Document
from workflows.definition_steps import AnyStage, Approval, Step, Undo, turns_of
from workflows.fault import Fault, Place
from workflows.policy import Policy
from workflows.policy_lint_steps import Around

_ESCALATES = "escalates in a circle"
_OUTSIDE = "let it end with somebody outside of it"
_LOOKED_AFTER = "ends the care for workflows in a circle"
_GOVERN = "let somebody govern who does not own what they are the last to be told of"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """That one leads to the other, what says so, and where that stands in the policy."""

    source: str
    target: str
    by: str
    place: Place


def circle_faults(policy: Policy, document: Document, around: Around | None) -> Iterator[Fault]:
    """Yield the circles in which chains of people end, and escalations that add nobody."""
    yield from _adding_nobody(policy, document)
    escalations = [*_of_rules(policy), *_of_files(around)]
    yield from (_told(document, one, _ESCALATES, _OUTSIDE) for one in circles(escalations))
    cared_for = [*_of_owners(policy, around)]
    yield from (_told(document, one, _LOOKED_AFTER, _GOVERN) for one in circles(cared_for))


def circles(links: Iterable[Link]) -> Iterator[list[Link]]:
    """Yield circles, such that from anybody who leads to nobody outside one of them is reached."""
    onward: dict[str, list[Link]] = {}
    back: dict[str, list[str]] = {}
    for link in links:
        if link.source != link.target:
            onward.setdefault(link.source, []).append(link)
            back.setdefault(link.target, []).append(link.source)
    well = _leading_to([name for name in back if name not in onward], back)
    for name in onward:
        if name not in well:
            circle = _circle_from(name, onward)
            yield circle
            well |= _leading_to([one.source for one in circle], back)


def _leading_to(ends: Sequence[str], back: Mapping[str, Sequence[str]]) -> set[str]:
    found, waiting = set(ends), [*ends]
    while waiting:
        news = set(back.get(waiting.pop(), ())) - found
        found |= news
        waiting += sorted(news)
    return found


def _circle_from(name: str, onward: Mapping[str, Sequence[Link]]) -> list[Link]:
    """Return the circle that is met by going on from `name`, where everybody leads on."""
    way: dict[str, Link] = {}
    while name not in way:
        way[name] = onward[name][0]
        name = way[name].target
    passed = list(way)
    return [way[one] for one in passed[passed.index(name) :]]


def _told(document: Document, circle: Sequence[Link], what: str, right: str) -> Fault:
    way = " → ".join([circle[0].source, *(f"{one.target} ({one.by})" for one in circle)])
    return document.fault(circle[-1].place, f"{what}: {way}", right, warning=True)


def _adding_nobody(policy: Policy, document: Document) -> Iterator[Fault]:
    for index, rule in enumerate(policy.rules):
        if rule.escalate is None:
            continue
        parts = [part for turn in turns_of(rule.stages) for part in turn]
        if all(set(rule.escalate.to).issubset(part.asked) for part in parts):
            what = f"lets only {' and '.join(rule.escalate.to)} decide too, who are asked already"
            place = ("rules", index, "escalate", "to")
            yield document.fault(place, what, _OUTSIDE, warning=True)


def _of_rules(policy: Policy) -> Iterator[Link]:
    for index, rule in enumerate(policy.rules):
        if rule.escalate is not None:
            place: Place = ("rules", index, "escalate", "to")
            yield from _escalated(rule.stages, rule.escalate.to, f"“{rule.name}”", place)


def _of_files(around: Around | None) -> Iterator[Link]:
    """Yield where steps of workflow files escalate; in the policy that is about its rules."""
    for definition in () if around is None else around.definitions:
        for name, node in definition.outline.items():
            for wanted in _approvals(node.step):
                if wanted.escalate is not None:
                    by = f"{definition.workflow}/{name}"
                    yield from _escalated(wanted.stages, wanted.escalate.to, by, ("rules",))


def _approvals(form: object) -> Iterator[Approval]:
    """Yield what a step asks for itself, and before it is taken back."""
    if isinstance(form, Step):
        undo = form.undo.approval if isinstance(form.undo, Undo) else None
        yield from (one for one in (form.approval, undo) if one is not None)


def _escalated(
    stages: Sequence[AnyStage], to: Sequence[str], by: str, place: Place
) -> Iterator[Link]:
    asked = dict.fromkeys(one for turn in turns_of(stages) for part in turn for one in part.asked)
    for source in asked:
        yield from (Link(source=source, target=one, by=by, place=place) for one in to)


def _of_owners(policy: Policy, around: Around | None) -> Iterator[Link]:
    place: Place = ("roles", "governors") if policy.governors else ("roles",)
    for one in () if around is None else around.definitions:
        by = f"deputy of {one.workflow}"
        yield Link(source=one.owner, target=one.deputy, by=by, place=place)
        for name in policy.governors:
            yield Link(source=one.deputy, target=name, by="the governors", place=place)
