"""What an effect takes of which budgets, and whether there is room for it.

An effect takes its share in the commit that announces it, under the budget's lock, so runs
that begin at the same moment never take more than there is. What certainly did not happen
gives its share back; what is in doubt keeps it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from workflows.binding import MOST_INTEGER
from workflows.conditions import PLAN, applies, plan_environment
from workflows.duration import duration_text
from workflows.entry import Actor, Json
from workflows.errors import ExpressionError, OverBudgetError, UncountableError
from workflows.policy import Policy
from workflows.policy_budgets import Budget
from workflows.policy_facts import Facts
from workflows.store import Ledger, Store, Taken, Unit

REQUESTER = "requester"
# Names of files and actions. Whatever else a value is made of may tell of a person.
IMPERSONAL = frozenset({"effect", "workflow", "step", "action", "hour", "weekday"})
LONGEST_PLAIN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one effect takes of one budget; `per` is for whom it counts, "" for everybody."""

    budget: Budget
    amount: int
    per: str = ""

    @property
    def shown(self) -> str:
        """Return the budget as people know it."""
        return f"{self.budget.name} (for {self.per})" if self.per else self.budget.name

    @property
    def is_plain(self) -> bool:
        """Whether the log may name what it counts for as it is."""
        if self.budget.per is None:
            return True
        reads = plan_environment().references(self.budget.per)
        return reads <= IMPERSONAL and len(self.per) <= LONGEST_PLAIN

    def is_the_requesters(self, requester: Actor | None) -> bool:
        """Say whether it counts for the person who asked, whose pseudonym then names it."""
        is_person = requester is not None and requester.is_person
        return is_person and (self.budget.per or "").strip() == REQUESTER


def shares(policy: Policy, facts: Facts, plan: Callable[[], Json]) -> tuple[Share, ...]:
    """Return what an effect takes, in order of the budgets' names; `plan` gives its plan's data.

    A budget whose condition cannot be evaluated counts as one that is about it.

    Raises:
        UncountableError: a budget cannot say how much it takes, or for whom.
        ActionError: the plan could not be made.
    """
    budgets, told = policy.budgets or (), policy.told(facts)
    meant = [one for one in budgets if applies(one.when, told, unsure=True)]
    if any(_looks_at_plan(one) for one in meant):
        data = plan()
        told = {**told, PLAN: data if isinstance(data, Mapping) else {}}
    found = (_share(one, facts, told) for one in sorted(meant, key=lambda one: one.name))
    return tuple(one for one in found if one.amount)


def _looks_at_plan(budget: Budget) -> bool:
    texts = [budget.amount, *([budget.per] if budget.per is not None else [])]
    return any(PLAN in plan_environment().references(text) for text in texts)


def _share(budget: Budget, facts: Facts, told: Mapping[str, Json]) -> Share:
    try:
        amount = plan_environment().evaluate(budget.amount, told)
        per = "" if budget.per is None else plan_environment().evaluate(budget.per, told)
    except ExpressionError as error:
        raise _uncountable(budget, facts, error.message) from error
    if isinstance(amount, bool) or not isinstance(amount, int) or not 0 <= amount <= MOST_INTEGER:
        raise _uncountable(budget, facts, f"its amount is {amount!r}, not a whole number from 0 on")
    if not isinstance(per, str) or (budget.per is not None and not per):
        raise _uncountable(budget, facts, f"its per is {per!r}, not a text")
    return Share(budget=budget, amount=amount, per=per)


def _uncountable(budget: Budget, facts: Facts, why: str) -> UncountableError:
    return UncountableError(
        f"The budget {budget.name} cannot say what step {facts.step} takes: {why}.",
        hint="Correct the budget in the policy, then retry the step.",
    )


def reserve(unit: Unit, wanted: Sequence[Share], requester: Actor | None) -> list[Json]:
    """Return the shares as the announcement carries them; until then nobody else takes any.

    Raises:
        OverBudgetError: there is not enough of some of them.
    """
    # Everybody asks for budgets in the order of their names, so no two wait for each other.
    keys = [_key(unit, one, requester) for one in wanted]
    for one, key in zip(wanted, keys, strict=True):
        unit.hold_budget(one.budget.name, key)
    states = [
        Standing.read(unit, one, key, now=unit.now) for one, key in zip(wanted, keys, strict=True)
    ]
    if over := " ".join(one.words for one in states if one.is_over):
        raise OverBudgetError(over, hint="Retry the step when there is room.")
    return [
        {"name": one.budget.name, "key": key, "amount": one.amount}
        for one, key in zip(wanted, keys, strict=True)
    ]


def _key(unit: Unit, share: Share, requester: Actor | None) -> str:
    known = plain_key(share, requester)
    return unit.budget_key(share.budget.name, share.per) if known is None else known


def plain_key(share: Share, requester: Actor | None) -> str | None:
    """Return what the log calls whom a share counts for, None where it needs a pseudonym."""
    if requester is not None and share.is_the_requesters(requester):
        return requester.ref
    return share.per if share.is_plain else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a budget stands when an effect would take its share of it."""

    share: Share
    used: int
    comes_at: datetime | None = None  # When there is room; None where there is, or never will be.

    @classmethod
    def read(cls, ledger: Ledger, share: Share, key: str | None, *, now: datetime) -> Self:
        """Return how it stands; without a key nothing was ever taken."""
        name, since = share.budget.name, now - share.budget.window
        used = 0 if key is None else ledger.budget_used(name, key, since=since)
        found = cls(share=share, used=used)
        if key is None or not found.is_over:
            return found
        return replace(found, comes_at=found.room_after(ledger.taken(name, key, since=since)))

    @property
    def is_over(self) -> bool:
        """Whether there is not enough."""
        return self.used + self.share.amount > self.share.budget.limit

    def room_after(self, taken: Sequence[Taken]) -> datetime | None:
        """Return when enough of what was taken, oldest first, has left the window."""
        used = self.used
        for one in taken:
            used -= one.amount
            if used + self.share.amount <= self.share.budget.limit:
                return one.at + self.share.budget.window
        return None

    @property
    def words(self) -> str:
        """Return it for people."""
        budget, share = self.share.budget, self.share
        used = f"{self.used:,} of {budget.limit:,} used in {duration_text(budget.window)}"
        told = f"Budget {share.shown}: {used}, this takes {share.amount:,}."
        if not self.is_over:
            return told
        if self.comes_at is None:
            return f"{told} There is never room for that much."
        # The moment itself is told as the minute after it, so that nobody comes too early.
        at = self.comes_at + timedelta(minutes=1)
        return f"{told} There is not enough; there is room from {at:%Y-%m-%d %H:%M} UTC on."


def budget_lines(
    ledger: Store, wanted: Sequence[Share], requester: Actor | None, *, now: datetime
) -> list[str]:
    """Return how each budget stands and what an effect would take of it, for people.

    Raises:
        OverBudgetError: an effect takes more than there ever is.
    """
    states = [
        Standing.read(ledger, one, _known_key(ledger, one, requester), now=now) for one in wanted
    ]
    if never := " ".join(one.words for one in states if one.share.amount > one.share.budget.limit):
        raise OverBudgetError(never, hint="Nobody was asked; ask for less.")
    return [one.words for one in states]


def _known_key(ledger: Store, share: Share, requester: Actor | None) -> str | None:
    known = plain_key(share, requester)
    return ledger.known_budget_key(share.budget.name, share.per) if known is None else known
