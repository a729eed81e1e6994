"""Roles and levels as tables: they follow the entries, and the migration tells levels of before."""

import importlib.util
from datetime import datetime
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import text, update

import storage.migrations
from storage.last_uses import LastUse, last_uses
from storage.levels import heal_levels
from storage.published import bound_roles
from storage.rebuild import check_projections
from storage.run_models import VersionLevelRecord
from storage.store import SqlStore
from tests.storage.run_drafts import HandClock, new_run, requested, started, user, verdict
from workflows.entry import INTERLOCK, Actor, ActorKind, Draft, Json
from workflows.errors import StorageError
from workflows.own_workflows import PUBLISH
from workflows.people import PersonId
from workflows.policy_roles import Binding, Role
from workflows.soak import Level

ANA, BEN = PersonId("slack:T0:U0ANA"), PersonId("slack:T0:U0BEN")
OLD, NEW = "a" * 64, "b" * 64


def record(store: SqlStore, kind: str, **data: Json) -> None:
    with store.begin() as unit:
        unit.append(Draft(kind=kind, actor=INTERLOCK, data=data))


def activate(store: SqlStore, version: str, **more: Json) -> None:
    data: dict[str, Json] = {"workflow": "one", "version": version}
    people: dict[str, Json] = {"owner": "@o", "deputy": "@d", "actions": "0" * 64}
    record(store, "workflow.published", **data, **people)
    record(store, "workflow.activated", **data, **more, replaces=None, level="trial")


def test_what_the_release_before_made_active_is_on_trial_and_its_level_is_made_up_for(
    store: SqlStore, clock: HandClock
) -> None:
    activate(store, OLD)
    changed: dict[str, Json] = {"from": "trial", "to": "unattended", "reason": "earned"}
    record(store, "workflow.level_changed", workflow="one", version=OLD, **changed)
    earned_at = clock()
    clock.forward(minutes=1)
    activate(store, NEW)
    clock.forward(minutes=1)
    again: dict[str, Json] = {"workflow": "one", "version": OLD, "replaces": NEW}
    record(store, "workflow.activated", **again, level="trial")
    with store.database.begin() as tx:  # As that one left it, which knows no such table.
        tx.connection.execute(text(f"DELETE FROM version_level WHERE version = '{NEW}'"))
        kept = {"level": "unattended", "changed_at": earned_at}
        tx.connection.execute(update(VersionLevelRecord).values(kept))
    before = check_projections(store.database)
    healed = heal_levels(store.database)

    assert {one.table for one in before} == {"version_level"}
    assert healed == 1
    assert check_projections(store.database) == []
    assert heal_levels(store.database) == 0


def test_a_version_without_a_row_of_its_level_is_on_trial_since_it_is_active(
    store: SqlStore,
) -> None:
    activate(store, OLD)
    told = store.soak(OLD, most=1)
    with store.database.begin() as tx:
        tx.connection.execute(text("DELETE FROM version_level"))

    assert told is not None
    assert store.soak(OLD, most=1) == told
    assert told.level is Level.TRIAL


def test_a_role_is_bound_until_it_is_revoked(store: SqlStore) -> None:
    bound: dict[str, Json] = {"role": "runner", "to": "@support", "scope": "*"}
    record(store, "role.granted", **bound)
    record(store, "role.granted", **{**bound, "role": "auditor"})
    record(store, "role.revoked", **bound)

    with store.database.read() as connection:
        assert bound_roles(connection) == {Binding(role=Role.AUDITOR, to="@support")}
    assert check_projections(store.database) == []
    with pytest.raises(StorageError, match="not bound so"):
        record(store, "role.revoked", **bound)


def test_a_version_keeps_its_level_when_another_takes_its_place(store: SqlStore) -> None:
    activate(store, OLD)
    changed: dict[str, Json] = {"from": "trial", "to": "unattended", "reason": "earned"}
    record(store, "workflow.level_changed", workflow="one", version=OLD, **changed)
    activate(store, NEW)

    assert [soak.level for one in (OLD, NEW) if (soak := store.soak(one, most=1))] == [
        Level.UNATTENDED,
        Level.TRIAL,
    ]
    assert check_projections(store.database) == []


def test_the_migration_tells_the_levels_of_versions_there_are(store: SqlStore) -> None:
    activate(store, OLD)
    activate(store, NEW)
    with store.database.begin() as tx:
        tx.connection.execute(text("DELETE FROM version_level"))
        migration().fill(tx.connection)

    assert check_projections(store.database) == []


def test_the_last_use_of_each_kind_is_known_by_person_and_place(
    store: SqlStore, clock: HandClock
) -> None:
    for _ in range(2):
        clock.forward(minutes=1)
        for who in (ANA, BEN):
            with store.begin() as unit:
                actor = Actor(kind=ActorKind.USER, ref=unit.ref(who, "somebody"))
                data: dict[str, Json] = {"what": "find", "n": 1}
                unit.append(Draft(kind="access.read", actor=actor, data=data))
    record(store, "role.granted", role="auditor", to="@audit", scope="*")
    read_at = clock()
    decided_at = decide(store, clock, "r1", "refund-customer")
    proposed_at = decide(store, clock, "r2", PUBLISH)
    activate(store, OLD, by_run="r2")

    with store.database.read() as connection:
        found = last_uses(connection)
    read = LastUse(kind="access.read", at=read_at)
    asked = frozenset({"big refunds"})
    assert found[BEN] == [read]
    assert [one for one in found[ANA] if one.kind != "run.started"] == [
        read,
        LastUse(
            kind="approval.granted",
            at=proposed_at,
            workflows=frozenset({PUBLISH, "one"}),
            rules=asked,
        ),
        LastUse(
            kind="approval.granted",
            at=decided_at,
            workflows=frozenset({"refund-customer"}),
            rules=asked,
        ),
    ]
    assert {one.workflows for one in found[ANA] if one.kind == "run.started"} == {
        frozenset({"refund-customer"}),
        frozenset({PUBLISH}),
    }


def decide(store: SqlStore, clock: HandClock, run: str, workflow: str) -> datetime:
    """Have Ana approve the one step of a new run of hers, a minute later."""
    clock.forward(minutes=1)
    with store.begin() as unit:
        ana = user(unit.ref(ANA, "ana"))
        unit.add_run(new_run(run, workflow=workflow))
        unit.append(started(run, workflow=workflow, actor=ana))
        unit.append(requested(run, request=f"q-{run}", people=(ana.ref,)))
        unit.append(verdict("granted", run, request=f"q-{run}", by=ana))
    return clock()


def migration() -> ModuleType:
    folder = Path(next(iter(storage.migrations.__path__))) / "versions"
    file = folder / "0023_add_roles_and_levels.py"
    spec = importlib.util.spec_from_file_location("adds_roles", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
