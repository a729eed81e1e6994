"""An entry of every kind, in the forms of others, has what their published schemas require.

What they require is repeated here as short tables: of OCSF from `ocsf/ocsf-schema` at its tag
1.3.0 (`events/base_event.json`, `events/iam/entity_management.json`, `objects/`, `includes/`,
`dictionary.json`), of CloudEvents from the JSON Schema of `cloudevents/spec` 1.0.2.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from storage.evidence.derived.cloudevents import cloud_event
from storage.evidence.derived.ocsf import ocsf_event
from storage.evidence.derived.sealed import Sealed
from workflows.kinds import KINDS, OUTSIDE

ORIGIN = "interlock.example/audit/T0ABC"
NOON = "2026-03-02T12:00:00.000Z"
PERSON, BOT = {"t": "user", "ref": "s:" + "a" * 32}, {"t": "bot", "ref": "interlock"}
BROKEN = Sealed(idx=7, id="ab", ts="x", kind="gone", line="no json", members={})
# Every attribute that we write, with its type; those with a star are required.
OCSF: Mapping[str, Mapping[str, type]] = {
    "": {
        "activity_id*": int,
        "activity_name": str,
        "actor": dict,
        "category_uid*": int,
        "class_uid*": int,
        "entity*": dict,
        "message": str,
        "metadata*": dict,
        "raw_data": str,
        "severity_id*": int,
        "status_id": int,
        "time*": int,
        "type_uid*": int,
        "unmapped": dict,
    },
    "metadata": {
        "event_code": str,
        "log_name": str,
        "product*": dict,
        "sequence": int,
        "uid": str,
        "version*": str,
    },
    "metadata.product": {"name": str, "vendor_name*": str},
    "entity": {"type": str, "type_id": int, "uid*": str},  # Of name, uid and others one at least.
    "actor": {"app_name": str, "user": dict},
    "actor.user": {"type_id": int, "uid*": str},  # Of account, name and uid one at least.
}
ALLOWED = {
    "activity_id": {*range(14), 99},
    "category_uid": {3},
    "class_uid": {3004},
    "severity_id": {*range(7), 99},
    "status_id": {0, 1, 2, 99},
    "entity.type_id": {*range(7), 99},
    "actor.user.type_id": {0, 1, 2, 3, 99},
}
CLOUD_EVENT: Mapping[str, type] = {
    "id*": str,
    "source*": str,
    "specversion*": str,
    "type*": str,
    "datacontenttype": str,
    "subject": str,
    "time": str,
    "data": object,
    "sequence": str,  # An extension; they are strings, numbers or truth values.
}
ATTRIBUTE = re.compile(r"[a-z0-9]{1,20}")
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def of(kind: str, *, actor: Mapping[str, str]) -> Sealed:
    """Return an entry of that kind in which every field says something."""
    known = KINDS[kind]
    fields = sorted(known.required | known.optional)
    members = {
        "actor": dict(actor),
        "data": dict.fromkeys(fields, "x"),
        "run": None if known.place is OUTSIDE else "r1",
    }
    return Sealed(idx=3, id="0" * 32, ts=NOON, kind=kind, line="{}", members=members)


EVERY = [*(of(kind, actor=who) for kind in sorted(KINDS) for who in (PERSON, BOT)), BROKEN]


def faults(found: Mapping[str, Any], wanted: Mapping[str, type], *, at: str = "") -> list[str]:
    """Return the attributes that are missing, unknown or of another type."""
    types = {name.rstrip("*"): kind for name, kind in wanted.items()}
    required = {name[:-1] for name in wanted if name.endswith("*")}
    return [
        *(f"{at}{name} is missing" for name in sorted(required - found.keys())),
        *(f"{at}{name} is unknown" for name in sorted(found.keys() - types.keys())),
        *(
            f"{at}{name} is no {types[name].__name__}"
            for name in sorted(found.keys() & types.keys())
            if not isinstance(found[name], types[name]) or found[name] == ""
        ),
    ]


def at(event: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 - any JSON.
    """Return what stands at a path in an event, None if nothing does."""
    found: Any = event
    for name in filter(None, path.split(".")):
        found = found.get(name) if isinstance(found, dict) else None
    return found


@pytest.mark.parametrize("entry", EVERY, ids=lambda one: f"{one.kind} {one.actor.get('t', '')}")
def test_an_entry_of_any_kind_is_an_event_of_the_schemas(entry: Sealed) -> None:
    event = json.loads(ocsf_event(entry, ORIGIN))
    objects = {path: at(event, path) for path in OCSF}
    told = {path: at(event, path) for path in ALLOWED}
    cloud = json.loads(cloud_event(entry, ORIGIN))

    assert [
        fault
        for path, wanted in OCSF.items()
        if objects[path] is not None
        for fault in faults(objects[path], wanted, at=path)
    ] == []
    assert {path for path, one in told.items() if one not in {None, *ALLOWED[path]}} == set()
    assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
    assert event["actor"].keys() & {"user", "app_name"}  # One at least.
    assert faults(cloud, CLOUD_EVENT) == []
    assert all(ATTRIBUTE.fullmatch(name) for name in cloud)
    assert urlsplit(cloud["source"]).netloc
    if "time" in cloud:
        assert RFC_3339.fullmatch(cloud["time"])
        datetime.fromisoformat(cloud["time"])


def test_what_the_schema_has_a_number_for_is_told_by_it() -> None:
    about = {one.kind: json.loads(ocsf_event(one, ORIGIN))["entity"] for one in EVERY}

    assert about["policy.changed"] == {"type": "Policy", "type_id": 5, "uid": "x"}
    assert about["step_up.reset"] == {"type": "User", "type_id": 2, "uid": "x"}
    assert about["run.started"] == {"type": "run", "type_id": 99, "uid": "r1"}
