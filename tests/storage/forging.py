"""Writing a trail anew, as whoever owns its database, or has its keys as well, can do it."""

import base64
import json
import secrets
from collections.abc import Callable
from typing import Any

from storage.checkpoint import Checkpoint, NoteSigner, Signer
from storage.entry_bytes import ENTRY_TYPE, leaf_hash, pae, seal
from storage.keys import WriterKey
from storage.transaction import Transaction
from storage.tree import Tree
from tests.storage.trail import ORIGIN, Trail
from workflows.binding import canonical

Change = Callable[[dict[str, Any]], object]


def leaves(trail: Trail) -> list[bytes]:
    with trail.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT leaf FROM audit_entry ORDER BY idx")
        return [bytes(leaf) for (leaf,) in rows]


def stored_note(trail: Trail, size: int) -> str:
    with trail.database.read() as connection:
        rows = connection.exec_driver_sql(f"SELECT note FROM audit_checkpoint WHERE size = {size}")
        return str(rows.scalar_one())


def stored_bytes(trail: Trail, value: bytes) -> str:
    """Return how the database spells these bytes."""
    return f"x'{value.hex()}'" if trail.database.dialect == "sqlite" else f"'\\x{value.hex()}'"


def tree_of(hashes: list[bytes]) -> Tree:
    tree = Tree()
    tree.extend(hashes)
    return tree


def restore_to(trail: Trail, size: int) -> None:
    """Cut everything from `size` on, and sign the rest anew with the right key."""
    seal_again(trail, tree_of(leaves(trail)[:size]))
    cut(trail, size)


def cut(trail: Trail, size: int) -> None:
    """Cut the entries from `size` on, with their parts."""
    trail.run_sql(
        "DELETE FROM audit_part WHERE entry_seq IN"
        f" (SELECT seq FROM audit_entry WHERE idx >= {size})",
        f"DELETE FROM audit_entry WHERE idx >= {size}",
    )


def seal_again(trail: Trail, tree: Tree) -> None:
    """Store that tree, with a head of the right key in place of every later one."""
    note = NoteSigner(trail.journal.sequencer.signers).sign(
        Checkpoint(ORIGIN, tree.size, tree.root())
    )
    trail.run_sql(
        f"DELETE FROM audit_checkpoint WHERE size >= {tree.size}",
        "INSERT INTO audit_checkpoint (size, note, created_at)"
        f" VALUES ({tree.size}, '{note}', '2026-03-02 09:00:00.000000')",
        f"UPDATE audit_tree SET size = {tree.size}, frontier = {stored_bytes(trail, tree.dump())}",
    )


def sign_newest_head(trail: Trail, signer: Signer, *, root: bytes | None = None) -> None:
    """Put a head of that key alone into the place of the newest one, true or with that root."""
    tree = tree_of(leaves(trail))
    note = NoteSigner([signer]).sign(Checkpoint(ORIGIN, tree.size, root or tree.root()))
    trail.run_sql(f"UPDATE audit_checkpoint SET note = '{note}' WHERE size = {tree.size}")


def rewrite(
    trail: Trail, index: int, change: Change, *, writer: WriterKey, seals: bool = False
) -> None:
    """Replace the entry by a changed one, signed by `writer`, its leaf right.

    With `seals`, the log key was stolen as well: tree and head are made anew.
    """
    members = json.loads(trail.line(index))
    change(members)
    members["key"] = writer.id
    del members["sig"]
    signature = writer.sign(pae(ENTRY_TYPE, canonical(members)))
    line = canonical({**members, "sig": base64.b64encode(signature).decode()})
    text = line.decode().replace("'", "''")
    trail.run_sql(
        f"UPDATE audit_entry SET line = '{text}', leaf = {stored_bytes(trail, leaf_hash(line))}"
        f" WHERE idx = {index}"
    )
    if seals:
        seal_again(trail, tree_of(leaves(trail)))


def sealed_by(writer: WriterKey, kind: str, data: dict[str, Any], **members: object) -> bytes:
    """Return the line of an entry outside a run that this key signed."""
    usual: dict[str, Any] = {
        "actor": {"ref": "interlock", "t": "system"},
        "data": data,
        "id": secrets.token_hex(16),
        "key": writer.id,
        "kind": kind,
        "log": ORIGIN,
        "parts": {},
        "prev": "",
        "rseq": 0,
        "run": None,
        "ts": "2026-03-02T09:00:00.000Z",
        "v": 1,
    }
    return seal({**usual, **members}, writer.sign)


def put(trail: Trail, line: bytes, *, leaf: bytes | None = None, place: str = "NULL") -> None:
    """Put an entry into the table, as whoever may only insert can do it."""
    with trail.database.begin() as tx:
        put_amid(trail, tx, line, leaf=leaf, place=place)


def put_amid(
    trail: Trail, tx: Transaction, line: bytes, *, leaf: bytes | None = None, place: str = "NULL"
) -> None:
    """Put an entry into the table within a unit of the product, as a trigger can do it."""
    text, hashed = line.decode().replace("'", "''"), stored_bytes(trail, leaf or leaf_hash(line))
    tx.connection.exec_driver_sql(
        f"INSERT INTO audit_entry (idx, line, leaf) VALUES ({place}, '{text}', {hashed})"
    )


def b64(data: bytes) -> str:
    """Return base64."""
    return base64.b64encode(data).decode()


def outcome(value: str) -> Change:
    """Return the change that gives a run's end another outcome."""
    return lambda members: members["data"].update(outcome=value)
