"""The tree against the recursive definition of RFC 9162, for every size up to 600."""

import hashlib
from collections.abc import Sequence
from functools import cache

import pytest

from storage.proofs import (
    BLOCK,
    ProofError,
    check_consistency,
    consistency,
    inclusion,
    root_of_inclusion,
)
from storage.tree import EMPTY_ROOT, Tile, Tree, node_hash

LEAVES = [hashlib.sha256(b"\0%d" % number).digest() for number in range(600)]


@cache
def reference_root(low: int, high: int) -> bytes:
    """The definition, word for word."""
    if high - low == 0:
        return hashlib.sha256(b"").digest()
    if high - low == 1:
        return LEAVES[low]
    split = 1
    while split * 2 < high - low:
        split *= 2
    return node_hash(reference_root(low, low + split), reference_root(low + split, high))


class MemoryHashes:
    """Leaves and tiles in a list, as the database holds them in rows."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.rows = {0: list(leaves)}
        for tile in Tree().extend(leaves):
            self.rows.setdefault(tile.level, []).append(tile.hash)

    def block(self, level: int, number: int) -> Sequence[bytes]:
        return self.rows.get(level, [])[number * BLOCK : (number + 1) * BLOCK]


HASHES = MemoryHashes(LEAVES)


def test_the_frontier_gives_the_root_of_every_size() -> None:
    tree = Tree()

    assert tree.root() == EMPTY_ROOT
    for size, leaf in enumerate(LEAVES, start=1):
        tree.append(leaf)
        assert tree.root() == reference_root(0, size)
        assert Tree.load(size, tree.dump()).root() == tree.root()


@pytest.mark.parametrize("step", [2, 3, 7, 64, 256, 300, 599])
def test_many_leaves_at_once_are_the_same_as_one_after_the_other(step: int) -> None:
    tree, grown, tiles = Tree(), Tree(), []
    for at in range(0, len(LEAVES), step):
        tiles += tree.extend(LEAVES[at : at + step])
    singly = [tile for leaf in LEAVES for tile in grown.append(leaf)]

    assert (tree, tiles) == (grown, singly)


def test_a_tile_stands_for_256_leaves() -> None:
    tiles = Tree().extend(LEAVES)

    assert tiles == [Tile(1, 0, reference_root(0, 256)), Tile(1, 1, reference_root(256, 512))]


def test_a_tile_of_the_second_level_stands_for_65536_leaves() -> None:
    leaves = [number.to_bytes(32, "big") for number in range(65_536)]
    tree = Tree()
    tiles = tree.extend(leaves)

    assert [tile[:2] for tile in tiles[-2:]] == [(1, 255), (2, 0)]
    assert tiles[-1].hash == tree.root()


def test_a_frontier_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="no frontier"):
        Tree.load(3, bytes(32))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 255, 256, 257, 300, 511, 512, 513, 600])
def test_every_leaf_is_proved_under_its_head(size: int) -> None:
    for index in range(size):
        proof = inclusion(HASHES, index, size)
        found = root_of_inclusion(LEAVES[index], index=index, size=size, proof=proof)
        assert found == reference_root(0, size)


@pytest.mark.parametrize("new", [1, 2, 3, 7, 8, 9, 64, 255, 256, 257, 300])
def test_every_older_head_is_proved_to_be_the_beginning(new: int) -> None:
    for old in range(1, new + 1):
        check_consistency(
            old,
            new,
            old_root=reference_root(0, old),
            new_root=reference_root(0, new),
            proof=consistency(HASHES, old, new),
        )


def test_a_proof_with_one_hash_changed_or_missing_proves_nothing() -> None:
    proof = consistency(HASHES, 100, 300)
    roots = {"old_root": reference_root(0, 100), "new_root": reference_root(0, 300)}

    for at in range(len(proof)):
        changed = [*proof[:at], bytes(32), *proof[at + 1 :]]
        with pytest.raises(ProofError):
            check_consistency(100, 300, proof=changed, **roots)
    with pytest.raises(ProofError):
        check_consistency(100, 300, proof=proof[:-1], **roots)


def test_an_entry_beyond_the_head_has_no_proof() -> None:
    with pytest.raises(ProofError, match="no entry 3"):
        inclusion(HASHES, 3, 3)
