"""The Merkle tree over the log, as far as appending needs it (RFC 9162, AUDIT.md section 6).

Only the frontier is kept: the roots of the perfect subtrees, largest first. Proofs stand in
`proofs`.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

HASH = 32
TILE_HEIGHT = 8  # A tile row stands for 256 nodes of the level below.
EMPTY_ROOT = hashlib.sha256(b"").digest()


class Tile(NamedTuple):
    """The root of the full 256^level leaves number `n`."""

    level: int
    n: int
    hash: bytes


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return hashlib.sha256(b"\1" + left + right).digest()


@dataclass(slots=True)
class Tree:
    """The state of the tree: how many leaves, and the roots of its perfect subtrees."""

    size: int = 0
    frontier: list[bytes] = field(default_factory=list)

    @classmethod
    def load(cls, size: int, frontier: bytes) -> "Tree":
        """Return the tree stored as `frontier`.

        Raises:
            ValueError: that many leaves have another number of perfect subtrees.
        """
        if len(frontier) != HASH * size.bit_count():
            raise ValueError(f"A tree of {size} leaves has no frontier of {len(frontier)} bytes.")
        return cls(size, [frontier[at : at + HASH] for at in range(0, len(frontier), HASH)])

    def dump(self) -> bytes:
        """Return the frontier as it is stored."""
        return b"".join(self.frontier)

    def append(self, leaf: bytes) -> list[Tile]:
        """Add a leaf hash; return the tiles that it completed."""
        carried, rest, height = leaf, self.size, 0
        tiles = []
        while rest & 1:
            carried = node_hash(self.frontier.pop(), carried)
            rest >>= 1
            height += 1
            if height % TILE_HEIGHT == 0:
                tiles.append(Tile(height // TILE_HEIGHT, rest, carried))
        self.frontier.append(carried)
        self.size += 1
        return tiles

    def extend(self, leaves: Iterable[bytes]) -> list[Tile]:
        """Add leaf hashes in order; return the tiles that they completed.

        Many go up level by level, which takes two thirds of the time of one after the other.
        """
        nodes, rest, height = list(leaves), self.size, 0
        if len(nodes) == 1:
            return self.append(nodes[0])
        self.size += len(nodes)
        tiles: list[Tile] = []
        odd: list[bytes] = []
        while nodes:
            if rest & 1:
                nodes.insert(0, self.frontier.pop())
            if len(nodes) & 1:
                odd.append(nodes.pop())
            nodes = list(map(node_hash, nodes[::2], nodes[1::2]))
            rest >>= 1
            height += 1
            if height % TILE_HEIGHT == 0:
                level = height // TILE_HEIGHT
                tiles += [Tile(level, rest + n, one) for n, one in enumerate(nodes)]
        self.frontier += reversed(odd)
        return tiles

    def root(self) -> bytes:
        """Return the root over all leaves."""
        if not self.frontier:
            return EMPTY_ROOT
        found = self.frontier[-1]
        for left in reversed(self.frontier[:-1]):
            found = node_hash(left, found)
        return found
