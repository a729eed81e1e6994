"""Who is who in the workspace, read from Slack and kept for as long as the caller allows.

Fills `workflows.people.People`. Whatever cannot be read raises, so the rules fail closed. What
Slack's objects mean stands in `roster`, for how long people are known in `known_people`.
"""

import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NoReturn, TypeVar

from bot.hurry import time_left
from bot.known_people import Asking, KnownPeople, Read, fresh
from bot.roster import Group, Known, called, group, known, named, person_id, slack_user, stranger
from bot.slack_client import SlackClient
from bot.slack_errors import RateLimitedError, RefusedError, SlackError
from bot.wording import Who
from workflows.errors import PeopleUnreadableError
from workflows.people import CLICK_AGE, EFFECT_AGE, Person, PersonId

# Flags of the members of a group: a day, since events drop them sooner and whoever decides is
# read again by `person`. A click could not re-read a hundred people in its second.
FLAGS_AGE, NAMES_AGE = timedelta(days=1), timedelta(minutes=10)
CLICK_LIMIT, WORK_LIMIT = 1.0, 5.0
# From this many unknown people on, listing everybody costs fewer calls than asking for each.
MANY = 20
LATER = "Try again in a moment."
SPELT = "Look how it is spelt."

_USER = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
_GROUP = re.compile(r"<!subteam\^(S[A-Z0-9]+)(?:\|[^>]*)?>")
# How a file names somebody by id: a handle has small letters, and an id begins like this.
_BY_ID = re.compile(r"@([UWS](?:[0-9][A-Z0-9]+|(?=[A-Z]*[0-9])[A-Z0-9]{7,}))")
_UNKNOWN_PERSON = frozenset({"user_not_found", "user_not_visible", "users_not_found"})

T = TypeVar("T")
Look = Callable[[str, Iterable[Known]], list[Known]]


class NobodyKnownError(PeopleUnreadableError):
    """Slack answered, and nobody stands behind the name; asking again would not help."""


@dataclass(slots=True)
class _Shelf:
    """What is known of groups, guarded by the directory's lock."""

    groups: Read[tuple[Group, ...]] | None = None
    groups_dropped: float = float("-inf")
    slow_until: dict[str, float] = field(default_factory=dict)


class Directory:
    """People and groups of one workspace. Safe to share between threads."""

    def __init__(
        self, client: SlackClient, *, team: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.team = team
        self._client = client
        self._admitted: frozenset[str] = frozenset()
        self._clock = clock
        self._shelf = _Shelf()
        self._people = KnownPeople(clock)
        self._guard = threading.Lock()
        # One question to Slack at a time and kind: who waits here takes the answer of the first.
        self._asking_groups = threading.Lock()
        self._asking_names = threading.Lock()

    def admit(self, teams: Iterable[str]) -> None:
        """Let people of these other workspaces count, as the policy says. Nobody else's ever do."""
        self._admitted = frozenset(teams)
        self._people.forget_everybody()

    # --- what the rules ask -----------------------------------------------------------------

    def person(self, who: PersonId) -> Person:
        """Return what is known of `who`, at most ten seconds old.

        Raises:
            PeopleUnreadableError: Slack did not answer, or knows nobody of that id.
        """
        place = slack_user(who)
        if place is None:
            return Person(id=who, name=who.partition(":")[2] or who)
        team, user = place
        try:
            found = self._known(user, max_age=EFFECT_AGE, limit=CLICK_LIMIT)
        except PeopleUnreadableError:
            # All of an organisation are at home, and only Slack can say who else is.
            if team == self.team or self.team.startswith("E"):
                raise
            # Slack shows little of other workspaces; that they are another one's is enough.
            return stranger(who)
        # The id of a user is good in their own workspace; in another one it may be somebody else's.
        return found.person if team in {self.team, *found.teams} else stranger(who)

    def is_outsider(self, who: PersonId) -> bool:
        """Say whether `who` is of another workspace, and none that the policy admits.

        Raises:
            PeopleUnreadableError: as `person`; of those who are at home Slack is not asked.
        """
        place = slack_user(who)
        return place is not None and place[0] != self.team and self.person(who).is_foreign

    def members(self, name: str, *, max_age: timedelta) -> frozenset[PersonId]:
        """Return everybody behind `name`: "@handle", "@U0…", "@S0…", "<@U…>", "<!subteam^S…>".

        Membership is at most `max_age` old, flags a day unless an event dropped them. A click
        (60 s) waits one second for Slack, a worker (10 s) five.

        Raises:
            PeopleUnreadableError: Slack did not answer, or knows no such name.
        """
        name = _mention(name)
        limit = CLICK_LIMIT if max_age >= CLICK_AGE else WORK_LIMIT
        if one := _USER.fullmatch(name):
            return _those_who_count([self._known(one[1], max_age=max_age, limit=limit)])
        found = self._group(name, max_age=max_age, limit=limit)
        if found is None:
            return _those_who_count([self._by_name(name, max_age=max_age, limit=limit)])
        if found.is_disabled:
            raise NobodyKnownError(
                f"The user group {name} is disabled.", hint="Enable it in Slack, or name another."
            )
        return _those_who_count(self._each(found.users, limit=limit))

    def everybody(self, name: str) -> tuple[Person, ...]:
        """Return everybody behind `name`, guests and deactivated accounts too.

        Raises:
            PeopleUnreadableError: Slack did not answer, or knows no such name.
        """
        name = _mention(name)
        if one := _USER.fullmatch(name):
            return (self._known(one[1], max_age=CLICK_AGE, limit=WORK_LIMIT).person,)
        found = self._group(name, max_age=CLICK_AGE, limit=WORK_LIMIT)
        if found is None:
            return (self._by_name(name, max_age=CLICK_AGE, limit=WORK_LIMIT).person,)
        return tuple(one.person for one in self._each(found.users, limit=WORK_LIMIT))

    def one(self, name: str) -> Person:
        """Return the one person behind `name`: "@handle" or "<@U…>", whoever they are.

        Raises:
            PeopleUnreadableError: Slack did not answer, or knows no single person of that name.
        """
        if found := _USER.fullmatch(name):
            return self._known(found[1], max_age=CLICK_AGE, limit=CLICK_LIMIT).person
        if self._group(name, max_age=CLICK_AGE, limit=CLICK_LIMIT) is not None:
            raise PeopleUnreadableError(f"{name} is a group.", hint="Name one person.")
        return self._by_name(name, max_age=CLICK_AGE, limit=CLICK_LIMIT, look=called).person

    def who(self, name: str) -> Who:
        """Return `name` as a live mention for a message, or as it is when it cannot be read."""
        try:
            one = self._one(_mention(name))
            if one is None:
                found = self._group(_mention(name), max_age=NAMES_AGE, limit=CLICK_LIMIT)
                if found is not None:
                    return Who(name=name, group=found.id)
                one = self._by_name(name, max_age=NAMES_AGE, limit=CLICK_LIMIT)
        except PeopleUnreadableError:
            return Who(name=name)
        return Who(name=one.person.name, user=one.user)

    def _one(self, mention: str) -> Known | None:
        found = _USER.fullmatch(mention)
        if found is None:
            return None
        return self._known(found[1], max_age=NAMES_AGE, limit=CLICK_LIMIT)

    # --- what values name -------------------------------------------------------------------

    def find_person(self, name: str) -> Known:
        """Return a person by their id or as "@name"; whoever has that name is looked up.

        Raises:
            NobodyKnownError: Slack knows nobody of that id or name, or several.
            PeopleUnreadableError: Slack did not answer.
        """
        if not name.startswith("@"):
            return self._known(name, max_age=NAMES_AGE, limit=CLICK_LIMIT)
        return self._by_name(name, max_age=NAMES_AGE, limit=CLICK_LIMIT, look=called)

    def find_group(self, name: str) -> Group:
        """Return a user group by its id or as "@handle".

        Raises:
            NobodyKnownError: Slack knows none.
            PeopleUnreadableError: Slack did not answer.
        """
        ident = name if name.startswith("@") else f"<!subteam^{name}>"
        found = self._group(ident, max_age=CLICK_AGE, limit=CLICK_LIMIT)
        return found if found is not None else _unknown(f"Slack knows no user group {name}.")

    def every_group(self) -> tuple[Group, ...]:
        """Return every user group.

        Raises:
            PeopleUnreadableError: Slack did not answer.
        """
        return self._groups(max_age=NAMES_AGE, limit=CLICK_LIMIT)

    # --- what events tell -------------------------------------------------------------------

    def groups_changed(self) -> None:
        """Forget who is in which group: Slack says that it changed."""
        with self._guard:
            self._shelf.groups = None
            # An answer that is on its way may be older than the event.
            self._shelf.groups_dropped = self._clock()

    def person_changed(self, user: Mapping[str, object]) -> None:
        """Forget one person: Slack says that a flag or name of theirs changed."""
        self._people.forget(str(user.get("id", "")))

    # --- groups -----------------------------------------------------------------------------

    def _group(self, name: str, *, max_age: timedelta, limit: float) -> Group | None:
        """Return the group called `name`, None if there is none of that name."""
        by_id = _GROUP.fullmatch(name)
        handle = name.removeprefix("@").casefold()
        found = [
            one
            for one in self._groups(max_age=max_age, limit=limit)
            if (one.id == by_id[1] if by_id else one.handle == handle)
        ]
        if len(found) > 1:
            # A handle is unique in a workspace, not in an organisation of several.
            _refuse(f"{len(found)} user groups are called {name}; name the one you mean by its id.")
        if by_id and not found:
            _unknown(f"Slack knows no user group {name}.")
        return found[0] if found else None

    def _groups(self, *, max_age: timedelta, limit: float) -> tuple[Group, ...]:
        if (found := self._known_groups(max_age)) is not None:
            return found
        if not self._asking_groups.acquire(timeout=in_time(limit)):
            _refuse("Slack did not say in time who belongs to which group.")
        try:
            return self._ask_groups(max_age=max_age, limit=limit)
        finally:
            self._asking_groups.release()

    def _known_groups(self, max_age: timedelta) -> tuple[Group, ...] | None:
        with self._guard:
            return fresh(self._shelf.groups, max_age=max_age, now=self._clock())

    def _ask_groups(self, *, max_age: timedelta, limit: float) -> tuple[Group, ...]:
        if (earlier := self._known_groups(max_age)) is not None:
            return earlier  # Another thread may have asked.
        asked_at = self._clock()
        found = self._ask("usergroups.list", lambda: self._client.groups(timeout=in_time(limit)))
        groups = tuple(group(one) for one in found)
        with self._guard:
            if self._shelf.groups_dropped <= asked_at:
                self._shelf.groups = Read(groups, asked_at)
        return groups

    # --- people -----------------------------------------------------------------------------

    def _known(self, user: str, *, max_age: timedelta, limit: float) -> Known:
        if (earlier := self._people.find(user, max_age=max_age)) is not None:
            return earlier
        with self._people.asking() as asking:
            found = self._ask("users.info", lambda: self._client.user(user, timeout=in_time(limit)))
            one = known(found, team=self.team, admitted=self._admitted)
            self._people.keep([one], asking)
        return one

    def _each(self, users: Iterable[str], *, limit: float) -> list[Known]:
        users = tuple(users)
        until = self._clock() + limit
        missing = [one for one in users if self._people.find(one, max_age=FLAGS_AGE) is None]
        if len(missing) > MANY:
            # What the list does not reach in time is asked for one by one below.
            with suppress(PeopleUnreadableError):
                self._everybody(max_age=timedelta(0), limit=limit / 2)
        found = []
        for user in users:
            left = until - self._clock()
            if left <= 0:
                _refuse("Slack did not say in time who the members of the group are.")
            found.append(self._known(user, max_age=FLAGS_AGE, limit=min(left, limit)))
        return found

    def _by_name(self, name: str, *, max_age: timedelta, limit: float, look: Look = named) -> Known:
        wanted = name.removeprefix("@")
        bearers = look(wanted, self._everybody(max_age=NAMES_AGE, limit=limit))
        if not bearers:
            only = ", and a display name names nobody here" if look is named else ""
            _unknown(
                f"Slack knows no user group or person called {name}{only}.",
                hint="Look how it is spelt; accounts that were deactivated count as nobody.",
            )
        if len(bearers) > 1:
            _unknown(
                f"{len(bearers)} people go by the name {name}.",
                hint="Name the one you mean by their id, such as U012ABC.",
            )
        found = self._known(bearers[0].user, max_age=max_age, limit=limit)
        if not look(wanted, [found]):
            self.person_changed({"id": found.user})
            _unknown(f"Whoever was called {name} has another name now.", hint="Use that name.")
        return found

    def _everybody(self, *, max_age: timedelta, limit: float) -> tuple[Known, ...]:
        if not self._asking_names.acquire(timeout=in_time(limit)):
            _refuse("Slack did not list its people in time.")
        try:
            earlier = self._people.everybody(max_age=max_age)
            return earlier if earlier is not None else self._list_everybody(limit)
        finally:
            self._asking_names.release()

    def _list_everybody(self, limit: float) -> tuple[Known, ...]:
        with self._people.asking() as asking:
            return self._read_list(asking, limit)

    def _read_list(self, asking: Asking, limit: float) -> tuple[Known, ...]:
        found: list[Known] = []
        pages = self._client.users(timeout=in_time(limit))
        while (page := self._ask("users.list", lambda: next(pages, None))) is not None:
            read = [known(one, team=self.team, admitted=self._admitted) for one in page]
            found += read
            self._people.keep(read, asking)
            if self._clock() - asking.asked_at > limit:
                _refuse("Slack did not list its people in time.")
        self._people.keep_list(tuple(found), asking)
        return tuple(found)

    # --- asking -----------------------------------------------------------------------------

    def _ask(self, method: str, call: Callable[[], T]) -> T:
        if self._clock() < self._shelf.slow_until.get(method, float("-inf")):
            _refuse("Slack asked us to wait before the next look at people and groups.")
        try:
            return call()
        except RateLimitedError as error:
            self._shelf.slow_until[method] = self._clock() + error.after
            _refuse("Slack asked us to wait before the next look at people and groups.", error)
        except SlackError as error:
            if isinstance(error, RefusedError) and error.code in _UNKNOWN_PERSON:
                _unknown("Slack knows no such person.", error)
            _refuse(_why(error), error)


def _mention(name: str) -> str:
    """Return a name that is an id as Slack's text writes it, any other as it is."""
    found = _BY_ID.fullmatch(name)
    if found is None:
        return name
    return f"<!subteam^{found[1]}>" if found[1].startswith("S") else f"<@{found[1]}>"


def in_time(limit: float) -> float:
    """Return for how long Slack may be asked now.

    Raises:
        PeopleUnreadableError: whoever waits for the answer has no time left for it.
    """
    left = time_left(limit)
    if left <= 0:
        _refuse("Slack is slow, and did not say in time who is who.")
    return left


def _why(error: SlackError) -> str:
    if error.code == "plan_upgrade_required":
        return "This Slack plan has no user groups; a policy has to name people instead."
    return f"Slack could not be asked about people just now ({error.code})."


def _refuse(message: str, cause: Exception | None = None) -> NoReturn:
    raise PeopleUnreadableError(message, hint=LATER) from cause


def _unknown(message: str, cause: Exception | None = None, *, hint: str = SPELT) -> NoReturn:
    raise NobodyKnownError(message, hint=hint) from cause


def _those_who_count(people: Iterable[Known]) -> frozenset[PersonId]:
    return frozenset(one.person.id for one in people if one.person.counts)


__all__ = ["Directory", "person_id", "slack_user"]
