"""Checks one file against the workflows that are active, before it is put to people.

Beside everything that `check` finds: names that are kept or would be mistaken for another, and
copies of what there is already.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from workflows.actions.publish import CHANGES_OF_THE_CATALOG
from workflows.alike import close_to, mistaken_for
from workflows.check_calls import call_faults
from workflows.check_meaning import meaning_faults
from workflows.copies import is_copy
from workflows.definition import Definition
from workflows.definition_file import Document, unparsed
from workflows.definition_steps import Step
from workflows.errors import DefinitionError, MisleadingNameError
from workflows.fault import Fault
from workflows.loading import read_definition
from workflows.own_workflows import OWN, is_own
from workflows.policy import Policy
from workflows.step_scope import Actions


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """A definition that can be put to people, and what deserves a second look."""

    definition: Definition
    warnings: tuple[Fault, ...]


def check_proposed(
    text: str,
    file: str,
    actions: Actions,
    *,
    policy: Policy,
    among: Sequence[Definition],
    names: Collection[str],
) -> Proposed:
    """Return the definition in `text` as it would stand `among` the active ones.

    `names` are those that were ever active: nobody takes the look of one that was retired.

    Raises:
        MisleadingNameError: its name is not its own.
        DefinitionError: it cannot be used; every fault is named.
    """
    loaded = read_definition(text, file)
    definition, document = loaded.required(), loaded.document
    others = [one for one in among if one.workflow != definition.workflow]
    names_faults = [*_names(definition.workflow, document, names)]
    faults = [
        *meaning_faults(definition, document, actions, policy),
        *_between(definition, document, others),
        *_own_actions(definition, document),
        *names_faults,
    ]
    if any(not one.is_warning for one in faults):
        is_named_wrongly = any(not one.is_warning for one in names_faults)
        error = MisleadingNameError if is_named_wrongly else DefinitionError
        raise error("\n".join(str(one) for one in faults if not one.is_warning))
    return Proposed(definition=definition, warnings=tuple(faults))


def _between(
    definition: Definition, document: Document, others: Sequence[Definition]
) -> Iterator[Fault]:
    placeless = [(one, unparsed("")) for one in others]
    found = call_faults([(definition, document), *placeless])
    yield from (one for one in found if one.file == document.file)
    for other in others:
        if is_copy(definition, other):
            yield document.fault(
                ("workflow",),
                f"is nearly a copy of {other.workflow}",
                "give that one an input for the difference",
                warning=True,
            )


def _own_actions(definition: Definition, document: Document) -> Iterator[Fault]:
    for node in definition.outline.values():
        if isinstance(node.step, Step) and node.step.uses in CHANGES_OF_THE_CATALOG:
            what = f"{node.step.uses} is for Interlock's own workflows"
            yield document.fault((*node.path, "uses"), what, "propose it with `interlock publish`")


def _names(name: str, document: Document, names: Collection[str]) -> Iterator[Fault]:
    if is_own(name):
        what = f"names that begin with {OWN} are Interlock's own"
        yield document.fault(("workflow",), what, "choose another")
    if name in names:
        return
    same = mistaken_for(name, names)
    if same is not None:
        what = f"would be mistaken for {same}"
        yield document.fault(("workflow",), what, "choose a name that looks different")
    elif (near := close_to(name, names)) is not None:
        what = f"is nearly called like {near}"
        right = "make sure that people see which is which"
        yield document.fault(("workflow",), what, right, warning=True)
