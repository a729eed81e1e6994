"""Drives runs: what people and programs ask for comes in here, one transaction each.

Every public method may safely be called twice. Slack and other services are asked before a
transaction or after it, never inside one; what people are told leaves through the outbox.
"""

import logging
from collections.abc import Sequence

from workflows import (
    breaking,
    choosing,
    deciding,
    deciding_together,
    delegating,
    editing,
    enrolling,
    exceptions,
    questioning,
    retelling,
    reviewing,
    scheduling,
    starting,
)
from workflows.actions.base import Happened
from workflows.breaking import Breaking
from workflows.choosing import Choice
from workflows.claiming import claim
from workflows.definition import Definition
from workflows.definition_options import Options
from workflows.delegating import NewDelegation
from workflows.deliveries import delivered, undeliverable
from workflows.enrolling import Proof
from workflows.entry import Json, RequestId, RunId
from workflows.falling_due import handle_due
from workflows.house import House
from workflows.levels import review_level
from workflows.message_keys import CardName
from workflows.orders import (
    Ballot,
    Decided,
    Edit,
    Edited,
    Moved,
    Moving,
    Refused,
    Start,
    Started,
)
from workflows.people import PersonId
from workflows.procedure import Procedures
from workflows.questioning import Answer
from workflows.recorder import SupersededError
from workflows.remembered import Remembered
from workflows.reviewing import Review
from workflows.scheduling import NewSchedule, ScheduleChange
from workflows.store import Delivery, Due
from workflows.walking import walk

log = logging.getLogger(__name__)


class Engine:
    """The one door to runs."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._procedures = Procedures(house.actions)
        self._remembered = Remembered()

    def start(self, order: Start) -> Started:
        """Start a run, or return the one that the same key or delivery started before.

        Raises:
            UnknownWorkflowError, InputsError, KeyReusedError, NotAllowedError, SecretError,
            PeopleUnreadableError, StorageError: nothing was started.
        """
        return starting.start(self._house, self._procedures, order)

    def admit_starter(self, definition: Definition, who: PersonId) -> None:
        """Return if somebody may start runs of `definition`, as far as is known now.

        Raises:
            NotAllowedError, PeopleUnreadableError: they may not, or nobody could say.
        """
        starting.admit_starter(self._house, definition, self._house.people.person(who))

    def check_schedule(self, new: NewSchedule) -> None:
        """Return if the schedule may be set, and record nothing.

        Raises:
            InterlockError: it may not; the refusal says why.
        """
        scheduling.check_schedule(self._house, new)

    def set_schedule(self, new: NewSchedule) -> bool:
        """Record a schedule; False if it was set already.

        Raises:
            InterlockError: nothing was set.
        """
        return scheduling.set_schedule(self._house, new)

    def change_schedule(self, change: ScheduleChange) -> bool:
        """Pause, resume or delete a schedule; False if it stands so already.

        Raises:
            NotAllowedError, ScheduleClosedError, PeopleUnreadableError, StorageError.
        """
        return scheduling.change_schedule(self._house, change)

    def decide(self, ballot: Ballot) -> Decided:
        """Record a verdict and return what the request now amounts to.

        Raises:
            GateError, UnknownRunError, StorageError: nothing was decided.
        """
        return deciding.decide(self._house, ballot)

    def may_decide(self, ballot: Ballot) -> None:
        """Return if a verdict would count but for its reason and code; a refusal is recorded.

        Raises:
            GateError, UnknownRunError, StorageError: it would not; the refusal says why.
        """
        deciding.may_decide(self._house, ballot)

    def decide_together(self, ballots: Sequence[Ballot]) -> Sequence[Decided | Refused]:
        """Record one person's verdicts on requests of one run; return what came of each.

        Raises:
            StepUpError, PeopleUnreadableError, UnknownRunError, StorageError: nothing was decided.
        """
        return deciding_together.decide_together(self._house, ballots)

    def may_decide_together(self, ballots: Sequence[Ballot], *, notes: bool) -> Sequence[Refused]:
        """Return why none of these would count but for its reason and code, nothing if one does."""
        return deciding_together.may_decide_together(self._house, ballots, notes=notes)

    def may_break_glass(self, request: RequestId, person: PersonId) -> None:
        """Return if this person may decide the request alone; a refusal is recorded.

        Raises:
            GateError, UnknownRunError, StorageError: they may not; the refusal says why.
        """
        breaking.may_break(self._house, request, person)

    def break_glass(self, order: Breaking) -> bool:
        """Record that somebody decides a request alone; False if that was recorded before.

        Raises:
            GateError, UnknownRunError, StorageError: nothing was decided.
        """
        return breaking.break_glass(self._house, order)

    def review_glass(self, order: Review) -> bool:
        """Record what a reviewer says of a use of the glass; False if this was recorded before.

        Raises:
            NotAllowedError, GateError, UnknownRunError, StorageError: nothing was recorded.
        """
        return reviewing.review(self._house, order)

    def edit(self, wanted: Edit) -> Edited:
        """Take other inputs for a run whose request is open; approvals so far become void.

        Raises:
            GateError, InputsError, NotAllowedError, SecretError, UnknownRunError, StorageError:
                nothing was changed.
        """
        return editing.edit(self._house, self._procedures, wanted)

    def move(self, wanted: Moving) -> Moved:
        """Put a waiting run on another version of its workflow; approvals so far become void.

        Raises:
            GateError, InputsError, NotAllowedError, UnknownRunError, UnknownWorkflowError,
                StorageError: nothing was changed.
        """
        from workflows.moving_runs import move_run  # noqa: PLC0415 - seldom asked for.

        return move_run(self._house, self._procedures, wanted)

    def may_move(self, wanted: Moving) -> Moved:
        """Return what `move` would, and record nothing; no reason is needed.

        Raises:
            InterlockError: it may not be moved like that; the refusal says why.
        """
        from workflows.moving_runs import may_move  # noqa: PLC0415 - seldom asked for.

        return may_move(self._house, self._procedures, wanted)

    def check_delegation(self, new: NewDelegation) -> None:
        """Return if somebody may be away like that, and record nothing.

        Raises:
            DelegationError, PeopleUnreadableError: they may not; the refusal says why.
        """
        delegating.check_delegation(self._house, new)

    def delegate(self, new: NewDelegation) -> bool:
        """Record that somebody is away and who stands in; False if they had said so already.

        Raises:
            StepUpError: a code is wanted, and this one does not count; the attempt was recorded.
            DelegationError, PeopleUnreadableError, SecretError, StorageError: nothing was.
        """
        return delegating.delegate(self._house, new)

    def come_back(self, person: PersonId, *, entry: str) -> bool:
        """Record that somebody is back early; False if what `entry` said of it is over.

        Raises:
            PeopleUnreadableError, StorageError: nothing was recorded.
        """
        return delegating.come_back(self._house, person, entry=entry)

    def offer_codes(self, person: PersonId, secret: bytes) -> str:
        """Keep a secret that is about to be shown to a person; return its enrolment.

        Raises:
            StepUpError, NotAllowedError, PeopleUnreadableError, SecretError, StorageError.
        """
        return enrolling.offer_codes(self._house, person, secret)

    def prove_codes(self, proof: Proof) -> None:
        """Record that a person's app gives the right codes, and ask governors to confirm them.

        Raises:
            StepUpError, NotAllowedError, PeopleUnreadableError, SecretError, StorageError.
        """
        enrolling.prove_codes(self._house, proof)

    def confirm_codes(self, enrolment: str, *, governor: PersonId) -> None:
        """Have a person's codes count from now on.

        Raises:
            NotAllowedError, StepUpError, PeopleUnreadableError, StorageError.
        """
        enrolling.confirm_codes(self._house, enrolment, governor=governor)

    def decline_codes(self, enrolment: str, *, governor: PersonId) -> None:
        """End codes that wait to be confirmed.

        Raises:
            NotAllowedError, StepUpError, PeopleUnreadableError, StorageError.
        """
        enrolling.decline_codes(self._house, enrolment, governor=governor)

    def reset_codes(self, person: PersonId, *, governor: PersonId) -> None:
        """Take a person's codes away.

        Raises:
            NotAllowedError, StepUpError, PeopleUnreadableError, StorageError.
        """
        enrolling.reset_codes(self._house, person, governor=governor)

    def cancel(self, run: RunId, *, person: PersonId, reason: str) -> bool:
        """Cancel a run: at once where nothing is under way, else at its next boundary.

        Returns whether it has ended by now.

        Raises:
            NotAllowedError, RequestClosedError, UnknownRunError, StorageError.
        """
        return exceptions.cancel(self._house, run, person=person, reason=reason)

    def cancel_overtaken(self, run: RunId, *, why: str) -> None:
        """Cancel a run since what it was to replace has been replaced by others.

        Raises:
            UnknownRunError, StorageError.
        """
        exceptions.cancel_overtaken(self._house, run, why=why)

    def settle_doubt(
        self,
        run: RunId,
        step: str,
        *,
        person: PersonId,
        happened: Happened,
        reason: str = "",
        via: str = exceptions.SLACK,
        asked_by: str = "",
        delivery: Delivery | None = None,
    ) -> None:
        """Record what a person says about an effect in doubt.

        Raises:
            NotAllowedError, RequestClosedError, UnknownRunError, StorageError.
        """
        exceptions.settle_doubt(
            self._house,
            CardName(run, step, asked_by),
            person=person,
            happened=happened,
            reason=reason,
            via=via,
            delivery=delivery,
        )

    def settle_exception(
        self,
        run: RunId,
        step: str,
        *,
        person: PersonId,
        answer: str,
        reason: str = "",
        via: str = exceptions.SLACK,
        asked_by: str = "",
        delivery: Delivery | None = None,
    ) -> None:
        """Record how a person wants a run to go on: retry, skip or abort.

        Raises:
            NotAllowedError, RequestClosedError, UnknownRunError, StorageError.
        """
        exceptions.settle_exception(
            self._house,
            CardName(run, step, asked_by),
            person=person,
            answer=answer,
            reason=reason,
            via=via,
            delivery=delivery,
        )

    def offered(self, options: Options, typed: str) -> Sequence[Choice]:
        """Return what may be chosen in a field, read now.

        Raises:
            ActionError, SecretError: it could not be read.
        """
        return choosing.offered(self._house, options, typed)

    def may_answer(self, run: RunId, request: RequestId, *, person: PersonId) -> None:
        """Return if an answer of this person would count; raise as `answer`, but for its values."""
        questioning.may_answer(self._house, run, request, person=person)

    def answer(self, given: Answer) -> None:
        """Record what somebody answers to a question of a run.

        Raises:
            GateError, InputsError, SecretError, UnknownRunError, StorageError: nothing was stored.
        """
        questioning.answer(self._house, given)

    def delivered(self, run: RunId, step: str, *, output: Json) -> None:
        """Record that the outbox delivered what a `slack.*` step says."""
        delivered(self._house, run, step, output=output)

    def undeliverable(
        self,
        run: RunId,
        *,
        error_class: str,
        step: str | None = None,
        request: RequestId | None = None,
    ) -> None:
        """Record that a card or a step's message cannot be delivered: the step does not run."""
        undeliverable(self._house, run, error_class=error_class, step=step, request=request)

    def handle_due(self, due: Due) -> None:
        """Do what a due-row is for, in the transaction that removes it."""
        handle_due(self._house, due)

    def retell(self, due: Due, teller: retelling.Teller) -> bool:
        """Have `teller` tell the story of an ended run; False if there is none to be had.

        Raises:
            UnknownRunError, StorageError: it could not be recorded.
        """
        return retelling.retell(self._house, due, teller)

    def advance(self, run: RunId) -> None:
        """Take the run up and go on until it waits or ends.

        Raises:
            StorageError: a fact could not be recorded; the run stays as its entries say.
        """
        segment = claim(self._house, self._procedures, self._remembered, run)
        if segment is None:
            return
        try:
            walk(segment)
        except SupersededError:
            log.info("the run was taken over or ended meanwhile", extra={"run": run})
        else:
            self._remembered.keep(segment.committed, now=self._house.now())
            if segment.state.ended is not None:
                review_level(self._house, segment.definition)

    def give_up(self, run: RunId, *, error_class: str) -> None:
        """Make an exception of a run whose segments died again and again."""
        exceptions.give_up(self._house, run, error_class=error_class)
