"""Passes 1 and 2, hashes: places without gaps, leaves of their lines, the tree and its roots."""

from collections.abc import Sequence
from itertools import pairwise

from storage.entry_bytes import leaf_hash
from storage.tree import Tile, Tree
from storage.verify.report import Report
from storage.verify.source import Source, StoredEntries

TS_FROM_END = slice(-32, -8)


class HashCheck:
    """Builds the tree anew, and keeps its root wherever a head may stand."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._tree = Tree()
        self._tiles: list[Tile] = []
        self._next = 0
        self.roots = {0: self._tree.root()}
        self.times: dict[int, str] = {}  # What the last entry below such a root says.

    @property
    def size(self) -> int:
        """How many entries were met."""
        return self._tree.size

    def take(self, some: StoredEntries, sizes: set[int]) -> list[bytes]:
        """Check the next entries; return their leaves, and keep the roots of these sizes.

        Of an entry without a line the stored leaf counts.
        """
        self._check_places(some.places)
        leaves = [
            stored if line is None else leaf_hash(line)
            for line, stored in zip(some.lines, some.leaves, strict=True)
        ]
        if leaves != some.leaves:
            self._tell_which(some, leaves)
        self._grow(leaves, some.lines, sizes)
        return leaves

    def judge(self, source: Source) -> None:
        """Compare the tree that is stored with the one that was built."""
        if (self._tree.size, self._tree.dump()) != (source.tree() or (0, b"")):
            self._report.fail("tree-state", "The stored tree is not that of the entries.")
        tiles = source.tiles()
        if tiles is not None and tiles != {(one.level, one.n): one.hash for one in self._tiles}:
            self._report.fail("tree-state", "The stored tiles are not those of the entries.")

    def _check_places(self, places: Sequence[int]) -> None:
        if tuple(places) != tuple(range(self._next, self._next + len(places))):
            for before, place in pairwise([self._next - 1, *places]):
                if place != before + 1:
                    words = f"Place {place} follows {before}."
                    self._report.fail("index-count", words, place=place)
        self._next = places[-1] + 1

    def _tell_which(self, some: StoredEntries, leaves: Sequence[bytes]) -> None:
        for index, stored, leaf in zip(some.places, some.leaves, leaves, strict=True):
            if leaf != stored:
                words = f"The leaf of entry {index} is not that of its line."
                self._report.fail("leaf-mismatch", words, place=index)

    def _grow(
        self, leaves: Sequence[bytes], lines: Sequence[bytes | None], sizes: set[int]
    ) -> None:
        before, added = self._tree.size, 0
        for size in sorted(sizes.intersection(range(before + 1, before + len(leaves) + 1))):
            self._tiles += self._tree.extend(leaves[added : size - before])
            added = size - before
            self.roots[size] = self._tree.root()
            line = lines[added - 1]
            if line is not None:
                self.times[size] = time_of(line)
        self._tiles += self._tree.extend(leaves[added:])


def time_of(line: bytes) -> str:
    """Return the `ts` of a line, which stands at the same place in all of them."""
    return line[TS_FROM_END].decode(errors="replace")
