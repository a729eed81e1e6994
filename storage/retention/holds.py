"""Sets and lifts legal holds. What they keep from being removed is decided in `held`."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, or_, select

from storage.audit_models import AuditEntryRow, AuditPartRow, AuditSubjectRow, LineMember
from storage.retention.held import Hold, holds_in
from storage.store import SqlStore
from storage.unit import SqlUnit
from workflows.entry import PERSON, Actor, ActorKind, Draft, Json, Part, PartClass
from workflows.errors import HoldError
from workflows.holds import Kind, Selector
from workflows.input_names import mentioned
from workflows.people import PersonId

WHOLE = ("slack:", "os:", PERSON)  # How accounts and pseudonyms begin.
CODE = "legal"  # Why, as the entry says it; the words stand in its part.


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldHold:
    """A hold with the words of whoever set it, empty once those are gone."""

    hold: Hold
    reason: str


def set_hold(store: SqlStore, selector: Selector, *, reason: str, actor: Actor | PersonId) -> str:
    """Hold back what `selector` selects, from the next sweep or erasure on; return the hold's name.

    Raises:
        HoldError: it selects a person, and nobody in this log has that pseudonym.
        StorageError: it is not set.
    """
    name = f"h-{secrets.token_hex(4)}"
    data: dict[str, Json] = {"hold": name, "selector": str(selector), "reason": CODE}
    with _ordering(store) as unit:
        if selector.kind is Kind.PERSON:
            _refuse_nobody(unit.transaction.connection, selector.name)
        _append(unit, "hold.set", data, reason, actor)
    return name


def lift_hold(store: SqlStore, name: str, *, reason: str, actor: Actor | PersonId) -> None:
    """Let go of what a hold kept back.

    Raises:
        HoldError: no hold of that name is in force.
        StorageError: it is not lifted.
    """
    with _ordering(store) as unit:
        if name not in {one.id for one in holds_in(unit.transaction.connection)}:
            raise HoldError(
                f"No hold {name} is in force.", hint="`interlock audit hold list` shows them."
            )
        _append(unit, "hold.lifted", {"hold": name, "reason": CODE}, reason, actor)


def told_holds(connection: Connection) -> list[ToldHold]:
    """Return every hold, lifted ones too, oldest first."""
    words = _words(connection)
    return [
        ToldHold(hold=one, reason=words.get(one.id, ""))
        for one in holds_in(connection, in_force=False)
    ]


def refs_known_as(connection: Connection, name: str) -> list[str]:
    """Return the pseudonyms of whoever has that name, account, account's last part or pseudonym.

    An `@` before it says nothing. A whole account or pseudonym is nobody's name, though anybody
    may call themselves so; nor is a mention, as Slack makes of an `@name` typed with a command.
    """
    row, name = AuditSubjectRow, name.removeprefix("@")
    account = mentioned(name)
    if account:
        known = row.external_id.endswith(f":{account}", autoescape=True)
    elif name.startswith(WHOLE):
        known = or_(row.ref == name, row.external_id == name)
    else:
        is_end = row.external_id.endswith(f":{name}", autoescape=True)
        known = or_(row.external_id == name, is_end, row.display == name)
    return list(connection.execute(select(row.ref).where(known).order_by(row.ref)).scalars())


@contextmanager
def _ordering(store: SqlStore) -> Iterator[SqlUnit]:
    """Open a unit beside which nothing is swept or erased: what it reads of both stays true."""
    with store.begin() as unit:
        store.journal.place_pending(unit.transaction)
        yield unit


def _append(
    unit: SqlUnit, kind: str, data: Mapping[str, Json], reason: str, actor: Actor | PersonId
) -> None:
    if not isinstance(actor, Actor):
        actor = Actor(kind=ActorKind.USER, ref=unit.ref(actor))
    part = Part(value=reason.encode(), cls=PartClass.BUSINESS)
    unit.append(Draft(kind=kind, actor=actor, data=data, parts={"reason": part}))


def _refuse_nobody(connection: Connection, ref: str) -> None:
    known = select(AuditSubjectRow.ref).where(AuditSubjectRow.ref == ref)
    if connection.execute(known).first() is None:
        raise HoldError(
            "Whoever this hold is about was erased meanwhile.", hint="Hold runs or a period."
        )


def _words(connection: Connection) -> Mapping[str, str]:
    wanted = (
        select(LineMember("data", "hold").label("hold"), AuditPartRow.body)
        .select_from(AuditEntryRow)
        .join(AuditPartRow, AuditPartRow.entry_seq == AuditEntryRow.seq)
        .where(
            AuditEntryRow.run_id.is_(None),
            AuditEntryRow.kind == "hold.set",
            AuditPartRow.name == "reason",
        )
        .order_by(AuditEntryRow.seq)
    )
    return {row.hold: bytes(row.body).decode() for row in connection.execute(wanted)}
