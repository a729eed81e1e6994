"""The catalogue of what can be done to the trail in a database, each under its right name.

An attack is judged twice: alone, and against the notes that people keep outside. Where only a
note shows it, or nothing does, the catalogue says so: that is the remainder of AUDIT.md section 1.
"""

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from storage.checkpoint import Checkpoint, NoteSigner
from storage.keys import LogKey, WriterKey
from tests.storage.forging import (
    Change,
    cut,
    leaves,
    outcome,
    restore_to,
    rewrite,
    sign_newest_head,
    stored_bytes,
    stored_note,
    tree_of,
)
from tests.storage.trail import (
    ORIGIN,
    Trail,
    erase_person,
    in_run,
    outside,
    rotate_log_key,
    rotate_writer,
    started,
    sweep,
)
from workflows.entry import Part, PartClass

Doing = Callable[[Trail], object]
FILLERS = 230  # So that the log has a whole tile of 256 leaves.
ANCHORED, SHOWN = 17, 262  # The sizes of the notes that people keep outside.


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """What is done, and what must be found at least: failures, or what is unproven."""

    name: str
    does: Doing
    codes: frozenset[str]
    unproven: frozenset[str]
    needs_note: bool  # Nothing shows without a note from outside.


def attack(
    name: str, does: Doing, codes: str = "", *, unproven: str = "", needs_note: bool = False
) -> Attack:
    return Attack(
        name=name,
        does=does,
        codes=frozenset(codes.split()),
        unproven=frozenset(unproven.split()),
        needs_note=needs_note,
    )


def sql(*statements: str) -> Doing:
    return lambda trail: trail.run_sql(*statements)


def without_rules(*statements: str) -> Doing:
    """Do it in a table that has neither constraints nor generated columns."""

    def does(trail: Trail) -> None:
        trail.as_plain_tables()
        trail.run_sql(*statements)

    return does


def long_life(trail: Trail) -> tuple[str, ...]:
    """Let the log live: runs, a denial, an erasure, a sweep, both rotations, two heads shown."""
    for run, denied in (("r1", False), ("r2", True), ("r3", False)):
        trail.run(run, denied=denied)
    anchor = trail.outside_note()
    zoe = trail.person("zoe")
    observed = {"step": "look", "attempt": 1, "action": "model.ask", "outcome": "ok"}
    derived = Part(value=b"what the model made of it", cls=PartClass.DERIVED)
    trail.tell(
        started("r5", zoe),
        in_run("r5", "step.observed", {**observed}, parts={"output": derived}),
        in_run("r5", "run.cancelled", {"step": "look", "reason": "not needed"}),
    )
    erase_person(trail, "zoe")
    sweep(trail, PartClass.DERIVED)
    rotate_writer(trail)
    rotate_log_key(trail)
    trail.run("r6")
    trail.tell(*[outside("hold.lifted", {"hold": f"h{n}", "reason": "x"}) for n in range(FILLERS)])
    newest = trail.outside_note()
    trail.run("r7")
    return anchor, newest


def end_of(trail: Trail, run: str) -> int:
    with trail.database.read() as connection:
        found = connection.exec_driver_sql(
            f"SELECT max(idx) FROM audit_entry WHERE run_id = '{run}'"
        )
        return int(found.scalar_one())


def forged(run: str, change: Change, *, back: int = 0) -> Doing:
    """Rewrite an entry at the end of the run with both stolen keys."""

    def does(trail: Trail) -> None:
        index = end_of(trail, run) - back
        rewrite(trail, index, change, writer=trail.journal.writer, seals=True)

    return does


def forge_history(trail: Trail) -> None:
    """Rewrite what people hold a head of, with both keys, and forget that head."""
    trail.run_sql(f"DELETE FROM audit_checkpoint WHERE size = {SHOWN}")
    writer = trail.journal.writer
    rewrite(trail, SHOWN - 2, of_hold("forged"), writer=writer, seals=True)


def of_hold(reason: str) -> Change:
    return lambda members: members["data"].update(reason=reason)


def forge_with_writer_key(trail: Trail) -> None:
    rewrite(trail, end_of(trail, "r7"), outcome("failed"), writer=trail.journal.writer)


def forge_as_stranger(trail: Trail) -> None:
    stranger = WriterKey.of(Ed25519PrivateKey.generate())
    rewrite(trail, end_of(trail, "r7"), outcome("failed"), writer=stranger, seals=True)


def head_of_another_tree(trail: Trail) -> None:
    sign_newest_head(trail, trail.journal.sequencer.signers[0], root=bytes(32))


def head_of_a_stranger(trail: Trail) -> None:
    sign_newest_head(trail, LogKey.of(Ed25519PrivateKey.generate(), ORIGIN))


def head_beyond_the_log(trail: Trail) -> None:
    size = len(leaves(trail)) + 5
    note = NoteSigner(trail.journal.sequencer.signers).sign(Checkpoint(ORIGIN, size, bytes(32)))
    trail.run_sql(
        "INSERT INTO audit_checkpoint (size, note, created_at)"
        f" VALUES ({size}, '{note}', '2026-03-02 09:00:00.000000')"
    )


def head_without_a_key(trail: Trail) -> None:
    """Put the root of a forged history into the head, and leave its signature as it is."""
    size = len(leaves(trail))
    root, old = stored_note(trail, ANCHORED).splitlines()[2], stored_note(trail, size)
    note = old.replace(old.splitlines()[2], root)
    trail.run_sql(f"UPDATE audit_checkpoint SET note = '{note}' WHERE size = {size}")


def restored_backup(trail: Trail) -> None:
    restore_to(trail, SHOWN - 3)


def another_future(trail: Trail) -> None:
    """Go back before the newest head outside, and let another history grow beyond it."""
    restored_backup(trail)
    for number in range(5):
        trail.run(f"other{number}")


def cut_newest(trail: Trail) -> None:
    cut(trail, SHOWN + 2)


def rolled_back_to(size: int, *more: str) -> Doing:
    """Cut entries, tree and heads back to a head that is kept: no key is needed for that."""

    def does(trail: Trail) -> None:
        tree = tree_of(leaves(trail)[:size])
        frontier = stored_bytes(trail, tree.dump())
        trail.run_sql(
            f"DELETE FROM audit_checkpoint WHERE size > {size}",
            f"UPDATE audit_tree SET size = {size}, frontier = {frontier}",
            *more,
        )
        cut(trail, size)

    return does


def unsigned_entry(trail: Trail) -> None:
    trail.run_sql(
        "INSERT INTO audit_entry (idx, line, leaf) SELECT (SELECT max(idx) + 1 FROM audit_entry),"
        f" replace(line, uid, '{secrets.token_hex(16)}'), leaf FROM audit_entry"
        f" WHERE idx = {SHOWN - 2}"
    )


def came_back(mark: Doing, name: str) -> Doing:
    """Keep a copy of the parts, have one removed by a marker, and put it back."""

    def does(trail: Trail) -> None:
        trail.run_sql("CREATE TABLE spare AS SELECT * FROM audit_part")
        mark(trail)
        trail.run_sql(
            f"INSERT INTO audit_part SELECT * FROM spare WHERE name = '{name}'", "DROP TABLE spare"
        )

    return does


def part_of_another(trail: Trail) -> None:
    trail.run_sql(
        "UPDATE audit_part SET entry_seq = entry_seq + 1 WHERE name = 'preview' AND entry_seq ="
        " (SELECT seq FROM audit_entry WHERE idx = 2)"
    )


def erased_too_much(trail: Trail) -> None:
    """Delete a part that was recorded after the mark which is to explain it."""
    erase_person(trail, "rita")
    trail.run("r9")
    trail.run_sql("DELETE FROM audit_part WHERE name = 'message'")


def late_writer(trail: Trail) -> None:
    """Go on writing with a key after the log has ended it."""
    old = trail.journal.writer
    trail.run_sql()  # With the triggers away, which would refuse it.
    rotate_writer(trail)
    trail.tell(outside("hold.lifted", {"hold": "h", "reason": "x"}))
    rewrite(trail, len(leaves(trail)) - 1, of_hold("late"), writer=old, seals=True)


def late_log_key(trail: Trail) -> None:
    """Sign a head with a key after the log has ended it."""
    old = trail.journal.sequencer.signers[0]
    rotate_log_key(trail)
    trail.tell(outside("hold.lifted", {"hold": "h", "reason": "x"}))
    sign_newest_head(trail, old)


def revoked_writer(trail: Trail) -> None:
    stolen = trail.journal.writer.id
    rotate_writer(trail)
    trail.tell(outside("key.revoke", {"id": stolen, "from": SHOWN}))


def strangers_key(trail: Trail) -> None:
    """Enrol a key that nobody showed to hold: its proof is by another."""
    fresh = WriterKey.of(Ed25519PrivateKey.generate())
    data = {
        "role": "entry",
        "pk": base64.b64encode(fresh.public).decode(),
        "pop": base64.b64encode(trail.journal.writer.possession(ORIGIN)).decode(),
        "holder": "eve",
    }
    trail.tell(outside("hold.lifted", {"hold": "h", "reason": "x"}))

    def enrol(members: dict[str, Any]) -> None:
        members.update(kind="key.add", data=data)

    rewrite(trail, len(leaves(trail)) - 1, enrol, writer=trail.journal.writer, seals=True)


def other_log(members: dict[str, Any]) -> None:
    members["log"] = f"{ORIGIN}/2"


def other_place(members: dict[str, Any]) -> None:
    members["rseq"] += 1


def other_form(members: dict[str, Any]) -> None:
    members["ts"] = members["ts"].replace("Z", "+")


def other_part(members: dict[str, Any]) -> None:
    members["parts"]["output"]["c"] = base64.b64encode(bytes(32)).decode()


def other_actor(members: dict[str, Any]) -> None:
    members["actor"] = {"t": "user", "ref": "eve"}


def odd_marker(members: dict[str, Any]) -> None:
    """Make an erasure of it whose list is none."""
    data = {"items": [["a", ["b"]], 7], "reason": "r", "request": None, "policy": "p"}
    members.update(kind="erasure", data={**data, "by_run": None})
    members.update(run=None, rseq=0, prev="", parts={})
