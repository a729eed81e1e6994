"""Help: what can be typed, what its reader may start, and what was probably meant."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from slack_sdk.models.blocks import Block

from bot import limits
from bot.command_values import USAGE
from bot.views.pieces import (
    MEANT,
    Rendered,
    actions,
    button,
    context,
    header,
    rendered,
    section,
)
from bot.wording import bold, code, escape, length, plural

_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Startable:
    """A workflow that the reader may start; `example` is what may follow its name."""

    name: str
    title: str
    example: str = ""


_EXPLAINED: Mapping[str, str] = {
    "run": "start a workflow; without a name, choose one",
    "runs": "list runs",
    "show": "tell one run's story, with its entry numbers",
    "audit": "tell who saw, decided and did what in a run, on whose approval",
    "change": "change the values of a run that waits for approval",
    "cancel": "end a run; the reason stays on record",
    "move": "put a waiting run on another version of its workflow; without one, on the active",
    "approvals": "list what waits for a decision",
    "workflows": "list what can be run, and how it stands",
    "history": "tell who proposed and agreed to each version of a workflow, and why",
    "diff": "say what the active version changed, or one version against another",
    "schedule": "list schedules, or set one: tomorrow 9am, in 2 hours, every weekday 9:00",
    "delegate": "let somebody decide for you while you are away",
    "away": "say that you are away, and nobody decides for you",
    "delegations": "list who is away, and come back early",
    "totp": "set up the codes that some approvals want; governors take them away",
    "find": "search what happened",
    "digest": "show the last week",
    "health": "say how approvals go, and what waits",
    "readiness": "say what a workflow has yet to earn before it runs unwatched",
    "help": "show this",
}


def help_page(
    *,
    name: str = "/ops",
    startable: Sequence[Startable] | None = None,
    is_certain: bool = True,
) -> Rendered:
    """Build the help; `startable` is what the reader may start, where that is known."""
    blocks: list[Block] = [
        header("What you can ask"),
        section("\n".join(_usage(name, word) for word in USAGE)),
    ]
    if startable is not None:
        blocks += _what_may_be_started(name, startable, is_certain=is_certain)
    words = "Only you see this. In a thread, where commands do not work, use the menu of a message."
    blocks.append(context(words))
    return rendered(f"What you can ask with {escape(name, 40)}", blocks)


def _usage(name: str, word: str) -> str:
    return f"{code(f'{name} {USAGE[word]}')}  {_EXPLAINED[word]}"


def _what_may_be_started(
    name: str, startable: Sequence[Startable], *, is_certain: bool
) -> Iterator[Block]:
    lines = [
        f"• {bold(one.title, 120)}  {code(f'{name} run {one.name} {one.example}'.strip())}"
        for one in startable[:_SHOWN]
    ]
    more = len(startable) - len(lines)
    if more > 0:
        lines.append(f"… and {plural(more, 'other')}: {code(f'{name} workflows')}")
    if not is_certain:
        lines.append("Slack did not say who may start the others. Ask again in a minute.")
    elif not lines:
        lines.append("Nothing; ask one of the operators.")
    yield section("\n".join(["*What you may start*", *lines]))


def misread_page(problem: str, *, name: str = "/ops", usage: str = "", meant: str = "") -> Rendered:
    """Build the answer to what was not understood: why, what is right, a button to do that."""
    wanted = [usage] if usage in USAGE and usage != "help" else list(USAGE)
    blocks: list[Block] = [section(f"⚠️ {escape(problem, 500)}")]
    if meant and length(meant) <= limits.BUTTON_VALUE:
        blocks.append(actions(button(f"{name} {meant}", MEANT, meant)))
    else:
        blocks.append(section("\n".join(_usage(name, word) for word in wanted)))
    return rendered(escape(problem, 500), blocks)
