"""The announcement of an effect: what it takes of budgets, or that there is no room for it.

Whether there is room is decided under the budgets' locks, in the commit of the announcement.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property

from workflows.asking import plan_of
from workflows.budgets import Share, reserve, shares
from workflows.entry import Draft, Json
from workflows.errors import OverBudgetError
from workflows.quick_json import loaded
from workflows.ready import Ready
from workflows.run import StepState
from workflows.segment import Segment
from workflows.step_facts import facts_of
from workflows.stopping import code_of, stop_draft
from workflows.store import Unit


class Announcement:
    """An effect about to be announced."""

    def __init__(self, segment: Segment, ready: Ready, spared: Sequence[Draft] = ()) -> None:
        """`spared` are facts that let it go on without asking anybody; they go with it."""
        self._segment = segment
        self._ready = ready
        self._spared = spared

    @property
    def state(self) -> StepState:
        """Return where the step stands."""
        return self._segment.state.step(self._ready.step.id)

    @property
    def is_limited(self) -> bool:
        """Whether it takes of budgets, so that it may turn out that there is no room."""
        return bool(self.shares)

    @cached_property
    def shares(self) -> tuple[Share, ...]:
        """What it takes of budgets.

        Raises:
            UncountableError: a budget cannot say how much.
            ActionError: the plan that a budget counts by could not be made.
        """
        policy = self._segment.house.policy()
        if policy.budgets is None:
            return ()
        return shares(policy, facts_of(self._segment, self._ready), lambda: self.plan)

    @cached_property
    def plan(self) -> Json:
        """The data of its plan: the one that was approved, or else what it would do now."""
        approved = approved_plan(self.state)
        return plan_of(self._segment, self._ready).data if approved is None else approved

    @property
    def known_plan(self) -> Json:
        """The plan that the effect has to keep to, None where nobody rests on one."""
        return approved_plan(self.state) if "plan" not in self.__dict__ else self.plan

    def commit(
        self, draft: Draft, *, then: Callable[[Unit], None] = lambda _: None, rests: bool = False
    ) -> bool:
        """Record `draft` with its shares and do `then`; or, if there is no room, stop the step.

        False when others have written to the run meanwhile, as with `Segment.commit`.

        Raises:
            UncountableError, ActionError: as `shares`.
        """
        wanted = self.shares  # Read before the transaction, since a plan may ask a service.

        def record(unit: Unit) -> Draft:
            try:
                taken = reserve(unit, wanted, self._segment.state.requester)
            except OverBudgetError as error:
                return stop_draft(self._segment, self._ready.step.id, code_of(error), str(error))
            then(unit)
            return replace(draft, data={**draft.data, "budgets": taken}) if taken else draft

        return self._segment.commit(*self._spared, record, rests=rests)


def approved_plan(state: StepState) -> Json:
    """Return the data of the plan that was approved, None if none was, or it was taken back."""
    asked = state.asked if state.request is not None else None
    part = asked.parts.get("plan") if asked is not None else None
    found: Json = loaded(part.value)["data"] if part is not None and part.value else None
    return found
