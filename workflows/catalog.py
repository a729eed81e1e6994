"""Finds a definition by its name, among those that were read from files and are sound."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self

from workflows.check import NOTHING, check, readable
from workflows.definition import Definition
from workflows.errors import UnknownWorkflowError
from workflows.fault import Fault, nearest
from workflows.policy import Policy
from workflows.read_before import ReadBefore
from workflows.step_scope import Actions

EMPTY: Final[Mapping[str, str]] = MappingProxyType({})
NONE_READ = "No workflow has been read yet; put its file into the folder of workflow files."


class Catalog:
    """The workflows people can start, each name once. `faults` says what was left out and why.

    `files` says where each of them stands, if it was read from a file.
    """

    def __init__(
        self,
        definitions: Iterable[Definition],
        faults: Sequence[Fault] = (),
        files: Mapping[str, str] = EMPTY,
    ) -> None:
        """Of two definitions with one name the first counts."""
        self._by_name: dict[str, Definition] = {}
        for one in definitions:
            self._by_name.setdefault(one.workflow, one)
        self.faults = tuple(faults)
        self.files = files

    @classmethod
    def load(
        cls,
        paths: Sequence[Path],
        actions: Actions,
        policy: Policy | None = None,
        *,
        is_known: Callable[[str], bool] = lambda _: False,
        before: ReadBefore = NOTHING,
    ) -> Self:
        """Return the catalog of the sound definitions in `paths`, with all faults.

        A version that `is_known` to be sound under this policy is not checked again, and not
        even parsed where its text was read `before`.
        """
        report = check(paths, actions, policy, is_known=is_known, before=before)
        return cls(report.definitions, report.faults, report.files)

    @classmethod
    def read(cls, paths: Sequence[Path], before: ReadBefore = NOTHING) -> Self:
        """Return what stands in `paths` as far as it can be read, checked no closer."""
        found, faults = readable(paths, before)
        files = {one.workflow: document.file for one, document in reversed(found)}
        return cls((one for one, _ in found), faults, files)

    def names(self) -> tuple[str, ...]:
        """Return every name, in order of the alphabet."""
        return tuple(sorted(self._by_name))

    def definitions(self) -> tuple[Definition, ...]:
        """Return every definition, in order of their names."""
        return tuple(self._by_name[name] for name in self.names())

    def find(self, name: str) -> Definition:
        """Return the definition of that name.

        Raises:
            UnknownWorkflowError: there is none; the nearest name is suggested.
        """
        found = self._by_name.get(name)
        if found is not None:
            return found
        raise no_workflow(name, self._by_name, otherwise=NONE_READ)


def no_workflow(name: str, known: Collection[str], *, otherwise: str = "") -> UnknownWorkflowError:
    """Return the refusal of a name that leads to the nearest of `known`, or to all of them."""
    names = sorted(known)
    near = nearest(name, names)
    there = f"There are: {', '.join(names)}." if names else otherwise
    hint = f"Did you mean {near}?" if near else there
    return UnknownWorkflowError(f"There is no workflow called {name!r}.", hint=hint, name=name)
