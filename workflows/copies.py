"""Finds definitions that nearly say what an earlier one says: bespoke copies."""

import json
from collections.abc import Iterator, Sequence

from workflows.definition import Definition, meaning
from workflows.definition_file import Document
from workflows.fault import Fault
from workflows.near_copies import are_alike, first_alike

ALIKE = 0.9
_OWN = frozenset({"workflow", "title", "description", "owner", "deputy", "run_by", "channel"})


def copies(found: Sequence[tuple[Definition, Document]]) -> Iterator[Fault]:
    """Yield a warning for each definition that nearly repeats an earlier one, the first of them."""
    told = [_told(definition) for definition, _ in found]
    for (_, document), earlier in zip(found, first_alike(told, share=ALIKE), strict=True):
        if earlier is not None:
            name = found[earlier][0].workflow
            yield document.fault(
                ("workflow",),
                f"is nearly a copy of {name}",
                "give that one an input for the difference",
                warning=True,
            )


def is_copy(one: Definition, other: Definition) -> bool:
    """Say whether two definitions nearly say the same."""
    return are_alike(_told(one), _told(other), share=ALIKE)


def _told(definition: Definition) -> list[str]:
    said = {name: one for name, one in meaning(definition).items() if name not in _OWN}
    return json.dumps(said, sort_keys=True, indent=0).splitlines()
