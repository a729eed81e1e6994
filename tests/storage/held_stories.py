"""What is removed under a legal hold, or counted wrongly: what every verifier has to say of it.

The bot removes nothing that is held. Whoever holds its keys can, and can sign it.
"""

from collections.abc import Callable

from sqlalchemy import delete, select

from storage.audit_models import AuditEntryRow, AuditPartRow
from tests.storage.trail import Trail, outside
from workflows.entry import SYSTEM, Draft, Json, Part, PartClass

Story = Callable[[Trail], object]


def hold(trail: Trail, selector: str, name: str = "h-1") -> None:
    data: dict[str, Json] = {"hold": name, "selector": selector, "reason": "legal"}
    words = {"reason": Part(value=b"a lawsuit", cls=PartClass.BUSINESS)}
    trail.tell(Draft(kind="hold.set", actor=SYSTEM, data=data, parts=words))


def lift(trail: Trail, name: str = "h-1") -> None:
    trail.tell(outside("hold.lifted", {"hold": name, "reason": "legal"}))


def erase(trail: Trail, name: str, *, of: str = "r1") -> None:
    """Remove the payloads of that name that a run, or an entry of a kind outside of all, has."""
    where = (AuditEntryRow.run_id == of) | (AuditEntryRow.kind == of), AuditPartRow.name == name
    _erase(trail, *where)


def _erase(trail: Trail, *where: object) -> None:
    with trail.database.begin() as tx:
        found = tx.connection.execute(
            select(AuditEntryRow.seq, AuditEntryRow.idx, AuditPartRow.name)
            .join(AuditPartRow, AuditPartRow.entry_seq == AuditEntryRow.seq)
            .where(*where)  # type: ignore[arg-type]  # Conditions.
            .order_by(AuditEntryRow.idx)
        ).all()
        items: Json = [[one.idx, one.name] for one in found]
        data: dict[str, Json] = {"items": items, "reason": "retention", "request": None}
        trail.journal.append(tx, outside("erasure", {**data, "policy": "cd", "by_run": None}))
        for one in found:
            its = AuditPartRow.entry_seq == one.seq, AuditPartRow.name == one.name
            tx.connection.execute(delete(AuditPartRow).where(*its))


def sweep(trail: Trail, cls: PartClass = PartClass.BUSINESS, *, more: int = 0, to: int = 0) -> None:
    """Remove every payload of a class below an entry, and say that so many more of them went."""
    with trail.database.begin() as tx:
        size = len(tx.connection.execute(select(AuditEntryRow.idx)).all())
        before = to or size
        within = select(AuditEntryRow.seq).where(AuditEntryRow.idx < before)
        its = AuditPartRow.cls == cls.value, AuditPartRow.entry_seq.in_(within)
        gone = tx.connection.execute(delete(AuditPartRow).where(*its)).rowcount
        data: dict[str, Json] = {"policy": "cd", "cls": cls.value, "before": before}
        trail.journal.append(tx, outside("retention.sweep", {**data, "n": gone + more}))


def held(selector: str, *then: Story) -> Story:
    """Return the story of two runs, a hold, and what was done in spite of it."""

    def tell(trail: Trail) -> None:
        trail.run("r1")
        trail.run("r2")
        name = selector.removeprefix("person:@")
        hold(trail, selector if name == selector else f"person:{trail.person(name)}")
        for one in then:
            one(trail)

    return tell


def erased_first(trail: Trail) -> None:
    """Erase what a hold that comes later is about; the sweep passes its place only then."""
    trail.run("r1")
    erase(trail, "output")
    hold(trail, "run:r1")
    sweep(trail, to=trail.place_of("hold.set"))


def swept_twice(trail: Trail) -> None:
    trail.run("r1")
    sweep(trail)
    trail.run("r2")
    erase(trail, "output", of="r2")
    sweep(trail)
    trail.run("r3")
    sweep(trail)


def output(trail: Trail) -> None:
    erase(trail, "output")


HELD, COUNT = "erasure-held", "sweep-count"
HELD_STORIES: dict[str, tuple[Story, str]] = {
    "erased under a hold of its run": (held("run:r1", output), HELD),
    "erased under a hold of another run": (held("run:r2", output), ""),
    "erased under a hold of its workflow": (held("workflow:deploy", output), HELD),
    "erased under a hold of another workflow": (held("workflow:other", output), ""),
    "erased under a hold of whoever asked": (held("person:@rita", output), HELD),
    "erased under a hold of whoever decided": (held("person:@ana", output), HELD),
    "erased under a hold of somebody else": (held("person:@ben", output), ""),
    "erased under a hold of its period": (held("period:2026-03-01/2026-03-03", output), HELD),
    "erased under a hold of another period": (held("period:2026-03-01/2026-03-02", output), ""),
    "erased under a hold of nothing": (held("period:2026-03-03/2026-03-01", output), ""),
    "erased once the hold was lifted": (held("run:r1", lift, output), ""),
    "erased under one of two holds": (
        held("run:r1", lambda trail: hold(trail, "run:r1", "h-2"), lift, output),
        HELD,
    ),
    "why there is a hold": (
        held("run:r2", lambda trail: erase(trail, "reason", of="hold.set")),
        HELD,
    ),
    "swept under a hold": (held("run:r1", sweep), HELD),
    "swept up to what is held": (held("run:r1", lambda trail: sweep(trail, to=5)), ""),
    "swept in another class": (
        held(
            "run:r1",
            lambda trail: lift(trail, "h-9"),
            lambda trail: sweep(trail, PartClass.DERIVED),
        ),
        "",
    ),
    "swept where nothing was left before the hold": (erased_first, ""),
    "swept, erased and swept again": (swept_twice, ""),
    "swept, and fewer counted": (
        lambda trail: (trail.run("r1"), sweep(trail, more=-1)),
        COUNT,
    ),
    "swept, and more counted": (
        lambda trail: (trail.run("r1"), sweep(trail), trail.run("r2"), sweep(trail, more=1)),
        COUNT,
    ),
}
