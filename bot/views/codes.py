"""Setting up one-time codes: the modal that shows a secret once, and what is told around it.

The secret stands in that modal and nowhere else. There is no picture of it: Slack would fetch
one from an address, and the address would be the secret.
"""

from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from bot import limits
from bot.views.pieces import (
    Rendered,
    actions,
    button,
    confirm,
    context,
    plain,
    rendered,
    section,
)
from bot.views.request_modals import code_input
from bot.wording import Who, code, escape, mention, when

CODES_SET_UP = "codes.set_up"
CODES_CONFIRM = "codes.confirm"
CODES_DECLINE = "codes.decline"
CODES_FORM = "codes.form"

ENDS = {
    "replaced": "Newer codes took their place.",
    "declined": "They were declined.",
    "reset": "They were taken away.",
}
NUMBER = 6  # Characters of the enrolment by which two people know that they speak of the same.


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretShown:
    """A secret as it is shown once; `label` is what the app calls it."""

    enrolment: str
    secret: str
    label: str
    replaces: bool  # The person has codes that count.


def secret_modal(shown: SecretShown) -> View:
    """Build the one place where a secret is shown."""
    blocks: list[Block] = [
        section(
            "Add an account to your authenticator app, by typing this key. It is shown only here"
            " and only now."
        ),
        section(f"*Key*  {code(shown.secret)}"),
        section(f"*Name*  {code(shown.label)}\n*Type*  by time, 6 digits, 30 seconds, SHA-1"),
        code_input(),
        context(
            "Your codes count once a governor has confirmed them."
            + (" Until then those you have go on counting." if shown.replaces else "")
        ),
    ]
    return View(
        type="modal",
        callback_id=CODES_FORM,
        private_metadata=shown.enrolment,
        title=plain("Set up codes", limits.VIEW_TITLE),
        submit=plain("Next", limits.VIEW_TITLE),
        close=plain("Cancel", limits.VIEW_TITLE),
        blocks=blocks,
    )


def number_of(enrolment: str) -> str:
    """Return the number by which a person and a governor know that they speak of the same."""
    return enrolment[:NUMBER]


def waiting_modal(enrolment: str) -> View:
    """Build what takes its place once the app has given a right code."""
    return View(
        type="modal",
        title=plain("One more step", limits.VIEW_TITLE),
        close=plain("Close", limits.VIEW_TITLE),
        blocks=[
            section(
                "Your app works. A governor was asked to confirm that these codes are yours:"
                " call one, and tell them this number."
            ),
            section(f"*Number*  {code(number_of(enrolment))}"),
        ],
    )


def set_up_offer(reason: str) -> Rendered:
    """Build the private reply to somebody who needs codes; `reason` is mrkdwn."""
    return rendered(
        reason,
        [section(reason), actions(button("Set up codes", CODES_SET_UP, "new", style="primary"))],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CodesCard:
    """Codes as they stand, for their person or for a governor."""

    enrolment: str
    person: Who
    is_for_person: bool
    confirmed_at: datetime | None = None
    confirmed_by: Who | None = None
    ended_at: datetime | None = None
    ended_by: Who | None = None
    ended_how: str = ""


def codes_card(card: CodesCard) -> Rendered:
    """Build the card of codes, in whatever state they are."""
    line = _own_line(card) if card.is_for_person else _line(card)
    blocks: list[Block] = [section(line), *_record(card)]
    if not card.is_for_person and card.confirmed_at is None and card.ended_at is None:
        blocks.append(_buttons(card))
    return rendered(line, blocks)


def _line(card: CodesCard) -> str:
    who = mention(card.person)
    if card.ended_at is not None:
        return f"🔑 The codes of {who} do not count. {ENDS.get(card.ended_how, '')}".rstrip()
    if card.confirmed_at is not None:
        return f"🔑 The codes of {who} count."
    return (
        f"🔑 {who} set up codes for approvals, number {code(number_of(card.enrolment))}. Confirm"
        " them only once you have spoken with them and they told you that number: whoever holds"
        " a stolen login could have done this, too."
    )


def _own_line(card: CodesCard) -> str:
    if card.ended_at is not None:
        return f"🔑 The codes that you set up do not count. {ENDS.get(card.ended_how, '')}".rstrip()
    if card.confirmed_at is not None:
        return "🔑 Your codes count: you can approve what asks for one."
    return (
        "🔑 Codes for approvals were set up in your name, and wait for a governor to confirm"
        " them. If it was not you, tell a governor now."
    )


def _record(card: CodesCard) -> list[Block]:
    lines = []
    if card.confirmed_at is not None and card.confirmed_by is not None:
        lines.append(f"Confirmed by {mention(card.confirmed_by)} {when(card.confirmed_at)}")
    if card.ended_at is not None and card.ended_by is not None:
        how = escape(card.ended_how, 30)
        lines.append(f"{how.capitalize()} by {mention(card.ended_by)} {when(card.ended_at)}")
    return [context(*lines)] if lines else []


def _buttons(card: CodesCard) -> Block:
    sure = confirm(
        "Have you spoken with them?",
        "Ask them for the number, in person or by phone. Slack proves nothing here.",
        yes="Confirm",
    )
    return actions(
        button("Confirm", CODES_CONFIRM, card.enrolment, style="primary", confirm=sure),
        button("Decline", CODES_DECLINE, card.enrolment),
    )
