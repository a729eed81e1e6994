"""Reads what somebody's Home shows, from their point of view, and builds it.

Only what this person may act on, or asked for themselves, is read. Who belongs to a group is
Slack's to say; where it does not, the page says so, and a click is judged by the engine anyhow.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import Block

from bot.belonging import Belonging
from bot.desk import Desk
from bot.home_owned import Owned
from bot.home_waiting import Waiting
from bot.permitted import seen_by
from bot.roster import slack_user
from bot.run_lines import run_line
from bot.run_reading import RunReader
from bot.schedule_list import ScheduleList
from bot.views.app_home import (
    MOST,
    DelegationLine,
    HomeShown,
    Section,
    Shelf,
    delegations,
    home_view,
    shelf_of,
)
from bot.views.app_home_items import run_item
from bot.views.schedules import in_order, schedule_item
from storage.home_listing import runs_ended, runs_going
from storage.home_values import HomeReader
from workflows.entry import Ref
from workflows.errors import NotAllowedError
from workflows.people import Person

MOST_ENDED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A Home as Slack takes it, and whose it is; something may be missing if `is_partial`."""

    user: str
    view: dict[str, Any]
    is_partial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeReading:
    """Draws Homes. `in_place_of` names those for whom a person decides, `delegated` says so."""

    desk: Desk
    in_place_of: Callable[[Ref], frozenset[Ref]] = lambda _ref: frozenset()
    delegated: Callable[[Ref], Sequence[DelegationLine]] = lambda _ref: ()

    def draw(self, reader: HomeReader) -> Drawn | None:
        """Return the Home of `reader` as it stands now, None for somebody who has none.

        Raises:
            InterlockError: it cannot be read just now.
        """
        who = self.desk.store.person(reader.ref)
        place = slack_user(who) if who is not None else None
        if who is None or place is None:
            return None
        person = self.desk.directory.person(who)
        if person.is_foreign or person.is_bot or person.is_deactivated:
            return None
        belonging = Belonging(self.desk.directory, person)
        shown = self._shown(reader, person, belonging)
        view = home_view(shown).to_dict()
        return Drawn(user=place[1], view=view, is_partial=shown.is_partial)

    def _shown(self, reader: HomeReader, person: Person, belonging: Belonging) -> HomeShown:
        runs = RunReader(
            self.desk.store,
            self.desk.library,
            self.desk.directory,
            workspace_url=self.desk.workspace_url,
        )
        owned = Owned(desk=self.desk, reader=runs, belonging=belonging)
        workflows = owned.workflows()
        if not belonging.is_partial:
            # First, or what changes while the rest is read would be news to nobody.
            self.desk.store.homes.answers_for(reader.ref, [one.workflow for one in workflows])
        waiting = self._waiting(reader, runs, belonging)
        told = self.delegated(reader.ref)
        missing = self._missing_role(person)
        among = frozenset[str]() if missing else seen_by(self.desk, person.id)
        seen = [one for one in workflows if among is None or one.workflow in among]
        return HomeShown(
            at=waiting.now,
            command=self.desk.command,
            waiting=waiting.shelf(_skip(reader, Section.WAITING)) if person.counts else Shelf(),
            reviews=waiting.reviews() if person.counts else (),
            count=waiting.count(),
            said=waiting.said(),
            why_never=person.why_not,
            missing=missing,
            runs=Shelf() if missing else self._runs(reader, among),
            ended=() if missing else self._ended(reader, among),
            owned=Shelf() if missing else owned.shelf(seen, _skip(reader, Section.OWNED)),
            owns=[one.title for one in workflows],
            schedules=Shelf() if missing else self._schedules(reader, person),
            delegations=delegations(told, skip=_skip(reader, Section.DELEGATIONS)),
            is_partial=belonging.is_partial,
        )

    def _missing_role(self, person: Person) -> str:
        """Return why the person may not look at runs; what waits for them they see all the same."""
        try:
            self.desk.roles.admit_viewer(person.id)
        except NotAllowedError as refused:
            return str(refused)
        return ""

    def _waiting(self, reader: HomeReader, runs: RunReader, belonging: Belonging) -> Waiting:
        return Waiting(
            desk=self.desk,
            reader=runs,
            belonging=belonging,
            ref=reader.ref,
            in_place_of=dict(self._givers(reader.ref)),
            now=self.desk.now(),
        )

    def _givers(self, ref: Ref) -> Iterator[tuple[Ref, Belonging]]:
        """Yield those in whose place the person decides, as far as their decisions count."""
        for giver in sorted(self.in_place_of(ref)):
            who = self.desk.store.person(giver)
            person = self.desk.directory.person(who) if who is not None else None
            if person is not None and person.counts:
                yield giver, Belonging(self.desk.directory, person)

    def _runs(self, reader: HomeReader, among: frozenset[str] | None) -> Shelf:
        skip, most = _skip(reader, Section.RUNS), MOST[Section.RUNS] + 1
        database = self.desk.store.database
        found = runs_going(database, reader.ref, among=among, skip=skip, most=most)
        if skip and not found:
            skip, found = 0, runs_going(database, reader.ref, among=among, skip=0, most=most)
        items = [run_item(run_line(self.desk, one)) for one in found]
        return shelf_of(Section.RUNS, items, skip=skip)

    def _ended(self, reader: HomeReader, among: frozenset[str] | None) -> list[list[Block]]:
        found = runs_ended(self.desk.store.database, reader.ref, among=among, most=MOST_ENDED)
        return [run_item(run_line(self.desk, one)) for one in found]

    def _schedules(self, reader: HomeReader, person: Person) -> Shelf:
        """Return the schedules that the person may change: their own, and those they own."""
        lines = ScheduleList(desk=self.desk, reader=person.id).lines()
        mine = [one for one in in_order(lines) if one.may_change]
        skip = _skip(reader, Section.SCHEDULES)
        skip = skip if skip < len(mine) else 0
        return shelf_of(Section.SCHEDULES, [schedule_item(one) for one in mine[skip:]], skip=skip)


def _skip(reader: HomeReader, section: Section) -> int:
    return reader.pages.get(section, 0)
