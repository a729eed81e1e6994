"""What entries about roles and levels state, as changes of the tables. Pure, as `projections`."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from storage.change import Change, Update, Upsert
from workflows.entry import Entry

NOT_BOUND = "This role is not bound so; nothing was recorded."


def role_granted(entry: Entry) -> Iterable[Change]:
    """The policy bound a role to a group or person, for the first time or again."""
    yield Upsert("role_binding", _binding(entry), {"granted_at": entry.at, "revoked_at": None})


def role_revoked(entry: Entry) -> Iterable[Change]:
    """The policy binds it no more."""
    live = {**_binding(entry), "revoked_at": None}
    yield Update("role_binding", live, {"revoked_at": entry.at}, NOT_BOUND)


def level_set(entry: Entry, level: object) -> Change:
    """A version of a workflow begins at a level, or reaches another."""
    values = {"workflow": entry.data["workflow"], "level": level, "changed_at": entry.at}
    return Upsert("version_level", {"version": entry.data["version"]}, values)


def _binding(entry: Entry) -> Mapping[str, Any]:
    return {
        "role": entry.data["role"],
        "bound_to": entry.data["to"],
        "scope": entry.data["scope"],
    }


ROLES_STATED: Mapping[str, Callable[[Entry], Iterable[Change]]] = {
    "role.granted": role_granted,
    "role.revoked": role_revoked,
}
