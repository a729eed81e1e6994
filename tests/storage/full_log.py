"""A log in which every table has rows, made by the real engine, for tests that move it."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection, insert

from storage.audit_models import AuditAnchorRow
from storage.bot_sql import NewDigest
from storage.database import open_database
from storage.log_setup import init_log, open_journal
from storage.secret_rows import SecretSql
from storage.store import SqlStore
from storage.unit import SqlUnit
from tests.workflows.engine.flows import change, destructive, workflow
from tests.workflows.engine.test_questions import ASKS
from tests.world import NOON, Clock, Working, World, id_of
from workflows.delegating import NewDelegation
from workflows.entry import SYSTEM, Draft, Json, Ref, RunId
from workflows.step_up import Guard, Offer
from workflows.store import Delivery

ORIGIN = "interlock.example/audit/T0"
STEP = destructive("change", '"${{ inputs.by }}"')
INPUTS = "inputs: {by: {type: integer, minimum: 1, maximum: 1000, title: By}}\n"
LOCKED = workflow("one-at-a-time", f"{INPUTS}lock: number\nsteps: [{STEP}]")
RESTS = workflow("rests", f"at_once: 3\nsteps: [{{id: rest, wait: 2h}}, {change('act')}]")
EVIDENCE = bytes(range(256))
WORDS = "müde 🚀 'quoted' \\ back\tslash\r\nand a \\N that COPY must not read as empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """The runs of the log, by where they stand."""

    done: RunId
    denied: RunId
    waiting: RunId
    queued: RunId
    resting: RunId
    asking: RunId


@contextmanager
def house_at(url: str, home: Path, clock: Clock, *, world: World) -> Iterator[Working]:
    """Give an engine at work on the log that is there, or on a new one."""
    database = open_database(url)
    try:
        begun = (home / "keys").exists()
        journal = (
            open_journal(database, home, now=clock)
            if begun
            else init_log(database, home, origin=ORIGIN, now=clock)
        )
        store = SqlStore(database, journal, now=clock)
        yield Working(store, clock, world=world, definitions=(LOCKED, RESTS, ASKS))
    finally:
        database.close()


def fill(house: Working) -> Runs:
    """Put something into every table; return the runs that the engine made."""
    done = _run(house)
    house.approve(done)
    house.settle()
    denied = _run(house)
    house.deny(denied, comment=WORDS)
    house.settle()
    waiting, queued = _run(house), _run(house)
    resting, asking = _run(house, "rests", {}), _run(house, "asks", {})
    until = house.clock() + timedelta(days=1)
    house.engine.delegate(NewDelegation(giver=id_of("ana"), stand_in=id_of("dora"), until=until))
    _tell_all(house.store, waiting)
    return Runs(
        done=done,
        denied=denied,
        waiting=waiting,
        queued=queued,
        resting=resting,
        asking=asking,
    )


def _run(
    house: Working, name: str = "one-at-a-time", inputs: dict[str, object] | None = None
) -> RunId:
    run = house.start(name, inputs)
    house.settle()
    return run


def _tell_all(store: SqlStore, run: RunId) -> None:
    with store.begin() as unit:
        version = hashlib.sha256(WORDS.encode()).hexdigest()
        published: dict[str, Json] = {"workflow": "w", "version": version, "actions": "a"}
        unit.append(_fact("workflow.published", owner="o", deputy="d", **published))
        unit.add_definition(version, WORDS)
        unit.append(
            _fact("workflow.activated", workflow="w", version=version, replaces=None, level="trial")
        )
        unit.append(_fact("policy.changed", name="policy", before=None, after="p", by_run=None))
        unit.take_firing("s", NOON)
        due = "2026-03-02T12:00:00+00:00 UTC"
        unit.append(_fact("schedule.fired", schedule="s", workflow="w", due=due, started=None))
        unit.is_repeat(Delivery(team="T0", kind="event", key="Ev1"))
        unit.add_thread_message(run, "1.2", author=unit.ref(id_of("rita"), "Rita"), text=WORDS)
        unit.append(_fact("secret.set", secret="shop_token", version=1))
        SecretSql(unit.transaction).put("shop_token", bytes(range(256)))
        _set_codes_up(unit, unit.ref(id_of("ana"), "Ana"))
        figures: Json = {"runs": 3}
        later = NOON + timedelta(microseconds=1)
        unit.add_digest(
            NewDigest(id="d", from_idx=0, to_idx=1, from_at=NOON, to_at=later, figures=figures)
        )
        unit.append(_fact("hold.set", hold="h", selector="run:r1", reason=WORDS))
        _add_evidence(unit.transaction.connection)
        digest = hashlib.sha256(EVIDENCE).hexdigest()
        unit.append(_fact("checkpoint.anchored", size=1, type="later", ref="r", evidence=digest))
    for _ in range(3):
        with store.begin() as unit:
            for number in range(100):
                unit.append(_fact("access.read", what="runs", n=number))


def _set_codes_up(unit: SqlUnit, person: Ref) -> None:
    asked: list[Json] = []
    unit.append(_fact("step_up.enrolled", person=person, enrolment="e", asked=asked))
    unit.codes.put_secret("e", bytes(range(256)))
    offer = Offer(id="f", sealed=bytes(range(255, -1, -1)), at=NOON)
    unit.codes.hold(person)
    unit.codes.keep(Guard(person=person, last_step=2**33, misses=(NOON,), offer=offer))


def _add_evidence(connection: Connection) -> None:
    # Nobody judges evidence of such a type, so that any bytes can be moved.
    anchor = {"size": 1, "type": "later", "ref": "r", "evidence": EVIDENCE, "at": NOON}
    connection.execute(insert(AuditAnchorRow).values(id=7, **anchor))


def _fact(kind: str, **data: Json) -> Draft:
    return Draft(kind=kind, actor=SYSTEM, data=data)
