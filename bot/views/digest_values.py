"""What a digest is drawn from: its figures, what waits, and the head of the log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.wording import Who, plural
from workflows.failure_modes import Share


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    """How the runs that ended on one day ended."""

    day: date
    done: int = 0
    refused: int = 0  # Denied, expired or withdrawn.
    failed: int = 0  # Failed, aborted or cancelled.


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowFigures:
    """What became of one workflow's runs."""

    title: str
    started: int = 0
    done: int = 0
    refused: int = 0
    failed: int = 0
    open: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionFigures:
    """What was decided, and how fast."""

    approved: int = 0
    denied: int = 0
    expired: int = 0
    withdrawn: int = 0
    median: timedelta | None = None
    refused: int = 0  # Decisions that did not count.
    own: int = 0  # How many of these were on somebody's own request.


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthFigures:
    """How approvals went in a longer period, and what stands out in it; a sentence each."""

    period: str
    words: str
    findings: Sequence[str] = ()
    causes: Sequence[tuple[str, int]] = ()  # What stopped runs, the most frequent first.
    modes: Sequence[tuple[str, Sequence[Share]]] = ()  # The same, and by step, target and version.


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A run that is not finished, and for whom it waits."""

    title: str
    run: str
    since: datetime
    waits_for: str
    asked: Sequence[str] = ()  # By name.
    thread: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedHead:
    """The head of the log at the end of the period, as a signed note, and how to check it."""

    note: str
    origin: str
    size: int
    vkey: str
    first: int  # The entries of this period, by number, both ends included.
    last: int
    check: str  # The command an outsider runs.
    verified: str = ""  # What our own last verification found, in words.

    @property
    def fingerprint(self) -> str:
        """Return what a person can read back: the first 12 characters of the root."""
        lines = self.note.split("\n")
        return lines[2][:12] if len(lines) > 2 else ""  # noqa: PLR2004 - the note's third line is the root.


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """The five numbers of the period before, which is as long."""

    started: int = 0
    done: int = 0
    refused: int = 0
    failed: int = 0
    median: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestShown:
    """Everything a digest says."""

    since: datetime
    until: datetime
    days: Sequence[DayFigures]
    workflows: Sequence[WorkflowFigures]
    decisions: DecisionFigures
    head: SignedHead
    shadows: int = 0  # Runs in shadow that ended, which are not among the others.
    before: Before | None = None
    health: HealthFigures | None = None
    waiting: Sequence[Waiting] = ()
    waits: int = 0  # How many do, if more than are listed.
    exceptions: Sequence[str] = ()  # One sentence each.
    changes: Sequence[str] = ()  # Keys, policies, definitions, erasures; one sentence each.
    anchors: Sequence[str] = ()  # Who keeps heads outside, each in words with its age.
    failing: Sequence[str] = ()  # Who failed to, or takes no entries; one sentence each.
    readers: Sequence[Who] = ()  # Who is asked to reply with the fingerprint.
    previous: str = ""

    @property
    def waits_in_all(self) -> int:
        """Return how many runs wait for a person."""
        return max(self.waits, len(self.waiting))

    @property
    def unlisted_words(self) -> Sequence[str]:
        """Say how many runs wait beside those that are listed; nothing where none does."""
        more = self.waits_in_all - len(self.waiting)
        return [f"… and {plural(more, 'further run')}"] if more else []

    @property
    def shadow_words(self) -> str:
        """Say of the runs in shadow that they ended, nothing where none did."""
        if not self.shadows:
            return ""
        return f"{plural(self.shadows, 'run')} in shadow ended besides, and changed nothing."
