"""The people of a rehearsal: those whom a test names, and nobody's workspace."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from workflows.definition import Definition
from workflows.definition_inputs import FileInput
from workflows.people import Person, PersonId
from workflows.references import FileReference, Reference

TEAM = "slack:T0"


def id_of(handle: str) -> PersonId:
    """Return the external id of whoever is called so."""
    return PersonId(f"{TEAM}:{handle.removeprefix('@')}")


def handle_of(person: PersonId) -> str:
    """Return what a person of a rehearsal is called."""
    return person.removeprefix(f"{TEAM}:")


class Cast:
    """Groups and their members. A name that is no group here is one person of that name."""

    def __init__(self, groups: Mapping[str, Sequence[str]]) -> None:
        self._groups = groups

    def person(self, who: PersonId) -> Person:
        name = handle_of(who)
        return Person(id=who, name=name, handle=name)

    def members(self, name: str, *, max_age: timedelta) -> frozenset[PersonId]:
        del max_age
        return frozenset(id_of(one) for one in self._groups.get(name, (name,)))

    def first(self, names: Sequence[str]) -> PersonId:
        """Return the first person behind the first of these names that has any."""
        everybody = (one for name in names for one in self._groups.get(name, (name,)))
        return id_of(next(everybody, names[0]))


class Believing:
    """Believes every name: a rehearsal has no Slack in which it could be looked up.

    A file is of a type that the workflow takes, so that what a test names never depends on it.
    """

    def __init__(self, definition: Definition) -> None:
        every = [one.types for one in definition.inputs.values() if isinstance(one, FileInput)]
        self._type = next((types[0] for types in every if types), "csv")

    def user(self, named: str) -> Reference:
        return _named(named)

    def group(self, named: str) -> Reference:
        return _named(named)

    def channel(self, named: str) -> Reference:
        return _named(named)

    def file(self, named: str) -> FileReference:
        return FileReference(id=named, name=named, size=1, type=self._type)


def _named(named: str) -> Reference:
    bare = named.lstrip("@#")
    return Reference(id=bare, name=bare)
