"""Where the active version of a workflow stands against the policy's bar, read beside whoever runs.

The rules are `workflows.soak`; levels are recorded by the engine. Here they are told in words.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.error_words import error_words
from bot.wording import plural, utc
from storage.shadow_sql import ShadowSql
from storage.soak_sql import SoakSql
from storage.transaction import Database
from workflows.definition import Definition
from workflows.duration import duration_text
from workflows.moments import stamp
from workflows.policy import Policy
from workflows.policy_production import MOST_RUNS, ErrorBudget
from workflows.shadowing import starts_in_shadow
from workflows.soak import Failure, Level, Readiness, ShadowSeen, readiness

MOST_FAILURES = 5
NO_BAR = "The policy has no bar for production, so no version has anything to earn."
LEVELS: Mapping[Level, str] = {
    Level.TRIAL: "on trial: owner or deputy agree to each effect",
    Level.UNATTENDED: "unattended: effects below destructive go without anybody watching",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stands:
    """A workflow's active version; `found` is None where the policy has no bar."""

    definition: Definition
    found: Readiness | None
    shadows: tuple[ShadowSeen, ...] = ()
    is_in_shadow: bool = False

    @property
    def is_unattended(self) -> bool:
        """Whether its effects go without anybody watching."""
        if self.is_in_shadow:
            return False
        return self.found is None or self.found.level is Level.UNATTENDED

    @property
    def compared(self) -> list[ShadowSeen]:
        """Return the runs in shadow that planned something which people could do by hand."""
        return [one for one in self.shadows if one.compares]


def read_readiness(
    database: Database, policy: Policy, definition: Definition, *, now: datetime
) -> Stands:
    """Return where `definition` stands as its runs tell it at `now`."""
    rule = policy.production
    if rule is None:
        return Stands(definition=definition, found=None)
    with database.glance() as tx:
        soak = SoakSql(tx).soak(definition.version, most=MOST_RUNS)
        shadows = ShadowSql(tx).ended(definition.workflow, definition.version, most=MOST_RUNS)
    if soak is None:
        return Stands(definition=definition, found=None)
    return Stands(
        definition=definition,
        found=readiness(soak, rule, takes_inputs=bool(definition.inputs), now=now),
        shadows=tuple(shadows),
        is_in_shadow=starts_in_shadow(policy, definition.workflow),
    )


def readiness_lines(stands: Stands) -> Iterator[str]:
    """Yield the answer in plain sentences: its level, what is missing and left, what failed."""
    definition, found = stands.definition, stands.found
    if found is None:
        yield NO_BAR
        return
    soak, budget = found.soak, found.rule.error_budget
    yield f"{definition.workflow} {definition.version[:8]} is {LEVELS[found.level]}."
    clean, inputs = plural(len(soak.streak), "clean run"), plural(soak.inputs, "different input")
    yield f"{clean} in a row since {utc(soak.since)}, on {inputs}."
    if found.level is Level.TRIAL:
        missing = " and ".join(found.missing) or "all of it, since that was lost just now"
        yield f"Missing: {missing}."
    left = max(found.budget_left, 0)
    yield f"Error budget: {left} of {plural(budget.failures, 'failure')} left, {_over(budget)}."
    newest = soak.failures[:MOST_FAILURES]
    if newest:
        yield "Failed last:"
        yield from (f"  {_failure_words(one)}" for one in newest)
    yield from _shadow_lines(stands)


def _shadow_lines(stands: Stands) -> Iterator[str]:
    """Yield how often people did by hand what its runs in shadow had planned."""
    if stands.is_in_shadow:
        yield "Its runs start in shadow: they read and plan, and change nothing."
    compared = stands.compared
    if not compared:
        return
    agreed = sum(one.agrees for one in compared)
    yield f"In shadow people did as planned in {agreed} of {plural(len(compared), 'run')}."
    others = [one for one in compared if not one.agrees][:MOST_FAILURES]
    if others:
        yield "Not as planned last:"
        yield from (f"  {_shadow_words(one)}" for one in others)


def _shadow_words(one: ShadowSeen) -> str:
    told = [f"{step} was done otherwise" for step in one.differs]
    told += [f"nothing was told of {step}" for step in one.untold]
    return f"{utc(one.at)}  {one.run}  {', '.join(told)}"


def _over(budget: ErrorBudget) -> str:
    if budget.within is not None:
        return f"within {duration_text(budget.within)}"
    return f"over the last {plural(budget.runs or 0, 'run')}"


def _failure_words(one: Failure) -> str:
    about = f" ({one.target})" if one.target else ""
    return f"{utc(one.at)}  {one.run}  at {one.step}{about}: {error_words(one.cause)}"


def readiness_data(stands: Stands) -> dict[str, Any]:
    """Return the answer as data."""
    definition, found = stands.definition, stands.found
    named = {"workflow": definition.workflow, "version": definition.version}
    if found is None:
        return {**named, "level": None}
    soak = found.soak
    return {
        **named,
        "level": found.level.value,
        "since": stamp(soak.since),
        "clean": len(soak.streak),
        "inputs": soak.inputs,
        "missing": list(found.missing),
        "budget": {
            "failures": found.rule.error_budget.failures,
            "failed": found.failed,
            "left": found.budget_left,
        },
        "in_shadow": stands.is_in_shadow,
        "shadow": {
            "runs": len(stands.compared),
            "agreed": sum(one.agrees for one in stands.compared),
            "differences": [
                {
                    "run": one.run,
                    "at": stamp(one.at),
                    "differs": list(one.differs),
                    "untold": list(one.untold),
                }
                for one in stands.compared
                if not one.agrees
            ][:MOST_FAILURES],
        },
        "failures": [
            {
                "run": one.run,
                "step": one.step,
                "target": one.target,
                "cause": one.cause,
                "at": stamp(one.at),
            }
            for one in soak.failures[:MOST_FAILURES]
        ],
    }
