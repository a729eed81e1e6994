"""What the policy makes of each step of a workflow with given values, and what its rules saw.

Nothing is run or read: an argument that rests on what a step gives is unknown until that step
has given it, and so is what a rule would make of it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from workflows.actions.base import Effect
from workflows.condition_cases import literal
from workflows.condition_tree import Has, Name, Path, every, tree_of
from workflows.definition import Definition
from workflows.definition_steps import Step, Undo, raised
from workflows.demand import Match, Why
from workflows.entry import Json
from workflows.errors import ExpressionError
from workflows.expression import Environment, Scope
from workflows.instances import undo_of
from workflows.judged_steps import JudgedStep, judged_steps
from workflows.model_words import words_taken
from workflows.policy import Policy
from workflows.policy_auto import Auto
from workflows.policy_explain import Explanation, explained
from workflows.policy_facts import Facts, rule_environment
from workflows.procedure import Procedure
from workflows.step_scope import Actions
from workflows.template import resolve

OF_A_MODEL = "a language model's words"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """With what a workflow is looked at. `args` are those on record, by step and its undoing."""

    inputs: Mapping[str, Json]
    requester: str
    at: datetime
    run: str = ""
    outputs: Mapping[str, Json] = field(default_factory=dict)
    args: Mapping[tuple[str, bool], Mapping[str, Json]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSeen:
    """How one rule stands, the values that its condition looked at, and why its auto does not."""

    why: Why
    saw: Mapping[str, str] = field(default_factory=dict)
    not_auto: str = ""

    @property
    def lines(self) -> Iterator[str]:
        """Yield it for a person to read."""
        yield str(self.why)
        if self.saw:
            yield "  " + ", ".join(f"{name} = {value}" for name, value in self.saw.items())
        if self.not_auto:
            yield f"  {self.not_auto}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedStep:
    """One step before the policy. `applies` is None where its condition is not known yet."""

    step: JudgedStep
    effect: Effect
    facts: Facts
    told: Explanation
    rules: tuple[RuleSeen, ...]
    unknown: tuple[str, ...] = ()  # Arguments that nobody knows before it runs.
    by_model: tuple[str, ...] = ()  # Arguments that a language model fills; no rule decides by any.
    applies: bool | None = True


def explain(
    policy: Policy, procedure: Procedure, actions: Actions, given: Given
) -> list[ExplainedStep]:
    """Return what `policy` makes of every step that does more than read, in order."""
    found = judged_steps([procedure.definition], actions)
    return [_explained(policy, procedure, actions, one, given) for one in found]


def _explained(
    policy: Policy, procedure: Procedure, actions: Actions, step: JudgedStep, given: Given
) -> ExplainedStep:
    args, unknown = _arguments(procedure, step, given)
    name = undo_of(step.step) if step.is_undo else step.step
    by_model = words_taken(procedure.definition, procedure.scopes, name)
    work = _work(procedure, step)
    effect = raised(actions[work.uses].effect_of({**work.arguments, **args}), work.effect)
    facts = Facts(
        effect=effect,
        workflow=step.definition.workflow,
        step=step.step,
        action=step.action,
        requester=given.requester,
        at=given.at,
        inputs=given.inputs,
        args=args,
        watchers=_watchers(policy, step.definition),
        are_args_of_a_model=bool(by_model),
    )
    told = explained(policy, facts, step.approval)
    autos = {rule.name: rule.auto for rule in policy.rules}
    values = {"args": OF_A_MODEL, **policy.told(facts)}
    return ExplainedStep(
        step=step,
        effect=effect,
        facts=facts,
        told=told,
        rules=tuple(_seen(one, autos.get(one.rule), values, effect) for one in told.rules),
        unknown=unknown,
        by_model=by_model,
        applies=_applies(procedure, step, given),
    )


def _watchers(policy: Policy, definition: Definition) -> tuple[str, ...]:
    """Return who would watch: nobody knows here whether the version has earned to go without."""
    rule = policy.production
    return () if rule is None else rule.watchers(definition.owner, definition.deputy)


def _work(procedure: Procedure, step: JudgedStep) -> Step | Undo:
    form = procedure.definition.step(step.step)
    return form.undo if step.is_undo and isinstance(form.undo, Undo) else form


def _arguments(
    procedure: Procedure, step: JudgedStep, given: Given
) -> tuple[dict[str, Json], tuple[str, ...]]:
    """Return the arguments as far as they are known, and the names of the others."""
    recorded = given.args.get((step.step, step.is_undo))
    if recorded is not None:
        return dict(recorded), ()
    work, environment = _work(procedure, step), _environment(procedure, step)
    known: dict[str, Json] = {}
    for name, template in work.arguments.items():
        try:
            known[name] = resolve(template, _scope(procedure, given), environment)
        except ExpressionError:
            continue
    return known, tuple(name for name in work.arguments if name not in known)


def _environment(procedure: Procedure, step: JudgedStep) -> Environment:
    scopes = procedure.scopes
    return scopes.after(step.step) if step.is_undo else scopes.before(step.step)


def _scope(procedure: Procedure, given: Given) -> Scope:
    run = {"id": given.run, "requester": given.requester, "workflow": procedure.definition.workflow}
    return Scope(inputs=given.inputs, steps=given.outputs, run=run)


def _applies(procedure: Procedure, step: JudgedStep, given: Given) -> bool | None:
    when = procedure.definition.step(step.step).when
    if when is None or step.is_undo:
        return True
    try:
        return procedure.scopes.before(step.step).holds(when, _scope(procedure, given))
    except ExpressionError:
        return None


def _seen(why: Why, auto: Auto | None, values: Mapping[str, Json], effect: Effect) -> RuleSeen:
    saw = dict(_values(why.when, values))
    if auto is None or why.match is not Match.MATCHED:
        return RuleSeen(why=why, saw=saw)
    if effect is Effect.DESTRUCTIVE:
        return RuleSeen(why=why, saw=saw, not_auto="Its auto spares nobody what is destructive.")
    looked = ", ".join(f"{name} = {value}" for name, value in _values(auto.when, values))
    told = f"Its auto does not hold (when {auto.when}): {looked}".rstrip(": ")
    return RuleSeen(why=why, saw=saw, not_auto=told)


def _values(condition: str, values: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """Yield every name in a condition with what stands there."""
    if not condition:
        return  # The definition's own wish.
    trees = every(tree_of(rule_environment(), condition))
    for path in dict.fromkeys(one.path for one in trees if isinstance(one, Name | Has)):
        yield ".".join(path), _value_at(path, dict(values))


def _value_at(path: Path, values: Json) -> str:
    for part in path:
        if values == OF_A_MODEL:
            return OF_A_MODEL
        if not isinstance(values, dict) or part not in values:
            return "nothing"
        values = values[part]
    return OF_A_MODEL if values == OF_A_MODEL else literal(values)
