"""Separation of duties: who may not decide a request, whatever group they belong to, and why.

No policy can switch these off. Whoever acts for somebody who is left out is left out too, so
that nobody decides through another what they may not.
"""

from enum import StrEnum


class Duty(StrEnum):
    """What somebody did, or is, that keeps them from deciding. The first one that fits counts."""

    REQUESTER = "requester"
    EDITOR = "editor"  # Published the version that runs, or that of a workflow that started it.
    CHANGER = "changer"  # Changed what this run is asked to do, or one that started it.
    ANSWERER = "answerer"  # Answered a question that the step rests on.
    DELEGATE = "delegate"  # Acts for one of the above.
    RULE = "rule"  # A rule of the policy leaves their group out.

    @property
    def refusal(self) -> str:
        """Say to such a person why their decision cannot count."""
        return _REFUSALS[self]

    @property
    def who(self) -> str:
        """Say who such a person is, to somebody else."""
        return _WHO[self]


_REFUSALS = {
    Duty.REQUESTER: "You asked for this, so someone else has to decide it.",
    Duty.EDITOR: "You published what runs here, so someone else has to decide it.",
    Duty.CHANGER: "You changed what is asked here, so someone else has to decide it.",
    Duty.ANSWERER: "You answered what this rests on, so someone else has to decide it.",
    Duty.DELEGATE: "You act for somebody who may not decide this, so you may not either.",
    Duty.RULE: "The policy leaves you out of this decision.",
}
_WHO = {
    Duty.REQUESTER: "whoever asked for it",
    Duty.EDITOR: "whoever published the workflow",
    Duty.CHANGER: "whoever changed what is asked",
    Duty.ANSWERER: "whoever answered what it rests on",
    Duty.DELEGATE: "whoever acts for one of these",
    Duty.RULE: "whom the policy leaves out",
}
