"""Inclusion and consistency proofs (RFC 9162), made from tiles and leaves, and checked.

A proof reads at most one block of 256 hashes for each level of tiles, however large the log.
"""

import base64
from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import Connection, select

from storage.audit_models import AuditEntryRow, AuditTileRow
from storage.tree import TILE_HEIGHT, node_hash

BLOCK = 1 << TILE_HEIGHT
PROOF_HEADER = "c2sp.org/tlog-proof@v1"


class ProofError(ValueError):
    """A proof that proves nothing, or one that cannot be made."""


class Hashes(Protocol):
    """Where the hashes of leaves (level 0) and tiles (level 1 and up) come from."""

    def block(self, level: int, number: int) -> Sequence[bytes]:
        """Return up to 256 hashes of `level`, those from 256 x `number` on."""


class StoredHashes:
    """The hashes in the database, each block read once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._blocks: dict[tuple[int, int], list[bytes]] = {}

    def block(self, level: int, number: int) -> Sequence[bytes]:
        """Return the block, from the tiles or the entries' rows."""
        at = (level, number)
        if at not in self._blocks:
            self._blocks[at] = self._read(level, number * BLOCK)
        return self._blocks[at]

    def _read(self, level: int, start: int) -> list[bytes]:
        if level == 0:
            place, found = AuditEntryRow.idx, select(AuditEntryRow.leaf)
        else:
            place, found = AuditTileRow.n, select(AuditTileRow.hash)
            found = found.where(AuditTileRow.level == level)
        rows = self._connection.execute(
            found.where(place >= start, place < start + BLOCK).order_by(place)
        )
        return [bytes(one) for one in rows.scalars()]


def inclusion(hashes: Hashes, index: int, size: int) -> list[bytes]:
    """Return the proof that the leaf `index` stands in the tree of `size` leaves.

    Raises:
        ProofError: there is no such leaf in that tree.
    """
    if not 0 <= index < size:
        raise ProofError(f"A log of {size} entries has no entry {index}.")
    proof: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            proof.append(range_root(hashes, middle, high))
            high = middle
        else:
            proof.append(range_root(hashes, low, middle))
            low = middle
    return proof[::-1]


def consistency(hashes: Hashes, old: int, new: int) -> list[bytes]:
    """Return the proof that the tree of `old` leaves is the beginning of that of `new`.

    Raises:
        ProofError: sizes that no such proof is for.
    """
    if not 0 < old <= new:
        raise ProofError(f"A log of {new} entries never had a head of {old}.")
    proof: list[bytes] = []
    low, high, is_whole = 0, new, True
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            proof.append(range_root(hashes, middle, high))
            high = middle
        else:
            proof.append(range_root(hashes, low, middle))
            low, is_whole = middle, False
    if not is_whole:
        proof.append(range_root(hashes, low, high))
    return proof[::-1]


def range_root(hashes: Hashes, low: int, high: int) -> bytes:
    """Return the root over the leaves `low` to `high` - 1, which begin on a subtree's edge.

    Raises:
        ProofError: hashes are missing.
    """
    count = high - low
    if count & (count - 1) == 0:
        return _node(hashes, count.bit_length() - 1, low)
    middle = low + _split(count)
    return node_hash(range_root(hashes, low, middle), range_root(hashes, middle, high))


def root_of_inclusion(leaf: bytes, *, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """Return the root that the proof leads to (RFC 9162 section 2.1.3.2).

    Raises:
        ProofError: its length does not fit.
    """
    if not 0 <= index < size:
        raise ProofError(f"A log of {size} entries has no entry {index}.")
    node, last, found = index, size - 1, leaf
    for one in proof:
        if last == 0:
            raise ProofError("The proof is too long.")
        if node & 1 or node == last:
            found = node_hash(one, found)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found = node_hash(found, one)
        node, last = node >> 1, last >> 1
    if last:
        raise ProofError("The proof is too short.")
    return found


def check_consistency(
    old: int, new: int, *, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Return if the proof joins both roots (RFC 9162 section 2.1.4.2).

    Raises:
        ProofError: it does not.
    """
    if old == new:
        if proof or old_root != new_root:
            raise ProofError("Two heads of one size differ.")
        return
    if not 0 < old < new or not proof:
        raise ProofError("The proof does not fit these sizes.")
    hashes = list(proof) if old & (old - 1) else [old_root, *proof]
    if _joined(hashes, old, new) != (old_root, new_root):
        raise ProofError("The older head is not the beginning of the newer one.")


def tlog_proof(index: int, proof: Sequence[bytes], note: str) -> str:
    """Return the text of a C2SP tlog-proof."""
    hashes = "".join(f"{base64.b64encode(one).decode()}\n" for one in proof)
    return f"{PROOF_HEADER}\nindex {index}\n{hashes}\n{note}"


def _joined(hashes: Sequence[bytes], old: int, new: int) -> tuple[bytes, bytes]:
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first = second = hashes[0]
    for one in hashes[1:]:
        if last == 0:
            raise ProofError("The proof is too long.")
        if node & 1 or node == last:
            first, second = node_hash(one, first), node_hash(one, second)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            second = node_hash(second, one)
        node, last = node >> 1, last >> 1
    if last:
        raise ProofError("The proof is too short.")
    return first, second


def _split(count: int) -> int:
    """Return the largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)


def _node(hashes: Hashes, height: int, low: int) -> bytes:
    """Return the root of the perfect subtree of that height whose first leaf is `low`."""
    level, rest = divmod(height, TILE_HEIGHT)
    first = low >> (level * TILE_HEIGHT)
    number, offset = divmod(first, BLOCK)
    found = list(hashes.block(level, number)[offset : offset + (1 << rest)])
    if len(found) != 1 << rest:
        raise ProofError("Hashes of the tree are missing.")
    while len(found) > 1:
        found = [node_hash(found[at], found[at + 1]) for at in range(0, len(found), 2)]
    return found[0]
