"""Whether people will be asked once a workflow runs with given values: surely, perhaps, or not.

Unknown until then are the hour, what steps give, and with which values a step starts another
workflow; whatever rests on one of these is perhaps. To take something back may ask people too,
and is no part of it: nobody plans that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from workflows.actions.base import Effect
from workflows.condition_tree import Has, Name, every, tree_of
from workflows.definition import Definition
from workflows.definition_flow import Ask, Call, Flow
from workflows.entry import Json
from workflows.explaining import ExplainedStep, Given, explain
from workflows.expression import Environment
from workflows.expression_values import fitted
from workflows.foreseen import Foreseen
from workflows.policy import Policy
from workflows.policy_facts import rule_environment
from workflows.policy_rule import Rule
from workflows.portrait import Known, starts
from workflows.procedure import Procedure, Procedures

_OUTSIDE = len(("steps", 0))  # How deep a step stands that is inside no other.


def foreseen(policy: Policy, definition: Definition, known: Known, given: Given) -> Foreseen:
    """Return whether people will be asked in a run of `definition`.

    Where something cannot be undone that counts as sure whether or not its step will be left out,
    unless the values leave it out: nothing is changed for good without them.
    """
    return _Look(policy, known, given).into(definition)


@dataclass(frozen=True, slots=True)
class _Look:
    policy: Policy
    known: Known
    given: Given
    is_started: bool = False  # By a step of another workflow, with values nobody knows yet.

    def into(self, definition: Definition) -> Foreseen:
        procedure = Procedures(self.known.actions).of(definition)
        told = explain(self.policy, procedure, self.known.actions, self.given)
        steps = {one.step.step: one for one in told if not one.step.is_undo}
        return max(self._at(procedure, name, steps.get(name)) for name in definition.outline)

    def _at(self, procedure: Procedure, name: str, step: ExplainedStep | None) -> Foreseen:
        node = procedure.definition.outline[name]
        runs = self._runs(procedure, node.step)
        if runs is False:
            return Foreseen.NOT
        if isinstance(node.step, Call):
            return self._of_started(node.step)
        found = Foreseen.SURELY if isinstance(node.step, Ask) else self._of_step(step)
        is_certain = runs is True and len(node.path) == _OUTSIDE and not self.is_started
        is_for_good = step is not None and step.effect is Effect.DESTRUCTIVE
        return found if is_certain or is_for_good else min(found, Foreseen.PERHAPS)

    def _runs(self, procedure: Procedure, form: Flow) -> bool | None:
        """Say whether a step is not left out, None where that is not known yet."""
        if form.when is None:
            return True
        environment = procedure.scopes.before(form.id)
        given = {} if self.is_started else self.given.inputs
        known = {
            name: fitted(value, environment.variables[name])
            for name, value in ((f"inputs.{one}", given[one]) for one in given)
            if name in environment.variables
        }
        return _stands(environment, form.when, known)

    def _of_started(self, call: Call) -> Foreseen:
        first = self.known.find(call.workflow)
        if first is None or self.is_started:
            return Foreseen.NOT  # What it starts in turn is looked at from the first.
        inner = replace(self, given=replace(self.given, inputs={}), is_started=True)
        return max(inner.into(one) for one in (first, *starts(first, self.known.find)))

    def _of_step(self, step: ExplainedStep | None) -> Foreseen:
        if step is None:
            return Foreseen.NOT
        if step.step.approval is not None:
            return Foreseen.SURELY
        watched = Foreseen.PERHAPS if step.facts.watchers else Foreseen.NOT
        return max([watched, *(self._by(rule, step) for rule in self.policy.rules)])

    def _by(self, rule: Rule, step: ExplainedStep) -> Foreseen:
        """Return whether one rule asks: it has to hold, and its `auto` not to."""
        environment = rule_environment()
        holds = _stands(environment, rule.when, self._told(step, rule.when))
        if holds is False:
            return Foreseen.NOT
        spares: bool | None = False
        if rule.auto is not None and step.effect is not Effect.DESTRUCTIVE:
            told = self._told(step, rule.auto.when)
            spares = _stands(environment, rule.auto.when, told)
        if holds and spares:
            return Foreseen.NOT
        return Foreseen.SURELY if holds and spares is False else Foreseen.PERHAPS

    def _told(self, step: ExplainedStep, condition: str) -> Mapping[str, Json]:
        """Return what is known by now of what a condition may name."""
        told = self.policy.told(step.facts)
        later = {"hour", "weekday", *(("inputs", "args") if self.is_started else ())}
        if step.unknown and _counts_arguments(condition):
            later.add("args")
        return {name: one for name, one in told.items() if name not in later}


def _stands(environment: Environment, condition: str, known: Mapping[str, Json]) -> bool | None:
    """Say whether a condition holds, None where what is known does not decide it."""
    if not environment.may_hold(condition, known):
        return False
    return None if environment.may_hold(f"!({condition}\n)", known) else True


def _counts_arguments(condition: str) -> bool:
    """Say whether a condition asks which arguments there are; one not known yet would be none."""
    trees = every(tree_of(rule_environment(), condition))
    looked = [one for one in trees if isinstance(one, Has | Name) and one.path[0] == "args"]
    return any(isinstance(one, Has) or len(one.path) == 1 for one in looked)
