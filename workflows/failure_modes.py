"""What stops runs, by cause, version, step and target: the few modes that make most of it. Pure."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

MOST_SHOWN = 6


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class FailureMode:
    """One way in which runs came to stand; `target` is what the step was to change, if anything."""

    workflow: str
    version: str
    step: str
    target: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One bar of a Pareto chart; `so_far` is the percentage of all up to and with this one."""

    label: str
    times: int
    so_far: int

    @property
    def words(self) -> str:
        """Say the bar in words."""
        count = "once" if self.times == 1 else f"{self.times} times"
        return f"{self.label}: {count}, {self.so_far} % of all so far"


By = Callable[[FailureMode], str]

VIEWS: Mapping[str, By] = {
    "step": lambda one: f"{one.workflow}/{one.step}",
    "target": lambda one: one.target or "nothing that is changed",
    "version": lambda one: f"{one.workflow} {one.version[:8]}",
}


def pareto(modes: Counter[FailureMode], by: By) -> list[Share]:
    """Return how often each sort of failure came up, the most frequent first."""
    counted: Counter[str] = Counter()
    for mode, times in modes.items():
        counted[by(mode)] += times
    ordered = sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    shares, so_far = [], 0
    for label, times in ordered:
        so_far += times
        share = so_far * 100 // counted.total()
        shares.append(Share(label=label, times=times, so_far=share))
    return shares


def shortened(shares: Sequence[Share]) -> list[Share]:
    """Return the first few, and all the others as one."""
    if len(shares) <= MOST_SHOWN:
        return [*shares]
    first, rest = shares[: MOST_SHOWN - 1], shares[MOST_SHOWN - 1 :]
    others = Share(label=f"{len(rest)} others", times=sum(one.times for one in rest), so_far=100)
    return [*first, others]
