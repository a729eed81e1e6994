"""What a verification reads: a database today, a pack as well; as stored, never repaired."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from storage.verify.keyring import KeyRing
    from storage.verify.report import Report

MOST_TOLD = 100


class HeldPart(NamedTuple):
    """A part that is still there. `columns` are its class and whose it is, None in a pack."""

    name: str
    salt: bytes
    value: bytes
    columns: tuple[str, str | None] | None = None


class Beside(NamedTuple):
    """What is kept beside the line of an entry: the readable copies of it, and its parts.

    The copies are `columns` in a database, a `row` of the index in a pack; None without any.
    """

    columns: tuple[Any, ...] | None = None
    row: str | None = None
    parts: Sequence[HeldPart] = ()


class StoredEntries(NamedTuple):
    """Some entries as stored, by their place; a few hundred at most, so that they fit in memory.

    Of an entry outside the range of a pack there is the leaf alone. `beside` is asked with the
    number of an entry among these, in their order.
    """

    places: Sequence[int]
    lines: Sequence[bytes | None]
    leaves: list[bytes]
    beside: Callable[[int], Beside]


class StoredHead(NamedTuple):
    """A note as stored, under the size that its row names."""

    size: int
    note: str


class StoredSubject(NamedTuple):
    """Who is behind a pseudonym, and the key it was made with."""

    ref: str
    k: bytes
    external_id: str


class StoredAnchor(NamedTuple):
    """What somebody outside gave for the head of that size."""

    size: int
    type: str
    content: bytes


class Source(Protocol):
    """One snapshot of a log."""

    @property
    def withholds(self) -> bool:
        """Whether a part that is not here may be held elsewhere."""

    def unreadable(self) -> Sequence[tuple[str, str]]:
        """Return what was found broken while reading: a code and a sentence each."""

    def judge(self, ring: "KeyRing", report: "Report") -> None:
        """Check what vouches for the whole: a manifest, proofs, files beside the log."""

    def expected(self) -> int:
        """Return how many entries there should be, for a progress bar; no check rests on it."""

    def entries(self, *, whole: bool) -> Iterator[StoredEntries]:
        """Yield the placed entries by their place.

        With `whole`, what stands beside them is asked of each line; without, of a few, and it
        has no parts.
        """

    def leaves_before(self) -> Iterator[bytes]:
        """Yield the leaves before the first entry that is here as a part of runs.

        It is asked after `entries`.
        """

    def heads(self) -> Sequence[StoredHead]:
        """Return every stored note."""

    def anchors(self) -> Sequence[StoredAnchor]:
        """Return the evidence from outside."""

    def tree(self) -> tuple[int, bytes] | None:
        """Return the stored size and frontier."""

    def tiles(self) -> Mapping[tuple[int, int], bytes] | None:
        """Return the stored tiles by level and number; None where none are kept."""

    def markers(self) -> Iterator[tuple[int, bytes]]:
        """Yield place and line of every `erasure`, `retention.sweep` and `hold.set`."""

    def pending(self) -> Iterator[StoredEntries]:
        """Yield the entries that have no place yet, in the order in which they came.

        What stands as their places means nothing.
        """

    def repeated(self) -> Sequence[tuple[str, str]]:
        """Return what stands twice though it must not: a code and a sentence each."""

    def subjects(self) -> Iterator[StoredSubject]:
        """Yield everyone behind a pseudonym."""

    def remarks(self) -> Sequence[tuple[str, str]]:
        """Return what is odd about the place the log is kept in: a code and a sentence each."""


class Ahead:
    """Parts in the order of their entries, looked at one ahead."""

    def __init__(self, parts: Iterator[tuple[int, HeldPart]]) -> None:
        """Take parts, each with the number of its entry."""
        self._parts = parts
        self._next = next(parts, None)

    def take(self, number: int) -> list[HeldPart]:
        """Return the parts of the entry with that number, if it is the next that has any."""
        found = []
        while self._next is not None and self._next[0] == number:
            found.append(self._next[1])
            self._next = next(self._parts, None)
        return found

    def left(self) -> list[int]:
        """Return the numbers of parts that belong to no entry that was met."""
        if self._next is None:
            return []
        return sorted({self._next[0], *(number for number, _ in self._parts)})[:MOST_TOLD]
