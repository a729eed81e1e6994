"""Who has to agree to the steps of a new workflow, as its tests name them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from workflows.definition import Definition
from workflows.demand import Demand
from workflows.entry import Json
from workflows.explaining import Given, explain
from workflows.policy import Policy
from workflows.procedure import Procedures
from workflows.step_scope import Actions

NAMES = ("ana", "ben", "cora", "dan", "eva", "finn", "gina", "hugo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvers:
    """For each gated step who decides in which order, and whether they have to say why."""

    groups: Mapping[str, Sequence[str]]
    by_step: Mapping[str, Sequence[str]]
    reasons: frozenset[str]  # Steps of which a reason is wanted.


def approvers_of(
    definition: Definition,
    policy: Policy,
    actions: Actions,
    inputs: Mapping[str, Json],
    at: datetime,
) -> Approvers:
    """Return people for every group that `policy` and the file would ask, as many as it takes."""
    given = Given(inputs=inputs, requester="", at=at)
    explained = explain(policy, Procedures(actions).of(definition), actions, given)
    demands = {
        one.step.step: one.told.demand
        for one in explained
        if one.told.demand is not None and not one.step.is_undo
    }
    groups = _people(list(demands.values()))
    return Approvers(
        groups=groups,
        by_step={name: _decide(one, groups) for name, one in demands.items()},
        reasons=frozenset(name for name, one in demands.items() if one.needs_reason),
    )


def _people(demands: Sequence[Demand]) -> dict[str, list[str]]:
    """Return for each group as many people of its own as some stage needs of it."""
    wanted: dict[str, int] = {}
    for demand in demands:
        for stage in demand.stages:
            first = stage.asked[0]
            wanted[first] = max(stage.approve, wanted.get(first, 0))
            wanted |= {name: wanted.get(name, 1) for name in stage.asked}
    numbers = count()
    return {name: [_name(next(numbers)) for _ in range(many)] for name, many in wanted.items()}


def _name(number: int) -> str:
    turn, place = divmod(number, len(NAMES))
    return f"{NAMES[place]}{turn or ''}"


def _decide(demand: Demand, groups: Mapping[str, Sequence[str]]) -> list[str]:
    return [who for stage in demand.stages for who in groups[stage.asked[0]][: stage.approve]]
