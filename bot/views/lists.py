"""Private answers to `/ops`: runs, approvals, workflows, one run, search results."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import Block

from bot.error_words import error_words
from bot.views.move_form import move_row
from bot.views.paging import Listing, page_of, part_of
from bot.views.pieces import MEANT, Rendered, button, header, rendered, section, sections
from bot.views.symbols import STATUS
from bot.wording import (
    Who,
    bold,
    code,
    escape,
    is_web_address,
    joined,
    length,
    link,
    mention,
    one_line,
    plural,
    when,
)
from workflows.run import Status

_TITLE, _WORDS, _SNIPPET = 120, 200, 400
_VERSIONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """A run in a list."""

    run: str
    title: str
    status: Status
    requester: Who
    started_at: datetime
    note: str = ""  # What it waits for, or why it ended.
    thread: str = ""


def run_list(
    runs: Sequence[RunLine],
    *,
    command: str,
    title: str = "Runs",
    page: int = 1,
    name: str = "/ops",
    unknown: str = "",
    is_cut: bool = False,
) -> Rendered:
    """Build the list of runs, newest first as given; `unknown` names no workflow."""
    items = [[section(run_words(one))] for one in runs]
    empty = f"There are none. Start one with {code(f'{name} run')}."
    if unknown:
        there = code(f"{name} workflows")
        empty = f"There are none, and no workflow {code(unknown)} is active. All of them: {there}."
    note = "Only the newest are listed." if is_cut else ""
    listing = Listing(title=title, command=command, items=items, empty=empty, note=note)
    return page_of(listing, page)


def run_words(line: RunLine) -> str:
    """Return a run in two lines of mrkdwn."""
    sign, words = STATUS[line.status]
    note = f" · {escape(line.note, _WORDS)}" if line.note else ""
    return (
        f"{sign} {linked(line.title, line.thread)} · {words}{note}\n"
        f"{code(line.run)} · asked by {mention(line.requester)} · {when(line.started_at)}"
    )


def linked(title: str, url: str) -> str:
    """Return a title in bold, as a link where there is somewhere to go."""
    if is_web_address(url):
        return f"*{link(url, title)}*"
    return bold(title, _TITLE) or "–"  # noqa: RUF001 - the dash of an empty title.


def readiness_page(title: str, lines: Sequence[str]) -> Rendered:
    """Build the answer about one workflow from plain lines; what is not escaped is escaped here."""
    words = sections([escape(one, _SNIPPET) for one in lines])
    return rendered(f"Readiness: {escape(title, _TITLE)}", [header(title), *words])


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLine:
    """Something that waits for a person to settle it."""

    run: str
    title: str
    step: str
    is_doubt: bool
    error_class: str
    since: datetime
    asked: Sequence[Who]
    so_far: str  # What was tried, and what the run has changed.
    card: str = ""


def queue_list(lines: Sequence[QueueLine], *, command: str, page: int = 1) -> Rendered:
    """Build the exception queue, the oldest first as given."""
    listing = Listing(
        title="Waiting for somebody to settle it",
        command=command,
        items=[[section(_queue_line(one))] for one in lines],
        empty="Nothing waits for a person.",
    )
    return page_of(listing, page)


def _queue_line(line: QueueLine) -> str:
    sign = "❓" if line.is_doubt else "⚠️"
    words = escape(error_words(line.error_class), _WORDS)
    people = joined([mention(who) for who in line.asked[:5]])
    return (
        f"{sign} {linked(line.title, line.card)} · {code(line.step, 80) or 'at its end'}: {words}"
        f" ({code(line.error_class, 80)})\n"
        f"{code(line.run)} · since {when(line.since)} · asked: {people or 'nobody'}\n"
        f"So far {escape(line.so_far, _SNIPPET)}"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalLine:
    """An open request in a list."""

    request: str
    title: str
    headline: str
    requester: Who
    expires_at: datetime
    have: int
    need: int
    asked: tuple[Who, ...]
    card: str = ""
    is_mine: bool = False  # The reader may decide it.


def approval_list(
    approvals: Sequence[ApprovalLine],
    *,
    command: str = "approvals",
    page: int = 1,
    is_cut: bool = False,
) -> Rendered:
    """Build the list of what waits for a decision, the reader's own first."""
    ordered = sorted(approvals, key=lambda one: (not one.is_mine, one.expires_at))
    mine = sum(one.is_mine for one in ordered)
    note = f"{plural(mine, 'of them waits', 'of them wait')} for you." if mine else ""
    if is_cut:
        note = f"{note} Of the others only those that end first are listed.".strip()
    listing = Listing(
        title="Waiting for approval",
        command=command,
        items=[[section(_approval_line(one))] for one in ordered],
        empty="Nothing waits for a decision.",
        note=note,
    )
    return page_of(listing, page)


def _approval_line(line: ApprovalLine) -> str:
    sign = "👉" if line.is_mine else "✋"
    people = joined([mention(who) for who in line.asked[:5]])
    more = f": {escape(line.headline, _WORDS)}" if line.headline else ""
    return (
        f"{sign} {linked(line.title, line.card)}{more}\n"
        f"{line.have} of {plural(line.need, 'approval')} from {people or 'somebody'}"
        f" · asked by {mention(line.requester)} · until {when(line.expires_at)}"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionInUse:
    """Runs of one version that go on, and some of those who asked for them."""

    version: str
    runs: int
    asked: Sequence[Who]
    is_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowLine:
    """A workflow in a list."""

    name: str
    title: str
    description: str
    version: str
    owner: str
    is_destructive: bool
    may_start: bool
    is_certain: bool = True  # Whether it could be read who may.
    run_by: Sequence[str] = ()
    is_best_effort: bool = False
    level: str = ""
    success: int | None = None  # Of a hundred runs that ended in the last 30 days.
    failed_at: datetime | None = None
    drifted: Sequence[str] = ()
    going: Sequence[VersionInUse] = ()


def workflow_list(
    workflows: Sequence[WorkflowLine], *, command: str = "workflows", page: int = 1
) -> Rendered:
    """Build the list of workflows."""
    listing = Listing(
        title="Workflows",
        command=command,
        items=[[_workflow(one)] for one in workflows],
        empty="None is published yet. An operator publishes them from definition files.",
    )
    return page_of(listing, page)


def _workflow(line: WorkflowLine) -> Block:
    start = button("Start", MEANT, f"run {line.name}", spoken=f"Start {line.title}")
    return section(_workflow_line(line), accessory=start if line.may_start else None)


NO_LOSS = "does nothing destructive"  # Policy and file may have people asked all the same.


def _workflow_line(line: WorkflowLine) -> str:
    words = f"\n{escape(line.description, _WORDS)}" if line.description else ""
    gated = "asks before it changes anything for good" if line.is_destructive else NO_LOSS
    hasty = " · best effort: tries once, verifies nothing" if line.is_best_effort else ""
    return (
        f"{bold(line.title, _TITLE)} · {code(line.name)} {code(line.version[:8])}{words}\n"
        f"Answered for by {escape(line.owner, 100)} · {gated}{hasty}{_went(line)}\n"
        f"{_may(line)}"
    )


def _went(line: WorkflowLine) -> str:
    """Say at which level it is, how its runs went, and what is not as people agreed to it."""
    told = [escape(line.level, 40)] if line.level else []
    told += [f"{line.success} % of 30 days succeeded"] if line.success is not None else []
    told += [f"last failure {when(line.failed_at)}"] if line.failed_at is not None else []
    drifted = "".join(f"\n🧭 {escape(words, _WORDS)}" for words in line.drifted)
    return (f"\n{' · '.join(told)}" if told else "") + _going(line.going) + drifted


def _going(versions: Sequence[VersionInUse]) -> str:
    """Say who runs what version just now."""
    if not versions:
        return ""
    told = [_in_use(one) for one in versions[:_VERSIONS]]
    more = len(versions) - len(told)
    rest = [f"{plural(more, 'further version')}"] if more else []
    return f"\nGoing on: {'; '.join([*told, *rest])}"


def _in_use(one: VersionInUse) -> str:
    people = joined([mention(who) for who in one.asked], "and")
    asked = f", asked for by {people}" if people else ""
    older = "" if one.is_active else " (not the active version)"
    return f"{plural(one.runs, 'run')} by {code(one.version[:8])}{older}{asked}"


def _may(line: WorkflowLine) -> str:
    if line.may_start:
        return "▶️ you may start it"
    people = escape(joined(list(line.run_by)), 200) or "its owner"
    if not line.is_certain:
        return f"❔ whether you may start it could not be read just now; {people} may"
    return f"🔒 you may not start it; {people} may"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryLine:
    """One entry of a run's history; `index` is its number in the log, None while pending."""

    rseq: int
    index: int | None
    at: datetime
    kind: str
    words: str
    actor: Who | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunShown:
    """One run with its whole history."""

    line: RunLine
    entries: Sequence[EntryLine]
    summary: str = ""
    is_model_text: bool = False  # A model's words are labelled as such.
    head: str = ""  # The head of the log that covers it, such as `3/1d9adf54`.
    newer: str = ""  # The version that the reader may have it go by.


def run_shown(shown: RunShown, *, page: int = 1) -> Rendered:
    """Build the story of a run, entry by entry, with the numbers that prove it."""
    items: list[Sequence[Block]] = [[section(run_words(shown.line))]]
    if shown.newer:
        items.append([move_row(shown.line.run, shown.newer)])
    if shown.summary:
        whose = "Summary, in a model's words" if shown.is_model_text else "Summary"
        items.append([section(f"*{whose}*\n{escape(shown.summary, 2_500)}")])
    items += [[section(_entry_line(entry))] for entry in shown.entries]
    listing = Listing(
        title=f"Run {shown.line.run}",
        command=f"show {shown.line.run}",
        items=items,
        empty="",
        note=f"Signed under head {code(shown.head)}" if shown.head else "",
    )
    return page_of(listing, page)


def _entry_line(entry: EntryLine) -> str:
    number = f"#{entry.index}" if entry.index is not None else "#…"
    by = f" · {mention(entry.actor)}" if entry.actor is not None else ""
    return f"{code(number)} {escape(entry.words, _SNIPPET)}{by} · {when(entry.at)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One hit; its snippet in pieces, each with whether it is a word that was looked for."""

    run: str
    title: str
    status: Status
    snippet: Sequence[tuple[str, bool]]
    at: datetime
    thread: str = ""


FOUND_PAGE = 10  # Hits of one message: each has a snippet, and a message takes so many words.
_HIT = 1_000  # Characters of each.


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPage:
    """One page of what a search found; `is_cut` where older ones were not looked at."""

    found: Sequence[Found]
    total: int
    page: int = 1
    is_cut: bool = False


def found_list(words: str, shown: FoundPage, *, name: str = "/ops") -> Rendered:
    """Build a page of the results of a search."""
    cut = f"Narrow it down to see older ones: {code('before:2026-01-31')}" if shown.is_cut else ""
    listing = Listing(
        title=f"Found for “{words}”",
        command=f"find {words}",
        items=[[section(_found_line(one))] for one in shown.found],
        empty=(
            f"Nothing that you may see speaks of {bold(words, 100)}."
            f" Try fewer words, or the start of one: {code('refun*')}. A run is found once it has"
            f" ended; {code(f'{name} runs')} lists those that go on."
        ),
        note=cut,
    )
    return part_of(listing, shown.page, size=FOUND_PAGE, total=shown.total, is_cut=shown.is_cut)


def _found_line(one: Found) -> str:
    sign, words = STATUS[one.status]
    rest = f"{words} · {code(one.run)} · {when(one.at)}"
    there = linked(one.title, one.thread)
    if length(there) + length(rest) > _HIT // 2:  # No thread of Slack has so long an address.
        there = linked(one.title, "")
    head = f"{sign} {there} · {rest}"
    return f"{head}\n{_snippet(one.snippet, _HIT - length(head))}"


def _snippet(pieces: Sequence[tuple[str, bool]], most: int) -> str:
    """Return the snippet escaped, with the words that were looked for in bold."""
    told = ""
    for words, is_found in pieces:
        more = bold(words, 80) if is_found else escape(one_line(words), _SNIPPET)
        if length(told) + length(more) > most:
            return f"{told} …"
        told += more
    return told
