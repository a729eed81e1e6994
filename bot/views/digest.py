"""The story of a period: one message with figures, details in its thread.

`digest` is the message; `plainer` are the same facts for workspaces that refuse a chart or a
table; `details` goes into the thread. Gathering the figures is for `bot.digest`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from slack_sdk.models.blocks import Block

from bot.views.digest_values import DayFigures, DecisionFigures, DigestShown, HealthFigures, Waiting
from bot.views.failure_charts import failure_charts
from bot.views.figures import DataVisualizationBlock, Series, bar_chart, data_table
from bot.views.pieces import (
    Rendered,
    context,
    header,
    plain_section,
    preformatted,
    rendered,
    section,
    sections,
)
from bot.wording import (
    bold,
    clip,
    code,
    duration,
    escape,
    joined,
    link,
    mentions,
    one_line,
    plural,
    utc,
    when,
)

_A_DAY = timedelta(days=1)
_DAYS, _WORKFLOWS = 20, 12
_BAR = 30  # Signs of the longest bar, on a phone's width.
_TEXTS = 3  # Paragraphs of 3,000 characters in one reply.


def digest(shown: DigestShown) -> Rendered:
    """Build the message with a chart and a table."""
    return rendered(sentence(shown), _blocks(shown, with_chart=True, with_table=True))


def plainer(shown: DigestShown) -> tuple[Rendered, Rendered]:
    """Build it without the chart, and without the table too, for `invalid_blocks`."""
    return (
        rendered(sentence(shown), _blocks(shown, with_chart=False, with_table=True)),
        rendered(sentence(shown), _blocks(shown, with_chart=False, with_table=False)),
    )


def without_charts(shown: DigestShown) -> Rendered:
    """Build it without the chart; the same figures stand in words and in the table."""
    return plainer(shown)[0]


def sentence(shown: DigestShown) -> str:
    """Return the whole digest in one sentence."""
    started, done, refused, failed, still_open = _sums(shown)
    period = period_of(shown)
    if not started and not done and not refused and not failed:
        return f"Digest of {period}: no runs. {_waiting_words(shown)}"
    return (
        f"Digest of {period}: {plural(started, 'run')} started, {done} done,"
        f" {refused} not approved, {failed} failed, {still_open} open. {_waiting_words(shown)}"
    )


def period_of(shown: DigestShown) -> str:
    """Return from when to when it is, by days where it has any."""
    most = len("2026-01-31 09:00") if shown.until - shown.since < _A_DAY else len("2026-01-31")
    return f"{utc(shown.since)[:most]} to {utc(shown.until)[:most]}"


def _sums(shown: DigestShown) -> tuple[int, int, int, int, int]:
    rows = shown.workflows
    return (
        sum(one.started for one in rows),
        sum(one.done for one in rows),
        sum(one.refused for one in rows),
        sum(one.failed for one in rows),
        sum(one.open for one in rows),
    )


def _waiting_words(shown: DigestShown) -> str:
    if not shown.waiting:
        return "Nothing waits for a person."
    return f"{plural(shown.waits_in_all, 'run waits', 'runs wait')} for a person."


def _blocks(shown: DigestShown, *, with_chart: bool, with_table: bool) -> list[Block]:
    chart = [_chart(shown)] if with_chart and shown.days else []
    table = _table(shown) if with_table else None
    return [
        header(period_of(shown)),
        section(escape(sentence(shown))),
        *([section("\n".join(map(_number, numbers(shown))))] if shown.before else []),
        *(chart or _bars(shown)),
        context(_by_day(shown)),
        *([table] if table is not None else _by_workflow(shown)),
        section(_decided(shown.decisions)),
        *(_healthy(shown.health, with_chart=with_chart) if shown.health is not None else ()),
        *_head(shown),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """One of the five: what it counts, how much, and against the period before."""

    name: str
    now: str
    change: str


def numbers(shown: DigestShown) -> list[Number]:
    """Return the five numbers that matter, each against the period before; none without one."""
    before = shown.before
    if before is None:
        return []
    started, done, refused, failed, _ = _sums(shown)
    counts = (
        ("run started" if started == 1 else "runs started", started, before.started),
        ("done", done, before.done),
        ("not approved", refused, before.refused),
        ("failed", failed, before.failed),
    )
    told = [Number(name=name, now=str(now), change=_change(now, old)) for name, now, old in counts]
    return [*told, _median(shown.decisions.median, before.median)]


def _change(now: int, old: int) -> str:
    sign = "▲" if now > old else "▼"
    return f"as many as before ({old})" if now == old else f"{sign} {abs(now - old)}, was {old}"


def _median(now: timedelta | None, old: timedelta | None) -> Number:
    was = f"was {duration(old)}" if old is not None else "nothing was decided before"
    told = duration(now) if now is not None else "–"  # noqa: RUF001 - the dash of an empty figure.
    sign = ""
    if now is not None and old is not None and now != old:
        sign = "▲ " if now > old else "▼ "
    return Number(name="until half of the requests were decided", now=told, change=sign + was)


def _number(one: Number) -> str:
    return f"*{one.now}* {one.name} · {one.change}"


def _bars(shown: DigestShown) -> Iterator[Block]:
    """Yield the chart as lines of text, for where Slack draws none."""
    days = [one for one in _recent(shown) if one.done or one.refused or one.failed]
    if not days:
        return
    most = max(one.done + one.refused + one.failed for one in days)
    lines = [f"{_day(one)} {_bar(one, most)} {one.done + one.refused + one.failed}" for one in days]
    yield preformatted("\n".join([*lines, "█ done ▒ not approved × failed"]))  # noqa: RUF001 - a sign, not a letter.


def _bar(one: DayFigures, most: int) -> str:
    """Return a day's bar; what happened at all has a sign at least."""
    size = max(1, most / _BAR)
    signs = ((one.done, "█"), (one.refused, "▒"), (one.failed, "×"))  # noqa: RUF001 - a sign, not a letter.
    return "".join(sign * max(1, round(count / size)) for count, sign in signs if count)


def _recent(shown: DigestShown) -> Sequence[DayFigures]:
    return shown.days[-_DAYS:]


def _chart(shown: DigestShown) -> DataVisualizationBlock:
    days = _recent(shown)
    return bar_chart(
        f"Runs that ended, last {plural(len(days), 'day')}",
        [_day(one) for one in days],
        [
            Series(name="done", values=tuple(one.done for one in days)),
            Series(name="not approved", values=tuple(one.refused for one in days)),
            Series(name="failed", values=tuple(one.failed for one in days)),
        ],
        y_label="runs",
    )


def _day(one: DayFigures) -> str:
    return f"{one.day:%a %d %b}"


def _by_day(shown: DigestShown) -> str:
    """Say what the chart shows."""
    told = [
        f"{_day(one)} {one.done}/{one.refused}/{one.failed}"
        for one in _recent(shown)
        if one.done or one.refused or one.failed
    ]
    days = f"Done/not approved/failed by day: {' · '.join(told)}. Other days: none."
    return " ".join(
        filter(None, (days if told else "No run ended in these days.", shown.shadow_words))
    )


_COLUMNS = ("Workflow", "Started", "Done", "Not approved", "Failed", "Open")


def _table(shown: DigestShown) -> Block | None:
    rows = [
        (one.title, one.started, one.done, one.refused, one.failed, one.open)
        for one in shown.workflows
    ]
    return data_table("Runs by workflow", _COLUMNS, rows, most=_WORKFLOWS)


def _by_workflow(shown: DigestShown) -> Iterator[Block]:
    lines = [
        f"{one.title}: {one.started} started, {one.done} done, {one.refused} not approved,"
        f" {one.failed} failed, {one.open} open"
        for one in shown.workflows[:_WORKFLOWS]
    ]
    more = len(shown.workflows) - len(lines)
    if lines:
        yield plain_section("\n".join(clip(one_line(line), 200) for line in lines))
    if more:
        yield context(f"… and {plural(more, 'further workflow')}, in the thread")


def _decided(figures: DecisionFigures) -> str:
    median = ""
    if figures.median is not None:
        median = f" Half of the requests were decided in less than {duration(figures.median)}."
    refused = ""
    if figures.refused:
        count = plural(figures.refused, "decision")
        own = f", {figures.own} of them by whoever had asked" if figures.own else ""
        refused = f" {count} did not count{own}."
    return (
        f"*Approvals*: {figures.approved} approved, {figures.denied} rejected,"
        f" {figures.expired} expired, {figures.withdrawn} withdrawn.{median}{refused}"
    )


def _healthy(health: HealthFigures, *, with_chart: bool) -> Iterator[Block]:
    yield section(_health(health))
    if not health.causes:
        return
    if with_chart:
        names = [name for name, _ in health.causes]
        times = Series(name="times", values=tuple(count for _, count in health.causes))
        yield bar_chart(f"What stopped runs, last {health.period}", names, [times], y_label="times")
    told = "; ".join(f"{escape(name, 80)} {count}" for name, count in health.causes)
    yield context(f"What stopped runs, last {escape(health.period, 20)}: {told}.")


def _health(health: HealthFigures) -> str:
    found = "Nothing stands out."
    if health.findings:
        found = (
            f"{plural(len(health.findings), 'thing stands', 'things stand')} out: in the thread."
        )
    told = f"last {escape(health.period, 20)}: {escape(health.words, 400)}"
    return f"*Health of approvals*, {told}. {found}"


def _head(shown: DigestShown) -> Iterator[Block]:
    head = shown.head
    yield section(
        f"*Signed head of the log*: entries #{head.first} to #{head.last}, without a gap"
        if head.last >= head.first
        else "*Signed head of the log*: no entry was added"
    )
    yield preformatted(head.note)
    own = f" {escape(head.verified, 200)}" if head.verified else ""
    yield section(
        f"Check it yourself: save the note as a file, then {code(head.check, 400)}{own}\n"
        f"Key {code(head.vkey, 250)}"
    )
    yield context(_outside(shown))
    if shown.failing:
        yield section("\n".join(f"⚠️ {escape(one, 400)}" for one in shown.failing))
    if shown.readers and head.fingerprint:
        yield section(
            f"{mentions(shown.readers, '')}, please answer in this thread with the first 12"
            f" characters of the note's third line: {code(head.fingerprint)}. Whoever answers holds"
            " this head from then on, whatever becomes of this message or the log."
        )
    if shown.previous:
        yield context(link(shown.previous, "The digest before this one"))


def _outside(shown: DigestShown) -> str:
    if not shown.anchors:
        return "No head of this log is kept outside of Slack."
    return f"Heads kept outside. {escape('; '.join(shown.anchors), 900)}."


def details(shown: DigestShown) -> list[Rendered]:
    """Build the replies in the digest's thread, a chapter each that has something to say."""
    chapters = (
        ("Waiting for a person", [*map(_waiting, shown.waiting), *shown.unlisted_words]),
        ("What stands out in approvals", [f"• {escape(one, 400)}" for one in _findings(shown)]),
        ("Exceptions", [f"• {escape(one, 300)}" for one in shown.exceptions]),
        ("Changes of rules and keys", [f"• {escape(one, 300)}" for one in shown.changes]),
        ("All workflows", _rest(shown)),
    )
    told = [reply for title, lines in chapters for reply in _chapter(title, lines)]
    return told if shown.health is None else [*told, *failure_charts(shown.health)]


def _findings(shown: DigestShown) -> Sequence[str]:
    return shown.health.findings if shown.health is not None else ()


def _rest(shown: DigestShown) -> list[str]:
    if len(shown.workflows) <= _WORKFLOWS:
        return []
    return [
        f"{bold(one.title, 120)}: {one.started} started, {one.done} done,"
        f" {one.refused} not approved, {one.failed} failed, {one.open} open"
        for one in shown.workflows
    ]


def _waiting(one: Waiting) -> str:
    title = link(one.thread, one.title) if one.thread else bold(one.title, 120)
    asked = f" (asked: {escape(joined(list(one.asked), 'and'), 300)})" if one.asked else ""
    waits = f"{escape(one.waits_for, 150)}{asked}"
    return f"• {title} {code(one.run)} for {waits}, since {when(one.since)}"


def _chapter(title: str, lines: Sequence[str]) -> Iterator[Rendered]:
    """Yield a chapter in as many messages as it needs."""
    texts = sections(lines)
    for start in range(0, len(texts), _TEXTS):
        part = f" ({start // _TEXTS + 1})" if len(texts) > _TEXTS else ""
        count = plural(len(lines), "line")
        yield rendered(
            f"{title}{part}: {count}", [header(f"{title}{part}"), *texts[start : start + _TEXTS]]
        )
