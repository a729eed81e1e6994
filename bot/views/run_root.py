"""The first message of a run's thread: what was asked for, by whom, and where it stands now.

It is updated in place; what happened is told below it, step by step.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import Block

from bot.views.pieces import Rendered, context, header, rendered, section
from bot.views.symbols import ABORTED, CUT_OFF, IN_SHADOW, PHASE, STATUS
from bot.wording import Who, bold, code, duration, escape, link, mention, plural, utc, when
from workflows.run import OVER, Phase, Status

_STEPS_SHOWN, _STEP, _NOTE, _LINK = 30, 60, 120, 300
_BROKEN_OFF = frozenset({Phase.TIMED, Phase.QUESTIONED, Phase.CALLED, Phase.INTENDED})

SHADOW = (
    "👥 *In shadow*: this run reads and plans, and changes nothing. Do the work by hand, and say"
    " at each effect whether it was the same."
)
_TRIGGERS = {
    "slash": "with a command",
    "form": "with the form",
    "shortcut": "with a shortcut",
    "schedule": "by its schedule",
    "webhook": "by a webhook",
    "cli": "on the command line",
    "agent": "through a program",
    "workflow": "through another run",
    "step": "by a step of Workflow Builder",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLine:
    """One step as the definition names it, and where it stands; `note` adds a few words."""

    name: str
    phase: Phase = Phase.PENDING
    note: str = ""
    is_aborted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRoot:
    """A run as it stands now."""

    run: str
    title: str
    workflow: str
    version: str
    status: Status
    requester: Who
    trigger: str
    steps: tuple[StepLine, ...]
    entries: int
    started_at: datetime
    finished_at: datetime | None = None
    waits_for: str = ""  # In words: who has to decide, or which run holds the lock.
    waits_until: datetime | None = None
    source: str = ""  # The message that it was asked for from.
    is_shadow: bool = False  # It changes nothing, and asks what people did by hand.
    waits_link: str = ""  # Where to go: the card, or the thread of the run in front.


def run_root(root: RunRoot) -> Rendered:
    """Build the live state of a run."""
    sign, words = _stands(root)
    shadow = [SHADOW] if root.is_shadow else []
    blocks: list[Block] = [
        header(root.title),
        section("\n".join([f"{sign} {bold(words)}", *shadow, *_waiting(root), _asked(root)])),
        *_steps(root),
        context(_times(root), _ids(root)),
    ]
    return rendered(_sentence(root), blocks)


def _stands(root: RunRoot) -> tuple[str, str]:
    return IN_SHADOW if root.is_shadow and root.status.is_end else STATUS[root.status]


def _sentence(root: RunRoot) -> str:
    sign, words = _stands(root)
    done = sum(step.phase in OVER for step in root.steps)
    now = f"{sign} {escape(root.title, 150)} is {words}"
    if root.status is Status.WAITING and root.waits_for:
        until = f" until {utc(root.waits_until)}" if root.waits_until is not None else ""
        now = f"{sign} {escape(root.title, 150)} waits for {escape(root.waits_for, 200)}{until}"
    asker = escape(root.requester.plain, 80)
    now += ", in shadow" if root.is_shadow and not root.status.is_end else ""
    return f"{now} ({done} of {plural(len(root.steps), 'step')}; asked by {asker})."


def _waiting(root: RunRoot) -> Iterator[str]:
    if root.status.is_end or not root.waits_for:
        return
    until = f" until {when(root.waits_until)}" if root.waits_until is not None else ""
    there = f" · {link(root.waits_link, 'go there')}" if root.waits_link else ""
    yield f"It waits for {escape(root.waits_for, 300)}{until}{there}"


def _asked(root: RunRoot) -> str:
    how = _TRIGGERS.get(root.trigger, "")
    about = (
        f" · {link(root.source, 'the message it is about')}"
        if 0 < len(root.source) <= _LINK
        else ""
    )
    return f"Asked for by {mention(root.requester)} {how}".rstrip() + about


def _steps(root: RunRoot) -> Iterator[Block]:
    lines = [_step(step, has_ended=root.status.is_end) for step in _around(root.steps)]
    more = len(root.steps) - len(lines)
    half = _STEPS_SHOWN // 2
    for start in range(0, len(lines), half):
        yield section("\n".join(lines[start : start + half]))
    if more > 0:
        yield context(f"… and {plural(more, 'further step')}, in `show {escape(root.run, 80)}`")


def _around(steps: tuple[StepLine, ...]) -> tuple[StepLine, ...]:
    """Return the steps around the one that is at work, when there are too many for a message."""
    at = next((at for at, one in enumerate(steps) if one.phase not in OVER), len(steps))
    start = max(0, min(at - _STEPS_SHOWN // 2, len(steps) - _STEPS_SHOWN))
    return steps[start : start + _STEPS_SHOWN]


def _step(step: StepLine, *, has_ended: bool) -> str:
    sign, words = ABORTED if step.is_aborted else PHASE[step.phase]
    if has_ended and step.phase in _BROKEN_OFF:
        sign, words = CUT_OFF
    told = " · ".join(part for part in (words, escape(step.note, _NOTE)) if part)
    return f"{sign} {code(step.name, _STEP)}" + (f"  {told}" if told else "")


def _times(root: RunRoot) -> str:
    started = f"Started {when(root.started_at)}"
    if root.finished_at is None:
        return started
    took = duration(root.finished_at - root.started_at)
    return f"{started} · ended {when(root.finished_at)} after {took}"


def _ids(root: RunRoot) -> str:
    signed = plural(root.entries, "signed entry", "signed entries")
    name = escape(root.workflow, 80)
    return f"Run {code(root.run)} · {name} {code(root.version[:8])} · {signed}"
