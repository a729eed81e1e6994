"""What limits an effect, on its card: budgets, a freeze, an earlier denial, and the glass.

What people were told when they were asked comes from the preview; what became of the glass
since then is live.
"""

from collections.abc import Iterator

from slack_sdk.models.blocks import (
    Block,
    ButtonElement,
    CheckboxesElement,
    ConfirmObject,
    InputBlock,
    Option,
)

from bot import limits
from bot.views.pieces import button, confirm, context, plain, plain_section, section
from bot.views.request_values import (
    DeniedShown,
    GlassBroken,
    HoldShown,
    Preview,
    RequestCard,
)
from bot.wording import (
    Who,
    clip,
    code,
    escape,
    joined,
    mention,
    one_line,
    plural,
    utc,
    when,
)
from workflows.gate import Outcome

BREAK_GLASS = "glass.break"
KNOWN = "known"  # Both the block and the tick in it.

_BUDGETS, _BUDGET, _REASON, _NAMES = 3, 220, 300, 3


def warning(shown: Preview) -> Iterator[Block]:
    """Yield what people have to know before they read any further."""
    if shown.denied is not None:
        yield from _denied(shown.denied)
    if shown.by_model:
        named = joined([code(one) for one in shown.by_model[:_NAMES]], "and")
        more = len(shown.by_model) - _NAMES
        yield section(
            f"🤖 *A language model wrote* {named}"
            + (f" and {plural(more, 'more argument')}" if more > 0 else "")
            + ". Nobody has checked it; you are the check."
        )


def told_when_asked(shown: Preview, *, is_open: bool) -> Iterator[Block]:
    """Yield how budgets stood, and which freeze holds it back."""
    yield from _budgets(shown)
    if is_open and shown.freeze is not None:
        name, until = escape(shown.freeze.name, 80), when(shown.freeze.until)
        yield context(
            f"❄️ The freeze “{name}” holds it back until {until}. Decide meanwhile: once approved,"
            " it runs by itself then."
        )


def _denied(denied: DeniedShown) -> Iterator[Block]:
    times = f" ({plural(denied.count, 'time')} lately)" if denied.count > 1 else ""
    yield section(
        f"⛔ *Rejected before* by {mention(denied.who)}, {when(denied.at)}{times}, as a run of"
        f" {escape(denied.workflow, 80)}."
    )
    if denied.reason:
        yield plain_section(clip(denied.reason, _REASON))


def _budgets(shown: Preview) -> Iterator[Block]:
    lines = [f"🧮 {escape(one_line(one), _BUDGET)}" for one in shown.budgets[:_BUDGETS]]
    more = len(shown.budgets) - len(lines)
    if more > 0:
        lines.append(f"🧮 … and {plural(more, 'further budget')}, under Review and on record")
    if lines:
        yield context(*lines)


def in_words(shown: Preview) -> Iterator[str]:
    """Yield the same as plain lines, for the modal that shows everything."""
    if shown.denied is not None:
        denied = shown.denied
        by = f"Rejected before by {denied.who.plain} on {utc(denied.at)}"
        yield f"{by}: {denied.reason}" if denied.reason else f"{by}."
    yield from shown.budgets
    if shown.freeze is not None:
        yield f"The freeze “{shown.freeze.name}” holds it back until {utc(shown.freeze.until)}."


def knowing(shown: Preview) -> ConfirmObject | None:
    """Return the question that an approver answers first where the same was denied before."""
    denied = shown.denied
    if denied is None:
        return None
    said = f": “{clip(one_line(denied.reason), 120)}”" if denied.reason else ""
    who = clip(denied.who.plain, 60)
    return confirm(
        "This was rejected before",
        f"{who} rejected the same on {utc(denied.at)}{said}. Approve it all the same?",
        yes="Approve all the same",
    )


def knowing_input(shown: Preview) -> list[Block]:
    """Return the tick that a modal asks for where the same was denied before."""
    if shown.denied is None:
        return []
    who = clip(shown.denied.who.plain, 30)
    tick = Option(value=KNOWN, text=plain(f"I know that {who} rejected it", limits.OPTION))
    return [
        *_denied(shown.denied),
        InputBlock(
            block_id=KNOWN,
            label=plain("The same was rejected before", limits.LABEL),
            element=CheckboxesElement(action_id=KNOWN, options=[tick]),
        ),
    ]


def glass_lines(card: RequestCard) -> Iterator[Block]:
    """Yield who may break the glass, as long as there is something to break."""
    glass = card.preview.glass
    if glass is None or not may_be_broken(card):
        return
    yield context(
        f"🧯 In an emergency {_names(glass.names)} can decide alone (“Break glass”);"
        f" {_names(glass.by)} reviews it within {escape(glass.review, 20)}."
    )


def may_be_broken(card: RequestCard) -> bool:
    """Say whether there is a glass: over what is open, or what a freeze holds back."""
    waits = card.outcome is Outcome.APPROVED and card.hold is not None and card.hold.is_frozen
    is_whole = card.broken is None and not card.is_consumed
    return card.preview.glass is not None and is_whole and (card.is_open or waits)


def glass_button(card: RequestCard) -> list[ButtonElement]:
    """Return the button, where there is a glass to break."""
    glass = card.preview.glass
    if glass is None or not may_be_broken(card):
        return []
    by = clip(joined(list(glass.by), "or"), 80)
    question = confirm(
        "Break the glass?",
        "You decide alone, against the usual rule. People are alerted at once, your reason stays"
        f" on record, and {by} looks at it within {clip(glass.review, 20)}.",
        yes="Give my reason",
    )
    return [
        button("Break glass", BREAK_GLASS, card.preview.value, style="danger", confirm=question)
    ]


def broken_line(broken: GlassBroken) -> str:
    """Return the record of a broken glass."""
    said = f": “{escape(clip(broken.reason, 120), 160)}”" if broken.reason else ""
    return f"🧯 {mention(broken.who)} broke the glass {when(broken.at)}{said}"


def held_words(hold: HoldShown) -> str:
    """Return for what an approved effect waits."""
    until = f" until {when(hold.until)}" if hold.until is not None else ""
    why = "a freeze" if hold.is_frozen else escape(hold.words, 200)
    return f"It waits for {why}{until}, and then runs by itself."


def _names(names: tuple[str, ...]) -> str:
    shown = [mention(Who(name=one)) for one in names[:_NAMES]]
    more = len(names) - len(shown)
    return joined([*shown, plural(more, "other")] if more else shown)
