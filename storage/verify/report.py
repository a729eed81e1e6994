"""What a verification found, and the verdict that follows from it."""

from dataclasses import dataclass, field
from typing import TypeAlias

from storage.verify.words import FAULTS

Finding: TypeAlias = tuple[str, str]

MOST_SHOWN = 100
VERIFIED, BROKEN, MALFORMED, UNPROVEN = 0, 1, 2, 3
UNFINISHED = "Not everything was checked."
SAYS_NOTHING = "Not verified: nothing could be read, which says nothing of the log."
VERDICTS = {
    VERIFIED: "Verified: the history shown is the history recorded.",
    BROKEN: "BROKEN: the history shown is not the history recorded.",
    MALFORMED: "Not verified: the input cannot be read.",
    UNPROVEN: "Nothing wrong found, but something is unproven.",
}


def printable(text: str) -> str:
    """Return a text on one line, with a question mark for each sign that is none."""
    return "".join(one if one.isprintable() else "?" for one in text)


@dataclass(slots=True)
class Report:
    """Findings by level.

    Of the failures the first hundred are kept, and the first of each code; all are counted. Where
    nothing was found, that says something only of a verification that was through.
    """

    failures: list[Finding] = field(default_factory=list)
    n_failures: int = 0
    unproven: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    semantics: list[Finding] = field(default_factory=list)
    counts: dict[str, int | str] = field(default_factory=dict)
    malformed: str | None = None
    is_through: bool = False  # Every check was made to its end.
    is_away: bool = False  # `malformed` then says so: nothing was seen of what it is about.
    first_at: int | None = None  # The earliest entry that a failure is about.
    first_run: str | None = None  # Of which run that one is.
    _first_code: str = ""

    @property
    def exit(self) -> int:
        """0 verified, 1 broken, 2 unreadable, 3 nothing wrong but something unproven."""
        if self.malformed is not None:
            return MALFORMED
        if self.n_failures:
            return BROKEN
        if not self.is_through:
            return MALFORMED
        return UNPROVEN if self.unproven else VERIFIED

    @property
    def codes(self) -> set[str]:
        """The codes of the failures."""
        return {code for code, _text in self.failures}

    def fail(self, code: str, text: str, *, place: int | None = None) -> None:
        """Note a failure; `place` is that of the entry that it is about, if it is about one."""
        self.n_failures += 1
        if place is not None and (self.first_at is None or place < self.first_at):
            self.first_at, self._first_code = place, code
        if len(self.failures) < MOST_SHOWN or code not in self.codes:
            self.failures.append((code, text))

    def doubt(self, code: str, text: str) -> None:
        """Note something unproven."""
        self._note(self.unproven, code, text)

    def warn(self, code: str, text: str) -> None:
        """Note something odd that decides nothing."""
        self._note(self.warnings, code, text)

    def mean(self, code: str, text: str) -> None:
        """Note that the entries tell of something that the rules do not allow."""
        self._note(self.semantics, code, text)

    def to_json(self) -> dict[str, object]:
        """Return the report as `--json` prints it."""
        shown = [[self._unread, self._why]] if self._why is not None else []
        return {
            "ok": self.exit == VERIFIED,
            "exit": self.exit,
            "counts": self.counts,
            "failures": [*shown, *map(list, self.failures)],
            "n_failures": len(shown) + self.n_failures,
            "unproven": [list(one) for one in self.unproven],
            "warnings": [list(one) for one in self.warnings],
            "semantics": [list(one) for one in self.semantics],
        }

    def lines(self) -> list[str]:
        """Return the report for people, the verdict last.

        What a pack says may hold line ends and what moves a terminal, so none of it is printed.
        """
        return [printable(one) for one in self._lines()]

    def _lines(self) -> list[str]:
        found = [f"{name}: {value}" for name, value in self.counts.items()]
        if self._why is not None:
            found.append(f"{self._unread}: {self._why}")
        for level, findings in (
            ("failure", self.failures),
            ("unproven", self.unproven),
            ("warning", self.warnings),
        ):
            found += [f"{level} {code}: {text}" for code, text in findings]
        if self.n_failures > len(self.failures):
            found.append(f"… and {self.n_failures - len(self.failures)} failures more")
        if self.semantics:
            found.append("What the entries tell (this does not change the verdict):")
            found += [f"  {code}: {text}" for code, text in self.semantics]
        return [*found, *self._first(), SAYS_NOTHING if self.is_away else VERDICTS[self.exit]]

    @property
    def _why(self) -> str | None:
        """Why there is no verdict, None if there is one."""
        unfinished = UNFINISHED if self.exit == MALFORMED else None
        return unfinished if self.malformed is None else self.malformed

    @property
    def _unread(self) -> str:
        return "away" if self.is_away else "malformed"

    def _first(self) -> list[str]:
        """Return what is wrong where it begins, in plain words."""
        if not self.failures:
            return []
        if self.first_at is None:
            # That a file differs says least: whatever was found in it says more.
            codes = [code for code, _text in self.failures]
            inside = (code for code in codes if not code.startswith("file-"))
            return [f"First fault: {FAULTS[next(inside, codes[0])]}."]
        run = "" if self.first_run is None else f", of the run {self.first_run}"
        return [f"First fault: {FAULTS[self._first_code]}. It is entry {self.first_at}{run}."]

    @staticmethod
    def _note(findings: list[Finding], code: str, text: str) -> None:
        # Of each code one at least: a hundred open runs hide nothing else.
        if len(findings) < MOST_SHOWN or all(known != code for known, _text in findings):
            findings.append((code, text))
