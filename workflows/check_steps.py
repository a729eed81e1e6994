"""Checks what each step of a definition means: its action, gate, proof and way back."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from workflows.actions.base import Action, Effect
from workflows.check_arguments import argument_faults
from workflows.check_flow import flow_faults
from workflows.definition import Definition
from workflows.definition_file import Document
from workflows.definition_steps import Step, Undo, Verify, Work, raised
from workflows.errors import DefinitionError, ExpressionError
from workflows.expression import Environment
from workflows.fault import Fault, Place, suggestion
from workflows.outline import Node
from workflows.policy import Policy
from workflows.policy_facts import rule_environment
from workflows.step_scope import Actions, StepScopes, output_shape
from workflows.template import has_expression

_NAMED_TARGETS = {"service": "services", "database": "databases", "program": "programs"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checking:
    """One definition under check, with everything it is checked against."""

    definition: Definition
    document: Document
    actions: Actions
    policy: Policy | None
    scopes: StepScopes

    def action(self, work: Work) -> Action[Any, Any] | None:
        return self.actions.get(work.uses)

    def effect(self, work: Work) -> Effect | None:
        """Return what `work` does to the world, None where its action is unknown."""
        action = self.action(work)
        if action is None:
            return None
        stated = work.effect if isinstance(work, Step | Undo) else None
        return raised(action.effect_of(work.arguments), stated)


def step_faults(checking: Checking, node: Node) -> Iterator[Fault]:
    """Yield what is wrong with the meaning of one step, whatever its form."""
    step, path = node.step, node.path
    if step.when is not None:
        environment = checking.scopes.before(step.id)
        yield from condition_faults(checking, (*path, "when"), step.when, environment)
    if isinstance(step, Step):
        yield from _action_faults(checking, path, step)
    else:
        yield from flow_faults(checking.document, checking.scopes, node)


def _action_faults(checking: Checking, path: Place, step: Step) -> Iterator[Fault]:
    yield from _work_faults(checking, path, step, checking.scopes.before(step.id))
    yield from _effect_faults(checking, path, step)
    yield from _verify_faults(checking, path, step, step.id)
    yield from _gate_faults(checking, path, step, step.id)
    if isinstance(step.undo, Undo):
        yield from _undo_faults(checking, (*path, "undo"), step, step.undo)
    if checking.definition.is_best_effort:
        yield from _haste_faults(checking, path, step)


def _haste_faults(checking: Checking, path: Place, step: Step) -> Iterator[Fault]:
    """Yield what does not go with `mode: best_effort`."""
    if checking.effect(step) is Effect.DESTRUCTIVE:
        what = "is destructive, which best effort never is"
        yield checking.document.fault(path, what, "use mode: reliable")
    for name in ("verify", "retry"):
        if getattr(step, name) is not None:
            what = "has no meaning with mode: best_effort, which tries once and looks at nothing"
            right = f"leave {name} out, or use mode: reliable"
            yield checking.document.fault((*path, name), what, right, at_key=True)


def condition_faults(
    checking: Checking, path: Place, text: str, environment: Environment
) -> Iterator[Fault]:
    """Yield what is wrong with a condition that stands at `path`."""
    if has_expression(text):
        right = "write the condition bare, without ${{ }}"
        yield checking.document.fault(path, "is a condition already", right)
        return
    try:
        environment.check_condition(text)
    except ExpressionError as error:
        yield checking.document.fault(path, error.message, error.hint)


def _work_faults(
    checking: Checking, path: Place, work: Work, environment: Environment
) -> Iterator[Fault]:
    action = checking.action(work)
    if action is None:
        right = suggestion(work.uses, checking.actions)
        yield checking.document.fault((*path, "uses"), f"there is no action {work.uses!r}", right)
        return
    try:
        output_shape(work, checking.actions)
    except DefinitionError as error:
        yield checking.document.fault((*path, "returns"), error.message, error.hint)
    yield from argument_faults(
        checking.document,
        (*path, "with"),
        work.arguments,
        action=action,
        environment=environment,
    )
    yield from _target_faults(checking, path, work)


def _target_faults(checking: Checking, path: Place, work: Work) -> Iterator[Fault]:
    if checking.policy is None:
        return
    for argument, section in _NAMED_TARGETS.items():
        name = work.arguments.get(argument)
        known = getattr(checking.policy, section)
        if isinstance(name, str) and name not in known and not has_expression(name):
            what = f"the policy has no {argument} {name!r}"
            yield checking.document.fault((*path, "with", argument), what, suggestion(name, known))
    yield from _folder_faults(checking, path, work, checking.policy)


def _folder_faults(checking: Checking, path: Place, work: Work, policy: Policy) -> Iterator[Fault]:
    program = policy.programs.get(str(work.arguments.get("program")))
    folder = work.arguments.get("folder")
    if program is not None and isinstance(folder, str) and folder not in program.folders:
        what = f"{work.arguments['program']} has no folder {folder!r} in the policy"
        right = suggestion(folder, program.folders)
        yield checking.document.fault((*path, "with", "folder"), what, right)


def _effect_faults(checking: Checking, path: Place, work: Step | Undo) -> Iterator[Fault]:
    effect = checking.effect(work)
    if effect is not None and work.effect is not None and work.effect is not effect:
        what = f"says {work.effect.value}, but {work.uses} with these arguments is {effect.value}"
        right = "a definition may raise an effect, never lower it"
        yield checking.document.fault((*path, "effect"), what, right)


def _verify_faults(
    checking: Checking, path: Place, work: Step | Undo, step: str
) -> Iterator[Fault]:
    if work.verify is None:
        action = checking.action(work)
        # Slack's own answer proves what the outbox delivered; there is nothing more to read.
        is_proved = action is not None and action.is_delivered
        if checking.effect(work) is Effect.DESTRUCTIVE and not is_proved:
            right = "add verify: a read and what it must show once this very effect happened"
            yield checking.document.fault(
                (*path, "verify"), "is missing on a destructive step", right
            )
        return
    here = (*path, "verify")
    yield from _work_faults(checking, here, work.verify, checking.scopes.after(step))
    if not _may_only_read(checking, work.verify):
        what = f"{work.verify.uses} with these arguments does not only read"
        yield checking.document.fault((*here, "uses"), what, "prove an effect by reading")
    environment = checking.scopes.verifying(step)
    yield from _expect_faults(checking, here, work.verify, environment)


def _may_only_read(checking: Checking, verify: Verify) -> bool:
    action = checking.action(verify)
    if action is None:
        return True
    # Without the policy nobody knows which arguments of a program only look.
    effect = checking.effect(verify) if checking.policy is not None else action.effect
    return effect is Effect.READ


def _expect_faults(
    checking: Checking, path: Place, verify: Verify, environment: Environment
) -> Iterator[Fault]:
    here = (*path, "expect")
    faults = list(condition_faults(checking, here, verify.expect, environment))
    yield from faults
    if not faults and not _reads_result(environment.references(verify.expect)):
        what = "does not look at result, so it proves nothing"
        right = "compare what the verification read, as in result.count == 0"
        yield checking.document.fault(here, what, right)


def _reads_result(paths: frozenset[str]) -> bool:
    return any(path.split(".")[0] == "result" for path in paths)


def _gate_faults(checking: Checking, path: Place, work: Step | Undo, step: str) -> Iterator[Fault]:
    is_asked = work.approval is not None or _may_be_asked(checking, work, step)
    if checking.effect(work) is Effect.DESTRUCTIVE and not is_asked:
        what = "is destructive, and neither policy nor definition asks anybody"
        right = "add an approval here, or a rule to the policy"
        yield checking.document.fault((*path, "approval"), what, right)


def _may_be_asked(checking: Checking, work: Step | Undo, step: str) -> bool:
    """Say whether some rule of the policy can apply; without a policy nobody knows."""
    if checking.policy is None:
        return True
    effect = checking.effect(work)
    known = {
        "effect": effect.value if effect else "",
        "workflow": checking.definition.workflow,
        "step": step,
        "action": work.uses,
    }
    return any(rule_environment().may_hold(rule.when, known) for rule in checking.policy.rules)


def _undo_faults(checking: Checking, path: Place, step: Step, undo: Undo) -> Iterator[Fault]:
    yield from _work_faults(checking, path, undo, checking.scopes.after(step.id))
    yield from _effect_faults(checking, path, undo)
    yield from _gate_faults(checking, path, undo, step.id)
    if undo.verify is not None or checking.effect(undo) is Effect.DESTRUCTIVE:
        yield from _undo_verify_faults(checking, path, step, undo)


def _undo_verify_faults(checking: Checking, path: Place, step: Step, undo: Undo) -> Iterator[Fault]:
    if undo.verify is None:
        right = "add verify: a read and what it must show once it is undone"
        yield checking.document.fault((*path, "verify"), "is missing on a destructive undo", right)
        return
    here = (*path, "verify")
    yield from _work_faults(checking, here, undo.verify, checking.scopes.after(step.id))
    environment = checking.scopes.undoing(step.id)
    yield from _expect_faults(checking, here, undo.verify, environment)
