"""Checks what a definition means together with actions and policy, once its form is right.

`check` imports it with the first file that is not known to be sound: a start on known files
holds none of what it takes.
"""

from collections.abc import Iterator

from workflows.check_arguments import text_faults
from workflows.check_model import model_faults
from workflows.check_options import option_faults
from workflows.check_secrets import secret_faults
from workflows.check_steps import Checking, step_faults
from workflows.check_triggers import trigger_faults
from workflows.definition import Definition
from workflows.definition_file import Document
from workflows.fault import Fault
from workflows.lint import lint
from workflows.own_workflows import ACCESS_REVIEW
from workflows.policy import Policy
from workflows.step_scope import Actions, StepScopes


def meaning_faults(
    definition: Definition, document: Document, actions: Actions, policy: Policy | None
) -> list[Fault]:
    """Return what is wrong with the meaning of a definition that has no fault of form."""
    checking = Checking(
        definition=definition,
        document=document,
        actions=actions,
        policy=policy,
        scopes=StepScopes(definition, actions, is_lenient=True),
    )
    faults = [*_own_name(checking), *_lock_faults(checking)]
    faults += [*trigger_faults(checking), *option_faults(checking), *secret_faults(checking)]
    for node in definition.outline.values():
        faults += [*step_faults(checking, node), *model_faults(checking, node)]
    if not faults:
        faults += lint(checking)
    return sorted(faults, key=lambda one: (one.line, one.column))


def _own_name(checking: Checking) -> Iterator[Fault]:
    """Yield that a file takes the name under which the product has governors sign."""
    if checking.definition.workflow == ACCESS_REVIEW:
        what = "is the name of a workflow that comes from no file"
        yield checking.document.fault(("workflow",), what, "choose another name")


def _lock_faults(checking: Checking) -> Iterator[Fault]:
    lock = checking.definition.lock
    if lock is not None:
        yield from text_faults(checking.document, ("lock",), lock, checking.scopes.start())
