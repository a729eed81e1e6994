"""Pass 5: each part is there and matches, or a later marker says why it is gone."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storage.journal import pseudonym
from storage.verify.lines import LineCheck
from storage.verify.members import is_count
from storage.verify.report import Report
from storage.verify.source import Beside, HeldPart, StoredSubject
from workflows.binding import commitment

# What is stored under the person who said it; all else is found by who acted.
SAID_BY_A_PERSON = frozenset({"approval.delegated"})
SALT_BYTES = SUBJECT_KEY_BYTES = 32


@dataclass(slots=True)
class Sweep:
    """A sweep of one class; those before it had left nothing below `start`."""

    place: int
    before: int
    said: object  # How many payloads it says that it removed.
    start: int = 0
    count: int = 0


class Markers:
    """Which parts are said to be gone, and from which place on that was said."""

    def __init__(self) -> None:
        self._erased: dict[tuple[int, str], int] = {}
        self._swept: dict[str, int] = {}
        self._sweeps: dict[str, list[Sweep]] = {}
        self._ends: dict[str, list[int]] = {}  # Below which each sweep left nothing.
        self.places: set[int] = set()
        self.selectors: list[object] = []  # Of every hold that is set at some time.

    @classmethod
    def read(cls, lines: Iterable[tuple[int, bytes]]) -> "Markers":
        """Return what these lines mark and what holds select; the walk judges them all."""
        found, reader = cls(), LineCheck(Report())
        for index, line in lines:
            members = reader.read(index, line, Beside())
            if members is not None:
                found.add(index, members["kind"], members["data"])
        found._order()
        return found

    def add(self, index: int, kind: str, data: Mapping[str, Any]) -> None:
        """Take in one marker; it explains only parts of entries before it."""
        if kind == "hold.set":
            self.selectors.append(data.get("selector"))
            return
        self.places.add(index)
        if kind == "retention.sweep":
            cls, before = data.get("cls"), data.get("before")
            if isinstance(cls, str) and is_count(before):
                before = min(before, index)
                self._swept[cls] = max(self._swept.get(cls, 0), before)
                self._sweeps.setdefault(cls, []).append(Sweep(index, before, data.get("n")))
            return
        for place, name in _items(data.get("items")):
            if place < index:
                self._erased.setdefault((place, name), index)

    def explain(self, index: int, name: str, cls: str) -> bool:
        """Say whether a marker says that this part is gone."""
        if index >= self._swept.get(cls, 0):
            return (index, name) in self._erased
        self._count(index, name, cls)
        return True

    def sweeps(self) -> Iterator[Sweep]:
        """Yield the sweeps, with how many of the parts that were asked for each removed."""
        for some in self._sweeps.values():
            yield from some

    def _order(self) -> None:
        """Bring the sweeps of each class into the order of the log; a context is read last."""
        for cls, some in self._sweeps.items():
            some.sort(key=lambda one: one.place)
            end = 0
            for one in some:
                one.start, end = end, max(end, one.before)
            self._ends[cls] = [max(one.start, one.before) for one in some]

    def _count(self, index: int, name: str, cls: str) -> None:
        """Count a part for the first sweep that passed it, unless it was erased before that."""
        ends = self._ends.get(cls)
        if ends:
            sweep = self._sweeps[cls][bisect_right(ends, index)]
            if self._erased.get((index, name), sweep.place) >= sweep.place:
                sweep.count += 1


class PartCheck:
    """Compares parts with what their entries committed to."""

    def __init__(self, markers: Markers, report: Report, *, withholds: bool = False) -> None:
        """A source that `withholds` need not have every part that is still held."""
        self._markers = markers
        self._report = report
        self._withholds = withholds
        self._met: set[int] = set()
        self._next = 0
        self._absent: list[tuple[int, int]] = []  # From which place to which no entry was met.
        self.held = self.gone = self.withheld = 0

    def check(self, index: int, members: Mapping[str, Any], parts: Sequence[HeldPart]) -> None:
        """Check the parts of one entry."""
        if index != self._next:
            self._absent.append((self._next, index))
        self._next = index + 1
        if members["kind"] in {"erasure", "retention.sweep"}:
            self._met.add(index)
        if not members["parts"] and not parts:
            return
        held: dict[str, HeldPart] = {}
        for part in parts:
            if part.name in held:
                self._report.fail(
                    "disclosure-duplicate",
                    f"Part {part.name} of entry {index} is there twice.",
                    place=index,
                )
            held[part.name] = part
        for name in held.keys() - members["parts"].keys():
            self._report.fail(
                "disclosure-orphan", f"Entry {index} has no part {name}.", place=index
            )
        whose, must = members["actor"]["ref"], members["kind"] in SAID_BY_A_PERSON
        for name, committed in members["parts"].items():
            self._check_one(index, name, committed=committed, part=held.get(name))
            self._check_columns(index, held.get(name), cls=committed["cls"], whose=whose, must=must)

    def finish(self) -> None:
        """Report markers that the first look saw and the walk did not, or the other way."""
        # Behind the last leaf a pack may have lines; that it has more is said elsewhere.
        for index in (one for one in self._met ^ self._markers.places if one < self._next):
            self._report.fail(
                "index-row", f"The columns of entry {index} hide or feign a marker.", place=index
            )
        for one in self._markers.sweeps():
            is_whole = not any(
                start < one.before and one.start < end for start, end in self._absent
            )
            if is_whole and is_count(one.said) and one.said != one.count:
                words = f"Entry {one.place} says that {one.said} payloads went; {one.count} did."
                self._report.mean("sweep-count", words)

    def _check_columns(
        self, index: int, part: HeldPart | None, *, cls: str, whose: str, must: bool
    ) -> None:
        """Sweeps go by the class, erasures by whose a part is: nobody's, or whoever acted."""
        if part is None or part.columns is None:
            return
        stored, subject = part.columns
        if stored != cls or subject not in ({whose} if must else {None, whose}):
            words = f"The columns of part {part.name} of entry {index} are not its own."
            self._report.fail("index-row", words, place=index)

    def _check_one(
        self, index: int, name: str, *, committed: Mapping[str, Any], part: HeldPart | None
    ) -> None:
        is_marked = self._markers.explain(index, name, committed["cls"])
        if part is None and self._withholds and not is_marked:
            self.withheld += 1
            return
        if part is None:
            self.gone += 1
            if not is_marked:
                self._report.fail(
                    "part-missing", f"Part {name} of entry {index} is missing.", place=index
                )
            return
        self.held += 1
        if is_marked:
            self._report.fail(
                "part-not-erased",
                f"Part {name} of entry {index} is marked as gone, yet held.",
                place=index,
            )
        # Zeros behind a shorter salt would give the same commitment.
        fits = len(part.value) == committed["len"] and len(part.salt) == SALT_BYTES
        if not fits or commitment(part.salt, name, part.value) != committed["c"]:
            self._report.fail(
                "part-commitment",
                f"Part {name} of entry {index} is not what was recorded.",
                place=index,
            )


def _items(told: object) -> Iterator[tuple[int, str]]:
    """Yield place and name of each part that a marker lists; what names none is passed over."""
    for item in told if isinstance(told, list) else ():
        match item:
            case [place, str(name)] if is_count(place):
                yield place, name


def check_subjects(subjects: Iterable[StoredSubject], report: Report) -> int:
    """Check that each pseudonym is that of the person behind it; return how many there are."""
    count, met = 0, set()
    for one in subjects:
        count += 1
        is_own = len(one.k) == SUBJECT_KEY_BYTES and pseudonym(one.k, one.external_id) == one.ref
        if not is_own or one.external_id in met:
            report.fail("subject-ref", f"{one.ref} is not the pseudonym of who stands behind it.")
        met.add(one.external_id)
    return count
