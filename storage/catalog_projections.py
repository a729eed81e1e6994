"""What entries about the catalog state: versions, what is active, the policy. As `projections`."""

from collections.abc import Callable, Iterable, Mapping

from storage.change import Change, Update, Upsert
from storage.role_projections import level_set
from workflows.entry import Entry


def _published(entry: Entry) -> Iterable[Change]:
    yield Upsert(
        "definition_version",
        {"version": entry.data["version"]},
        {
            "workflow": entry.data["workflow"],
            "published_at": entry.at,
            "published_by": entry.actor.ref,
        },
    )


def _activated(entry: Entry) -> Iterable[Change]:
    yield Upsert(
        "active_definition",
        {"workflow": entry.data["workflow"]},
        {
            "version": entry.data["version"],
            "level": entry.data["level"],
            "activated_at": entry.at,
            "retired_at": None,
        },
    )
    yield level_set(entry, entry.data["level"])


def _retired(entry: Entry) -> Iterable[Change]:
    yield Update(
        "active_definition",
        {"workflow": entry.data["workflow"], "version": entry.data["version"]},
        {"retired_at": entry.at},
    )


def _level_changed(entry: Entry) -> Iterable[Change]:
    yield Update(
        "active_definition",
        {"workflow": entry.data["workflow"], "version": entry.data["version"]},
        {"level": entry.data["to"]},
    )
    yield level_set(entry, entry.data["to"])


def _policy_changed(entry: Entry) -> Iterable[Change]:
    yield Upsert(
        "active_policy",
        {"name": entry.data["name"]},
        {"version": entry.data["after"], "changed_at": entry.at},
    )


CATALOG_STATED: Mapping[str, Callable[[Entry], Iterable[Change]]] = {
    "workflow.published": _published,
    "workflow.activated": _activated,
    "workflow.retired": _retired,
    "workflow.level_changed": _level_changed,
    "policy.changed": _policy_changed,
}
