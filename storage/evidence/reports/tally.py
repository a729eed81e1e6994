"""The counts of the readable report, taken from the rows on their way."""

from collections import Counter
from dataclasses import dataclass, field

from storage.evidence.reports.columns import APPROVALS, EXCEPTIONS, POPULATION, SOD
from storage.evidence.reports.fact import Cells

NO_RULE = "(no rule named)"
NO_WORKFLOW = "(begun before the range)"
# Up to how many seconds a decision took, and how that is said.
SPANS = (
    (60, "up to 1 min"),
    (600, "up to 10 min"),
    (3_600, "up to 1 h"),
    (14_400, "up to 4 h"),
    (86_400, "up to 1 day"),
)
LONGER = "over 1 day"


@dataclass(slots=True)
class Tally:
    """How many of what a range tells."""

    rows: Counter[str] = field(default_factory=Counter)  # By report.
    outcomes: Counter[str] = field(default_factory=Counter)
    workflows: Counter[str] = field(default_factory=Counter)
    approved: Counter[str] = field(default_factory=Counter)  # By rule.
    denied: Counter[str] = field(default_factory=Counter)
    spans: Counter[str] = field(default_factory=Counter)
    overlaps: Counter[str] = field(default_factory=Counter)
    exceptions: Counter[str] = field(default_factory=Counter)
    open_intents: int = 0

    def take(self, report: str, cells: Cells) -> None:
        """Count one row."""
        self.rows[report] += 1
        if report == POPULATION:
            self.outcomes[str(cells["outcome"])] += 1
            self.workflows[str(cells.get("workflow") or NO_WORKFLOW)] += 1
        elif report == APPROVALS:
            self._decided(cells)
        elif report == SOD and not cells.get("refused"):
            self.overlaps[str(cells["overlap"])] += 1
        elif report == EXCEPTIONS:
            self.exceptions[str(cells["exception"])] += 1

    def _decided(self, cells: Cells) -> None:
        by = self.approved if cells["decision"] == "approved" else self.denied
        by[str(cells.get("rules") or NO_RULE)] += 1
        took = cells.get("seconds")
        if isinstance(took, int):
            self.spans[next((name for most, name in SPANS if took <= most), LONGER)] += 1
