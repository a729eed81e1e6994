"""How the runs of one version went, and whether it has earned to go unwatched or lost that.

Pure: what was read and the policy's rule in, the verdict and its reasons out.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import takewhile

from workflows.binding import json_bytes
from workflows.entry import Json, RunId
from workflows.moments import stamp
from workflows.policy_production import ErrorBudget, Production

UNVERIFIED = "verification_failed"
FAILING = frozenset({"failed", "aborted"})


class Level(StrEnum):
    """How far a version is trusted."""

    TRIAL = "trial"
    UNATTENDED = "unattended"


class Reason(StrEnum):
    """Why a level changed."""

    EARNED = "earned"
    UNVERIFIED = UNVERIFIED
    BUDGET = "error_budget"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Something that stopped a run: why, at which step, and what the step was about."""

    run: RunId
    cause: str
    step: str
    target: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSeen:
    """One run of the version. `inputs` are None once they were erased."""

    run: RunId
    outcome: str | None
    ended_at: datetime | None
    inputs: Mapping[str, Json] | None
    failures: tuple[Failure, ...]

    @property
    def at(self) -> datetime | None:
        """Return when it was known how it went, None while it is not."""
        return self.failures[0].at if self.failures else self.ended_at

    @property
    def has_failed(self) -> bool:
        """Whether something stopped it, also where a person helped it on."""
        return bool(self.failures) or self.outcome in FAILING

    @property
    def is_clean(self) -> bool:
        """Whether it did what it is for, and nobody had to help."""
        return self.outcome == "done" and not self.failures


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowSeen:
    """A run in shadow that has ended: at which steps people did the same or something else.

    `untold` are steps of which nothing could be told, or nobody said anything.
    """

    run: RunId
    at: datetime
    same: tuple[str, ...]
    differs: tuple[str, ...]
    untold: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether people did by hand exactly what it would have done, and said so of all of it."""
        return bool(self.same) and not self.differs and not self.untold

    @property
    def compares(self) -> bool:
        """Whether it came to anything that could be compared."""
        return bool(self.same or self.differs or self.untold)


@dataclass(frozen=True, slots=True, kw_only=True)
class Soak:
    """The newest runs of one version, and how far it is trusted since when."""

    workflow: str
    version: str
    level: Level
    since: datetime
    runs: Sequence[RunSeen]

    @property
    def settled(self) -> list[tuple[datetime, RunSeen]]:
        """Return the runs that ended or failed at this level, in order."""
        known = [(one.at, one) for one in self.runs if one.at is not None and one.at > self.since]
        return sorted(known, key=lambda one: (one[0], one[1].run))

    @property
    def streak(self) -> list[RunSeen]:
        """Return the clean runs since the last failure; what people stopped does not count."""
        newest = (one for _, one in reversed(self.settled))
        return [one for one in takewhile(lambda one: not one.has_failed, newest) if one.is_clean]

    @property
    def inputs(self) -> int:
        """Return on how many different inputs these ran."""
        return len({json_bytes(dict(one.inputs)) for one in self.streak if one.inputs is not None})

    @property
    def failures(self) -> list[Failure]:
        """Return what went wrong at this level, the newest first."""
        found = [each for _, one in self.settled for each in one.failures]
        return sorted(found, key=lambda one: one.at, reverse=True)

    def failed(self, budget: ErrorBudget, *, now: datetime) -> int:
        """Return how many runs failed that count for the error budget."""
        settled = self.settled
        if budget.runs is not None:
            settled = settled[-budget.runs :]
        if budget.within is not None:
            settled = [one for one in settled if now - one[0] <= budget.within]
        return sum(one.has_failed for _, one in settled)


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Where a version stands against the policy's rule, and what it still lacks."""

    soak: Soak
    rule: Production
    failed: int
    wanted_inputs: int

    @property
    def level(self) -> Level:
        """Return the level that the version has by its runs, recorded or not."""
        return self.soak.level if self.change is None else self.change[0]

    @property
    def budget_left(self) -> int:
        """Return how many runs may fail still; below zero the budget is burnt."""
        return self.rule.error_budget.failures - self.failed

    @property
    def change(self) -> tuple[Level, Reason] | None:
        """Return the level that the version has to have now and why, None where it has it."""
        if self.soak.level is Level.TRIAL:
            return (Level.UNATTENDED, Reason.EARNED) if not self.missing else None
        if any(one.cause == UNVERIFIED for one in self.soak.failures):
            return Level.TRIAL, Reason.UNVERIFIED
        return (Level.TRIAL, Reason.BUDGET) if self.budget_left < 0 else None

    @property
    def missing(self) -> tuple[str, ...]:
        """Return what a version on trial lacks, in words; nothing once it is unattended."""
        return tuple(self._missing()) if self.soak.level is Level.TRIAL else ()

    def _missing(self) -> Iterator[str]:
        wanted = (
            ("clean run{} in a row", len(self.soak.streak), self.rule.runs),
            ("different input{}", self.soak.inputs, self.wanted_inputs),
        )
        for words, have, need in wanted:
            if have < need:
                left = need - have
                yield f"{left} more {words.format('s' * (left > 1))} ({have} of {need})"


def readiness(soak: Soak, rule: Production, *, takes_inputs: bool, now: datetime) -> Readiness:
    """Return where a version stands; one without inputs cannot vary them."""
    return Readiness(
        soak=soak,
        rule=rule,
        failed=soak.failed(rule.error_budget, now=now),
        wanted_inputs=rule.varied if takes_inputs else 1,
    )


def certificate(found: Readiness) -> dict[str, Json]:
    """Return what a change of level rests on: the rule, the runs, their inputs and failures."""
    soak = found.soak
    settled = [one for _, one in soak.settled]
    outcomes = Counter("failed" if one.has_failed else str(one.outcome) for one in settled)
    modes = Counter((one.cause, one.step, one.target) for one in soak.failures)
    return {
        "workflow": soak.workflow,
        "version": soak.version,
        "since": stamp(soak.since),
        "rule": {
            "runs": found.rule.runs,
            "varied": found.wanted_inputs,
            "failures": found.rule.error_budget.failures,
        },
        "clean": len(soak.streak),
        "inputs": soak.inputs,
        "varied": dict(_varied(soak.streak)),
        "outcomes": dict(sorted(outcomes.items())),
        "failed": found.failed,
        "pareto": [
            {"cause": cause, "step": step, "target": target, "n": n}
            for (cause, step, target), n in modes.most_common()
        ],
        "runs": [one.run for one in settled],
    }


def _varied(runs: Sequence[RunSeen]) -> Iterator[tuple[str, int]]:
    """Yield each input with how many different values it had."""
    known = [one.inputs for one in runs if one.inputs is not None]
    for name in sorted({name for one in known for name in one}):
        yield name, len({json_bytes(one.get(name)) for one in known})
