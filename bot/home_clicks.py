"""What people do on their Home tab itself: open it, turn a section, change their settings.

The buttons of what stands there are those of its cards, and their listeners are the same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.desk import Desk
from bot.payloads import Event, Interaction
from bot.places import moment_of_ts
from bot.roster import person_id
from bot.views.app_home import read_turn
from bot.views.home_settings import chosen, settings_modal
from storage.home_values import HomeReader, Told
from storage.listing import refs_of
from workflows.entry import Ref
from workflows.people import PersonId

CLOSE: Mapping[str, Any] = {"response_action": "clear"}


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeClicks:
    """The listeners' part in Homes."""

    desk: Desk

    def opened(self, happened: Event) -> None:
        """Have somebody's Home drawn who looks at it now, from its first pages on.

        Raises:
            PeopleUnreadableError: who it is could not be read; Slack delivers the event again.
            StorageError: it was not noted; likewise.
        """
        event = happened.event
        if event.get("tab") != "home":
            return
        person = self.desk.directory.person(person_id(happened.team_id, str(event["user"])))
        if person.is_foreign or person.is_bot:
            return
        view = event.get("view")
        shown = str(view["hash"]) if isinstance(view, dict) and view.get("hash") else None
        with self.desk.store.begin() as unit:
            if not unit.is_repeat(happened.delivery):
                ref = unit.ref(person.id, person.name)
                unit.open_home(ref, shown=shown, at=_moment(event.get("event_ts")))

    def turn(self, click: Interaction) -> None:
        """Show another page of a section."""
        turned, at = read_turn(click.press.said), _moment(click.press.action_ts)
        for ref in self._refs(click.caller.person) if turned is not None else ():
            section, skip = turned or ("", 0)
            self.desk.store.homes.turn(ref, section, skip, at=at)

    def settings(self, click: Interaction) -> None:
        """Open what somebody may choose about their Home and direct messages."""
        reader = self._reader(click.caller.person)
        told = reader.told if reader is not None else Told.ALL
        self.desk.hurried.open(click.trigger_id, settings_modal(told))

    def choose(self, sent: Interaction, _context: Mapping[str, Any]) -> Mapping[str, Any]:
        """Remember what was chosen."""
        told = chosen(sent.sent.state)
        for ref in self._refs(sent.caller.person) if told is not None else ():
            self.desk.store.homes.choose(ref, told or Told.ALL)
        return CLOSE

    def did(self, click: Interaction) -> None:
        """Draw the Home of whoever used a button on it without the usual pause."""
        for ref in self._refs(click.caller.person):
            self.desk.store.homes.hurry(ref)

    def failed(self, click: Interaction) -> None:
        """Draw it anew for somebody who was refused: what they saw may be of the past."""
        for ref in self._refs(click.caller.person):
            self.desk.store.homes.hurry(ref, is_news=True)

    def group_changed(self, happened: Event) -> None:
        """Draw the Homes of those who joined a group or left it."""
        event = happened.event
        # All at home are known under this one; the event names a workspace of an organisation.
        team = self.desk.directory.team
        users = [*_listed(event, "added_users"), *_listed(event, "removed_users")]
        refs = [ref for user in users for ref in self._refs(person_id(team, user))]
        if refs:
            self.desk.store.homes.renew(refs)

    def _refs(self, person: PersonId) -> Iterable[Ref]:
        return refs_of(self.desk.store.database, person)

    def _reader(self, person: PersonId) -> HomeReader | None:
        found = (self.desk.store.homes.reader(ref) for ref in self._refs(person))
        return next((one for one in found if one is not None), None)


def _moment(ts: object) -> datetime | None:
    return moment_of_ts(str(ts)) if ts else None


def _listed(event: Mapping[str, Any], name: str) -> list[str]:
    found = event.get(name)
    return [str(one) for one in found] if isinstance(found, list) else []
