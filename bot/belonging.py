"""Which groups one person belongs to, for a page that is drawn from their point of view."""

from collections.abc import Iterable

from workflows.errors import InterlockError
from workflows.people import CLICK_AGE, People, Person


class Belonging:
    """Asks for each group once. `is_partial` says that one of them could not be read."""

    def __init__(self, people: People, person: Person) -> None:
        self.person = person
        self.is_partial = False
        self._people = people
        self._known: dict[str, bool | None] = {}

    def to_any(self, names: Iterable[str], *, otherwise: bool) -> bool:
        """Say whether the person belongs to one of `names`; `otherwise` if nobody can tell."""
        found = [self._to(name) for name in dict.fromkeys(names)]
        if True in found:
            return True
        return otherwise if None in found else False

    def _to(self, name: str) -> bool | None:
        if name not in self._known:
            self._known[name] = self._asked(name)
        return self._known[name]

    def _asked(self, name: str) -> bool | None:
        try:
            return self.person.id in self._people.members(name, max_age=CLICK_AGE)
        except InterlockError:
            self.is_partial = True
            return None
