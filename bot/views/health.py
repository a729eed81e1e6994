"""The answer to `/ops health`: what waits, what stands out, and the figures behind it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import Block

from bot.health_words import settling_words
from bot.views.paging import Listing, page_of
from bot.views.pieces import Rendered, preformatted, section, sections
from bot.wording import bold, clean, clip, code, escape, length, plural, when
from workflows.failure_modes import Share, shortened

_NAME, _WORDS = 80, 600
_BAR = 24
_LABEL = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What is said of one workflow, person or cause."""

    name: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthShown:
    """Everything the answer says, in words; names are not escaped yet."""

    period: str  # As it is typed: `30d`.
    requests: int
    requests_until: datetime | None
    runs: int
    runs_since: datetime | None
    findings: Sequence[str]
    calm: str  # What is said where there are none.
    total: str
    buckets: Sequence[tuple[str, int]]  # How many decisions took how long.
    workflows: Sequence[Line]
    people: Sequence[Line]
    causes: Sequence[Line]
    note: str
    modes: Sequence[tuple[str, Sequence[Share]]] = ()  # What stops most runs, by what.


def health_page(shown: HealthShown, *, name: str = "/ops", page: int = 1) -> Rendered:
    """Build one page of the answer."""
    listing = Listing(
        title=f"Health, last {shown.period}",
        command=f"health {shown.period}",
        items=[[block] for block in _blocks(shown, name)],
        empty="",
        note=escape(shown.note, _WORDS),
    )
    return page_of(listing, page)


def _blocks(shown: HealthShown, name: str) -> Iterator[Block]:
    yield section(f"{_requests(shown, name)}\n{_runs(shown, name)}")
    found = [f"• {escape(one, _WORDS)}" for one in shown.findings]
    yield from sections(["*What stands out*", *(found or [escape(shown.calm)])])
    yield section(f"*Decisions*: {escape(shown.total, _WORDS)}")
    if any(count for _, count in shown.buckets):
        yield preformatted("\n".join(bars(shown.buckets)))
    for title, lines in (
        ("By workflow", shown.workflows),
        ("By approver", shown.people),
        ("What stopped runs", shown.causes),
    ):
        if lines:
            yield from sections([f"*{title}*", *(_line(one) for one in lines)])
    for by, shares in shown.modes:
        if not shares:
            continue
        yield section(f"*What stopped runs, by {escape(by, _NAME)}*")
        yield preformatted("\n".join(pareto_bars(shares)))


def _requests(shown: HealthShown, name: str) -> str:
    if shown.requests_until is None:
        return "✅ 0 requests wait for a decision."
    waits = plural(shown.requests, "request waits", "requests wait")
    ends = when(shown.requests_until)
    return f"✋ {waits} for a decision, the first until {ends}: {code(f'{name} approvals')}"


def _runs(shown: HealthShown, name: str) -> str:
    if shown.runs_since is None:
        return f"✅ {settling_words(0)}."
    since, queue = when(shown.runs_since), code(f"{name} runs --exceptions")
    return f"⚠️ {settling_words(shown.runs)}, the oldest started {since}: {queue}"


def _line(line: Line) -> str:
    return f"• {bold(line.name, _NAME)}: {escape(line.words, _WORDS)}"


def pareto_bars(shares: Sequence[Share]) -> list[str]:
    """Return the most frequent first, each with how much of all it makes with those before it."""
    shown = shortened(shares)
    drawn = bars([(clip(clean(one.label), _LABEL), one.times) for one in shown])
    return [f"{line} ({one.so_far} %)" for line, one in zip(drawn, shown, strict=True)]


def bars(buckets: Sequence[tuple[str, int]]) -> list[str]:
    """Return a histogram in letters, one line a bucket; what is there at all has a bar."""
    widest = max((length(clean(label)) for label, _ in buckets), default=0)
    most = max((count for _, count in buckets), default=0) or 1
    return [
        f"{label:<{widest}} {'█' * -(-count * _BAR // most)} {count}" for label, count in buckets
    ]
