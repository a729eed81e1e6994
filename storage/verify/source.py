"""What a verification reads: a database today, a pack as well; as stored, never repaired."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from storage.verify.keyring import KeyRing
    from storage.verify.report import Report


class HeldPart(NamedTuple):
    """A part that is still there. `columns` are its class and whose it is, None in a pack."""

    name: str
    salt: bytes
    value: bytes
    columns: tuple[str, str | None] | None = None


class StoredEntry(NamedTuple):
    """An entry as stored. `columns` are the readable copies of its line, None without any.

    A pack has its `row` of the index instead; of an entry outside its range the leaf alone.
    """

    place: int
    line: bytes | None
    leaf: bytes
    columns: tuple[Any, ...] | None = None
    parts: Sequence[HeldPart] = ()
    row: str | None = None


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

    def entries(self, *, with_parts: bool) -> Iterator[StoredEntry]:
        """Yield the placed entries by their place."""

    def heads(self) -> Sequence[StoredHead]:
        """Return every stored note."""

    def anchors(self) -> Sequence[StoredAnchor]:
        """Return the evidence from outside."""

    def tree(self) -> tuple[int, bytes] | None:
        """Return the stored size and frontier."""

    def tiles(self) -> Mapping[tuple[int, int], bytes] | None:
        """Return the stored tiles by level and number; None where none are kept."""

    def markers(self) -> Iterator[tuple[int, bytes]]:
        """Yield place and line of every `erasure` and `retention.sweep`."""

    def pending(self) -> Sequence[bytes]:
        """Return the lines of entries that have no place yet."""

    def repeated(self) -> Sequence[tuple[str, str]]:
        """Return what stands twice though it must not: a code and a sentence each."""

    def subjects(self) -> Iterator[StoredSubject]:
        """Yield everyone behind a pseudonym."""

    def remarks(self) -> Sequence[tuple[str, str]]:
        """Return what is odd about the place the log is kept in: a code and a sentence each."""
