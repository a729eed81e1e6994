"""What tests of the gate's rules share: a policy of one rule, people, and the trail's own check."""

import json
from datetime import timedelta

from sqlalchemy import select

from storage.audit_models import AuditEntryRow
from storage.database import Database
from storage.rebuild import check_projections
from storage.verify.report import Report
from storage.verify.semantics import SemanticCheck
from tests.world import Working, id_of
from workflows.entry import Actor, ActorKind, Draft, Entry, Ref, RunId

GROUPS = {
    "@leads": {"ana", "ben"},
    "@directors": {"dora", "dan"},
    "@security": {"sue", "sid"},
}


def policy_of(*rules: str, rest: str = "") -> str:
    """Return a policy with these rules about everything destructive; each is the rest of a rule."""
    told = [f'{{name: rule {n}, when: effect == "destructive", {one}}}' for n, one in _n(rules)]
    return f"defaults: {{expires: 24h}}\n{rest}\nrules: [{', '.join(told)}]\n"


def _n(rules: tuple[str, ...]) -> list[tuple[int, str]]:
    return list(enumerate(rules, start=1))


def with_groups(house: Working, **more: set[str]) -> Working:
    """Give the town the groups of these tests."""
    house.town.groups |= {name: set(people) for name, people in GROUPS.items()}
    house.town.groups |= {f"@{name}": people for name, people in more.items()}
    return house


def asked(house: Working, *, by: str = "rita") -> RunId:
    """Start a run that comes to rest before its effect."""
    run = house.start(by=by)
    house.settle()
    return run


def wait(house: Working, **by: float) -> None:
    house.clock.forward(timedelta(**by))
    house.settle()


def ref(house: Working, name: str) -> Ref:
    with house.store.begin() as unit:
        return unit.ref(id_of(name), name)


def publish(house: Working, *, by: str, workflow: str = "change-it") -> None:
    """Have a person publish the version that runs."""
    definition = house.shelf.active(workflow)
    data = {
        "workflow": workflow,
        "version": definition.version,
        "owner": definition.owner,
        "deputy": definition.deputy,
        "actions": "0" * 64,
    }
    with house.store.begin() as unit:
        actor = Actor(kind=ActorKind.USER, ref=unit.ref(id_of(by), by))
        unit.append(Draft(kind="workflow.published", actor=actor, data=data))


def of_kind(house: Working, run: RunId, kind: str) -> list[Entry]:
    return [one for one in house.entries(run) if one.kind == kind]


def trouble_of(house: Working, run: RunId) -> str:
    """Return why a run needs a person, in words."""
    stopped = [one for one in of_kind(house, run, "decision.made") if "reason" in one.parts]
    return (stopped[-1].parts["reason"].value or b"").decode()


def assert_sound(database: Database) -> None:
    """Check that tables and entries agree, and that the trail tells of nothing forbidden."""
    found = forbidden_in(database)

    assert [str(one) for one in check_projections(database)] == []
    assert found == []


def forbidden_in(database: Database) -> list[tuple[str, str]]:
    """Return what the trail tells that the rules do not allow: code and words."""
    report = Report()
    check = SemanticCheck(report)
    with database.read() as connection:
        lines = connection.execute(select(AuditEntryRow.line).order_by(AuditEntryRow.seq))
        for index, line in enumerate(lines.scalars()):
            check.check(index, json.loads(line))
    return report.semantics
