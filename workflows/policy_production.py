"""What a version of a workflow has to show before its effects go unwatched, and what takes it back.

Only effects below destructive are ever unwatched: what cannot be undone asks people always.
"""

from datetime import timedelta
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from workflows.definition_parts import Closed, Slug, Somebody
from workflows.duration import Duration, at_most

MOST_RUNS: Final = 200  # Of one version, as far back as anybody looks.
LONGEST_WINDOW: Final = timedelta(days=365)


class ErrorBudget(Closed):
    """How many runs may fail: of the last `runs` that ended, or of those within a time."""

    failures: Annotated[int, Field(ge=0, le=MOST_RUNS)]
    runs: Annotated[int, Field(ge=1, le=MOST_RUNS)] | None = None
    within: Annotated[Duration, at_most(LONGEST_WINDOW)] | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.runs is None) == (self.within is None):
            raise ValueError("counts over nothing, or twice; write runs or within")
        if self.runs is not None and self.failures >= self.runs:
            raise ValueError("can never burn; allow fewer failures than there are runs")
        return self


class Production(Closed):
    """How a version goes from trial to unattended: by clean runs in a row, on varied inputs."""

    runs: Annotated[int, Field(ge=1, le=MOST_RUNS)]
    varied: Annotated[int, Field(ge=1, le=MOST_RUNS)] = 1  # Different inputs among those runs.
    error_budget: ErrorBudget
    # Who may agree on trial beside owner and deputy, who always may.
    watch: Annotated[tuple[Somebody, ...], Field(min_length=1, max_length=18)] | None = None

    # Workflows whose runs read and plan, and have people say what they did by hand.
    shadow: Annotated[tuple[Slug, ...], Field(min_length=1, max_length=100)] | None = None

    def watchers(self, owner: str, deputy: str) -> tuple[str, ...]:
        """Return who may agree to the effects of a version on trial."""
        return tuple(dict.fromkeys((owner, deputy, *(self.watch or ()))))

    @model_validator(mode="after")
    def _is_within_reach(self) -> Self:
        if self.varied > self.runs:
            raise ValueError("wants more different inputs than runs; raise runs, or lower varied")
        return self
