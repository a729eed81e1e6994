"""The list of schedules for one reader, with the buttons of those they may change."""

from dataclasses import dataclass, field

from bot.desk import Desk
from bot.firings import next_firing
from bot.schedules import KnownSchedule, known_schedules
from bot.views.pieces import Rendered
from bot.views.schedules import ScheduleLine, schedule_list
from bot.when_words import rhythm_told
from bot.wording import Who, who_of
from storage.listing import people_of, refs_of
from storage.published import active_version
from storage.schedules import live_schedules
from workflows.definition import Definition
from workflows.entry import Ref
from workflows.errors import InterlockError
from workflows.people import CLICK_AGE, PersonId


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleList:
    """What `reader` is shown."""

    desk: Desk
    reader: PersonId
    _owners: dict[str, frozenset[PersonId]] = field(default_factory=dict)

    def shown(self, *, page: int) -> Rendered:
        """Return a page of the schedules that have not ended."""
        return schedule_list(self.lines(), page=page, name=self.desk.command)

    def lines(self) -> list[ScheduleLine]:
        """Return the schedules that have not ended, each with what the reader may do to it.

        Of workflows whose runs the reader may not see, only those that they may change.
        """
        database = self.desk.store.database
        known = known_schedules(self.desk.library.definitions(), live_schedules(database))
        refs = sorted({str(ref) for one in known if (ref := _setter(one)) is not None})
        named = people_of(database, refs)
        mine = refs_of(database, self.reader)
        people = {ref: who_of(*found) for ref, found in named.items()}
        sight = self.desk.roles.sight(self.reader)
        lines = [self._line(one, people, mine) for one in known]
        return [one for one in lines if one.may_change or one.workflow in sight]

    def _line(
        self, known: KnownSchedule, people: dict[str, Who], mine: frozenset[Ref]
    ) -> ScheduleLine:
        setter = _setter(known)
        is_there = known.definition is not None or self._is_active(known.workflow)
        may = setter in mine or self.reader in self._responsible(known.definition)
        return ScheduleLine(
            id=known.id,
            title=known.title,
            workflow=known.workflow,
            rhythm=rhythm_told(known.when),
            next_at=None if known.is_paused else next_firing(known.when, after=self.desk.now()),
            is_paused=known.is_paused,
            who=people.get(setter, Who(name="somebody")) if setter is not None else None,
            may_change=may,
            may_delete=may and not known.is_definitions,
            is_retired=not is_there,
            is_unreadable=is_there and known.definition is None,
        )

    def _is_active(self, workflow: str) -> bool:
        return active_version(self.desk.store.database, workflow) is not None

    def _responsible(self, definition: Definition | None) -> frozenset[PersonId]:
        found = frozenset[PersonId]()
        governors = self.desk.roles.policy.governors
        names = governors if definition is None else (definition.owner, definition.deputy)
        for name in names:
            found |= self._members(name)
        return found

    def _members(self, name: str) -> frozenset[PersonId]:
        if name not in self._owners:
            try:
                self._owners[name] = self.desk.directory.members(name, max_age=CLICK_AGE)
            except InterlockError:
                self._owners[name] = frozenset()  # Only shown; who clicks is read again.
        return self._owners[name]


def _setter(known: KnownSchedule) -> Ref | None:
    return known.row.set_by if known.row is not None and not known.is_definitions else None
