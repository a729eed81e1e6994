"""Entries as events of the Open Cybersecurity Schema Framework, version 1.3.0.

All are of the class Entity Management (3004): somebody did something with a run, a definition,
the policy, a key. What the schema has no word for is the activity Other, named by the kind.
"""

from collections.abc import Mapping
from datetime import datetime

from storage.evidence.derived.sealed import Sealed
from workflows.binding import canonical
from workflows.entry import Json

VERSION = "1.3.0"
CATEGORY, CLASS = 3, 3004
CREATE, UPDATE, DELETE, OTHER = 1, 3, 4, 99
NAMES = {CREATE: "Create", UPDATE: "Update", DELETE: "Delete"}
ACTIVITY: Mapping[str, int] = {
    "run.started": CREATE,
    "workflow.published": CREATE,
    "workflow.activated": UPDATE,
    "workflow.level_changed": UPDATE,
    "workflow.retired": DELETE,
    "policy.changed": UPDATE,
    "role.granted": UPDATE,
    "role.revoked": UPDATE,
    "key.add": CREATE,
    "key.retire": DELETE,
    "key.revoke": DELETE,
    "token.created": CREATE,
    "token.revoked": DELETE,
    "schedule.set": CREATE,
    "schedule.deleted": DELETE,
    "secret.set": CREATE,
    "secret.rotated": UPDATE,
    "secret.forgotten": DELETE,
    "erasure": DELETE,
    "retention.sweep": DELETE,
}
INFORMATIONAL, LOW, MEDIUM, HIGH = 1, 2, 3, 4
SEVERITY: Mapping[str, int] = {
    "approval.denied": LOW,
    "approval.expired": LOW,
    "approval.refused": MEDIUM,
    "proposal.refused": MEDIUM,
    "step_up.refused": MEDIUM,
    "action.failed": MEDIUM,
    "action.in_doubt": MEDIUM,
    "verification.failed": HIGH,
    "verification.unknown": MEDIUM,
    "break_glass.used": HIGH,
    "key.revoke": HIGH,
    "policy.changed": MEDIUM,
}
SUCCESS, FAILURE = 1, 2
FAILED = frozenset(
    {
        "action.failed",
        "approval.refused",
        "proposal.refused",
        "step_up.refused",
        "verification.failed",
    }
)
# What an entry outside of a run is about: the sort of thing, and the field that names it.
ABOUT: Mapping[str, tuple[str, str]] = {
    "workflow": ("workflow", "workflow"),
    "policy": ("policy", "name"),
    "role": ("role", "role"),
    "key": ("key", "id"),
    "token": ("token", "token"),
    "schedule": ("schedule", "schedule"),
    "secret": ("secret", "secret"),
    "step_up": ("person", "person"),
    "hold": ("hold", "hold"),
    "approval": ("run", "by_run"),
}


# How the schema knows an entity: by a number, under a name of its own; else it is Other.
OTHER_ENTITY = 99
ENTITIES: Mapping[str, tuple[str, int]] = {"person": ("User", 2), "policy": ("Policy", 5)}


def ocsf_event(entry: Sealed, origin: str) -> bytes:
    """Return one event; `raw_data` is the signed line."""
    activity = ACTIVITY.get(entry.kind, OTHER)
    event: dict[str, Json] = {
        "activity_id": activity,
        "activity_name": NAMES.get(activity, entry.kind),
        "actor": _actor(entry),
        "category_uid": CATEGORY,
        "class_uid": CLASS,
        "entity": _entity(entry, origin),
        "message": entry.kind,
        "metadata": {
            "event_code": entry.kind,
            "log_name": origin,
            "product": {"name": "Interlock", "vendor_name": "Interlock"},
            "sequence": entry.idx,
            "uid": entry.id,
            "version": VERSION,
        },
        "raw_data": entry.line,
        "severity_id": SEVERITY.get(entry.kind, INFORMATIONAL),
        "status_id": FAILURE if entry.kind in FAILED else SUCCESS,
        "time": _milliseconds(entry.ts),
        "type_uid": CLASS * 100 + activity,
        "unmapped": dict(entry.data),
    }
    return canonical(event)


def _actor(entry: Sealed) -> dict[str, Json]:
    ref = str(entry.actor.get("ref", ""))
    if entry.actor.get("t") == "user":
        return {"user": {"type_id": 1, "uid": ref}}
    return {"app_name": ref or "unknown"}


def _entity(entry: Sealed, origin: str) -> dict[str, Json]:
    run = entry.members.get("run")
    if isinstance(run, str):
        return {"type": "run", "type_id": OTHER_ENTITY, "uid": run}
    sort, field = ABOUT.get(entry.kind.partition(".")[0], ("log", ""))
    named = entry.data.get(field)
    word, number = ENTITIES.get(sort, (sort, OTHER_ENTITY))
    uid = named if isinstance(named, str) and named else origin
    return {"type": word, "type_id": number, "uid": uid}


def _milliseconds(ts: str) -> int:
    try:
        return round(datetime.fromisoformat(ts).timestamp() * 1000)
    except ValueError:
        return 0
