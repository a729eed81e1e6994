"""Every refusal of the product, in one tree.

A refusal says what happened and what to do next. Anything else that is raised is a defect.

    InterlockError
    ├── DefinitionError            a workflow file, policy file or expression that cannot be used
    │   ├── ExpressionError        a CEL expression that does not parse, type-check or evaluate
    │   ├── MisleadingNameError    a workflow whose name people would take for another's
    │   └── UnreadableVersionError a stored definition that only a newer release can read
    │       └── AlteredVersionError one that was changed in the database by hand
    ├── UnknownWorkflowError       no workflow of that name (the nearest is suggested)
    ├── UnknownRunError            no run of that id
    ├── UnclearTimeError           words that name no single moment to come
    ├── ScheduleClosedError        a schedule that is not there, has ended, or cannot be changed so
    ├── DelegationError            a stand-in who cannot be, or a time away that cannot
    ├── InputsError                form values that do not fit the definition, field by field
    │   └── InputsUnreadableError  whether they fit could not be found out just now
    ├── OutputMismatchError        a step's output does not look as the definition declares
    ├── KeyReusedError             an idempotency key that already started something else
    ├── NotAllowedError            this person may not do this (run, cancel, resolve)
    │   ├── NearNameError          a new workflow whose name is one slip from another's
    │   ├── LoweredGateError       a version that asks fewer people or proves less than before
    │   ├── HiddenEffectError      something destructive that a workflow does through another
    │   └── LockCircleError        a run that would wait for one that waits for it
    ├── GateError
    │   ├── NoGateError            something destructive without anybody to ask
    │   ├── NoApproverError        a stage that nobody can decide
    │   ├── NotEligibleError       this person may not decide this request
    │   ├── RequestClosedError     the request is no longer open
    │   ├── ReasonMissingError     the policy wants a reason, or one of another form
    │   ├── OutsideHoursError      the policy lets nobody approve at this hour
    │   ├── OverBudgetError        there is not enough of a budget for it
    │   ├── UncountableError       a budget cannot say how much it takes
    │   ├── ReviewMissingError     an earlier use of the glass has not been reviewed
    │   ├── PartlyDecidedError     of several requests, some were decided and some were not
    │   ├── StaleRequestError      the click came from an older version of the request
    │   ├── StepUpError            a one-time code is needed, and none can count just now
    │   │   ├── NoCodesError       this person has no codes, or none that were confirmed
    │   │   └── WrongCodeError     this code is not right, or was used before
    │   └── PeopleUnreadableError  who belongs to a group could not be read just now
    ├── ActionError
    │   ├── NotPerformedError      the effect certainly did not happen; trying again is allowed
    │   ├── TransientReadError     a read that may succeed when tried again
    │   ├── ActionFailedError      tried and failed; not again by itself
    │   └── InDoubtError           it may or may not have happened
    ├── EvidenceError              a pack that cannot be written, or a range that is none
    ├── HoldError                  a legal hold that selects nothing, or that is not there
    ├── SecretError                a secret that is missing or too short, or stands in the clear
    │   ├── SecretUnreadableError  where it is kept could not be asked just now
    │   └── SecretNotGivenError    this workflow may not use it
    └── StorageError
        ├── StorageUnavailableError  locked, full or unreachable: nothing was recorded
        ├── HeldElsewhereError       another process serves this database
        ├── UnusableDatabaseError    wrong settings, wrong schema, wrong log
        └── SigningKeyError          a signing key that is missing, foreign or revoked
"""

from collections.abc import Mapping


class InterlockError(Exception):
    """A refusal: `message` says what happened, `hint` what to do next."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class DefinitionError(InterlockError):
    """A workflow file, policy file or expression cannot be used."""


class ExpressionError(DefinitionError):
    """A CEL expression does not parse, does not type-check or cannot be evaluated."""


class MisleadingNameError(DefinitionError):
    """People would take the name of a workflow for another's, or for Interlock's own."""

    why = "name_alike"


class UnreadableVersionError(DefinitionError):
    """A stored definition that this release cannot read; a newer one wrote it."""


class AlteredVersionError(UnreadableVersionError):
    """The text of a version is not the one that its digest names; somebody edited the row."""


class UnknownWorkflowError(InterlockError):
    """No workflow has that name: `name`, where the hint says what there is instead."""

    def __init__(self, message: str, *, hint: str = "", name: str = "") -> None:
        super().__init__(message, hint=hint)
        self.name = name


class UnknownRunError(InterlockError):
    """No run has that id."""


class UnclearTimeError(InterlockError):
    """The words name no moment, more than one, or one that has passed."""


class ScheduleClosedError(InterlockError):
    """The schedule is not there, has ended, or cannot be changed like that."""


class DelegationError(InterlockError):
    """Nobody can stand in like that, or be away for so long."""


class InputsError(InterlockError):
    """Values do not fit the definition's inputs; `fields` names each one and why."""

    def __init__(
        self, fields: Mapping[str, str], *, hint: str = "Correct these fields, then try again."
    ) -> None:
        told = "; ".join(f"{name}: {why}" for name, why in fields.items())
        super().__init__(f"{told.removesuffix('.')}.", hint=hint)
        self.fields = dict(fields)


class InputsUnreadableError(InputsError):
    """Whether values fit could not be found out just now; the same may be sent again."""


class OutputMismatchError(InterlockError):
    """A step's output does not look as the definition declares."""


class KeyReusedError(InterlockError):
    """An idempotency key already started a run of something else; `run` says which."""

    def __init__(self, message: str, *, run: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.run = run


class NotAllowedError(InterlockError):
    """This person may not do this; `why` is what the entry of a refused proposal calls it."""

    why = "not_allowed"


class NearNameError(NotAllowedError):
    """The name of a new workflow is one slip away from another's; a governor's to propose."""

    why = "name_alike"


class LoweredGateError(NotAllowedError):
    """A version asks fewer people or proves less than the one before; a governor's to propose."""

    why = "gate_lowered"


class HiddenEffectError(NotAllowedError):
    """A workflow does something destructive through another one, and does not say so."""

    why = "effect_hidden"


class LockCircleError(NotAllowedError):
    """A run would wait for a lock or a place of a run that waits for it, so it is not started."""


class GateError(InterlockError):
    """A gate stands in the way; `why` is the short name of a refused decision, as entries say it.

    Without one, nothing was decided that an entry would have to tell of.
    """

    why = ""


class NoGateError(GateError):
    """Something destructive has nobody to ask, so it does not run."""


class NoApproverError(GateError):
    """A stage names nobody who could decide, so it does not run."""

    why = "nobody"


class NotEligibleError(GateError):
    """This person may not decide this request."""

    def __init__(self, message: str, *, why: str = "not_asked", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.why = why


class RequestClosedError(GateError):
    """The request is no longer open."""

    why = "closed"


class ReasonMissingError(GateError):
    """The policy wants a reason, and there is none, or none of the form that it wants."""


class OutsideHoursError(GateError):
    """The policy lets nobody approve at this hour."""

    why = "hours"


class OverBudgetError(GateError):
    """There is not enough of a budget, so it does not run."""


class UncountableError(GateError):
    """A budget cannot say how much a step takes, so it does not run."""


class ReviewMissingError(GateError):
    """An earlier use of the glass is overdue for its review, so it cannot be used again."""

    why = "review"


class PartlyDecidedError(GateError):
    """Of several requests some were decided, and these were not; the message says why."""


class StaleRequestError(GateError):
    """The click came from an older version of the request; `next_request` took its place."""

    why = "stale"

    def __init__(self, message: str, *, next_request: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.next_request = next_request


class StepUpError(GateError):
    """A one-time code is needed here, and none of this person can count just now."""

    why = "no_code"


class NoCodesError(StepUpError):
    """This person has set up no codes, or no governor has confirmed them."""


class WrongCodeError(StepUpError):
    """The code is not right, is no code at all, or was used before.

    One that is not right has an entry of its own, `step_up.refused`.
    """

    why = ""


class PeopleUnreadableError(GateError):
    """Who belongs to a group could not be read just now, so nothing is decided."""


class ActionError(InterlockError):
    """A step's action did not succeed; `error_class` is the short name that entries carry."""

    def __init__(self, message: str, *, error_class: str = "error", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.error_class = error_class


class NotPerformedError(ActionError):
    """The effect certainly did not happen; trying again is allowed."""


class TransientReadError(ActionError):
    """A read failed in a way that may pass."""


class ActionFailedError(ActionError):
    """Tried and failed; `partly` is true when some of the effect may stand."""

    def __init__(
        self, message: str, *, error_class: str = "error", hint: str = "", partly: bool = False
    ) -> None:
        super().__init__(message, error_class=error_class, hint=hint)
        self.partly = partly


class InDoubtError(ActionError):
    """The effect may or may not have happened.

    `error_class` is `timeout`, `reply_lost`, `end_unknown`, `left_running`, or the status of an
    answer that does not say it, such as `http_500`.
    """


class EvidenceError(InterlockError):
    """A pack cannot be written, or the range that was asked for is none."""


class HoldError(InterlockError):
    """A legal hold selects nothing that can be told, or is not there."""


class SecretError(InterlockError):
    """A secret is missing, too short, or stands where it must not."""


class SecretUnreadableError(SecretError):
    """Where a secret is kept could not be asked just now; the next try may go better."""


class SecretNotGivenError(SecretError):
    """This workflow may not use that secret."""


class StorageError(InterlockError):
    """The database refused; nothing was recorded."""


class StorageUnavailableError(StorageError):
    """The database is locked, full or unreachable."""


class HeldElsewhereError(StorageError):
    """Another process serves this database."""


class UnusableDatabaseError(StorageError):
    """The database has other settings, another schema or another log than expected."""


class SigningKeyError(StorageError):
    """A signing key is missing, foreign or revoked."""
