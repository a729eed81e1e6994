"""Slack's user and user-group objects as the values our rules ask about.

Pure: what Slack answered goes in, people and groups come out. Asking is for `directory`.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from workflows.people import Person, PersonId

SLACKBOT = "USLACKBOT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A user group of the workspace, and the ids of the users in it."""

    id: str
    handle: str
    is_disabled: bool
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A person and the names by which a definition may call them.

    `teams` are the workspaces of which Slack says that they are this very person's.
    """

    person: Person
    user: str
    handle: str
    display_name: str
    teams: frozenset[str] = frozenset()


def person_id(team: str, user: str) -> PersonId:
    """Return how the product names a Slack user."""
    return PersonId(f"slack:{team}:{user}")


def slack_user(who: PersonId) -> tuple[str, str] | None:
    """Return team and user of a person from Slack, None for anybody else."""
    kind, _, rest = who.partition(":")
    team, _, user = rest.partition(":")
    return (team, user) if kind == "slack" and team and user else None


def stranger(who: PersonId) -> Person:
    """Return somebody of whom nothing is known but that they are of another workspace."""
    return Person(id=who, name="someone of another workspace", is_foreign=True)


def known(user: Mapping[str, Any], *, team: str, admitted: AbstractSet[str] = frozenset()) -> Known:
    """Return what `user` says, seen from `team`, a workspace or an organisation.

    People of the workspaces in `admitted` count like those at home.
    """
    profile = user.get("profile", {})
    display = str(profile.get("display_name") or "")
    home = _home(user, team)
    is_away = bool(user.get("is_stranger")) or home != team
    return Known(
        user=str(user["id"]),
        handle=str(user.get("name") or "").casefold(),
        display_name=display.casefold(),
        teams=_teams(user) | {home},
        person=Person(
            id=person_id(home, str(user["id"])),
            name=display or str(profile.get("real_name") or user.get("name") or user["id"]),
            # Never the display name, under which anybody could pass for another.
            handle=str(user.get("name") or user["id"]).casefold(),
            is_bot=_is_bot(user),
            is_guest=bool(user.get("is_restricted") or user.get("is_ultra_restricted")),
            is_deactivated=bool(user.get("deleted")),
            is_foreign=is_away and home not in admitted,
            is_admitted=is_away and home in admitted,
            timezone=str(user.get("tz") or "UTC"),
        ),
    )


def _home(user: Mapping[str, Any], team: str) -> str:
    # Somebody of an Enterprise Grid belongs to every workspace that `teams` lists, and to the
    # organisation: one identity there, in whichever of its workspaces they click.
    grid = user.get("enterprise_user", {})
    is_ours = team in grid.get("teams", ()) or team == grid.get("enterprise_id")
    return team if is_ours else str(user.get("team_id") or team)


def _teams(user: Mapping[str, Any]) -> frozenset[str]:
    grid = user.get("enterprise_user", {})
    found = (user.get("team_id"), grid.get("enterprise_id"), *grid.get("teams", ()))
    return frozenset(str(one) for one in found if one)


def _is_bot(user: Mapping[str, Any]) -> bool:
    return bool(user.get("is_bot") or user.get("is_workflow_bot")) or user["id"] == SLACKBOT


def group(found: Mapping[str, Any]) -> Group:
    """Return what an entry of `usergroups.list` says."""
    return Group(
        id=str(found["id"]),
        handle=str(found.get("handle") or "").casefold(),
        is_disabled=bool(found.get("date_delete")),
        users=tuple(str(one) for one in found.get("users", ())),
    )


def named(name: str, people: Iterable[Known]) -> list[Known]:
    """Return whose user name is `name`; Slack gives it, and there is one in a workspace.

    Whoever may do or decide something is named so. By a display name, which anybody may give
    themselves, they could become those whom a policy names and who are there no more.
    """
    wanted = name.casefold()
    return [one for one in people if not one.person.is_deactivated and one.handle == wanted]


def called(name: str, people: Iterable[Known]) -> list[Known]:
    """Return who goes by `name`: by user name, else by display name.

    That is for names that a person typed, who then sees whom it is about. More than one bearer
    is for the caller to refuse.
    """
    people = tuple(people)
    wanted = name.casefold()
    shown = (one for one in people if not one.person.is_deactivated and one.display_name == wanted)
    return named(name, people) or list(shown)
