"""A digest as one page of HTML: to keep, to print, to mail. It loads nothing and runs nothing."""

from collections.abc import Iterator, Sequence
from html import escape

from bot.views.digest import numbers, period_of, sentence
from bot.views.digest_values import DayFigures, DigestShown, Waiting
from bot.wording import clean, plural, utc

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 46rem; padding: 0 1rem;
  color: #1d1c1d; background: #fff; overflow-wrap: break-word; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #ddd; padding: 0.3rem 0.5rem; text-align: left; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
.numbers td:first-child { font-size: 1.3rem; font-weight: 600; text-align: right; }
.bar { display: flex; height: 1rem; } .bar span { display: block; }
.done { background: #2b7a4b; } .refused { background: #b58900; } .failed { background: #b3261e; }
pre { background: #f4f4f4; padding: 0.7rem; overflow-x: auto; white-space: pre-wrap;
  overflow-wrap: anywhere; }
code { overflow-wrap: anywhere; }
@media (max-width: 34rem) { table { display: block; overflow-x: auto; } }
"""
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""
_COLUMNS = ("Started", "Done", "Not approved", "Failed", "Open")


def digest_page(shown: DigestShown) -> str:
    """Return the digest as a whole page, everything of it escaped."""
    title = f"Digest of {period_of(shown)}"
    return _PAGE.format(title=_text(title), style=_STYLE, body="\n".join(_chapters(shown)))


def _chapters(shown: DigestShown) -> Iterator[str]:
    yield f"<p>{_text(sentence(shown))}</p>"
    yield from _numbers(shown)
    yield from _listed(
        "Waiting for a person", [*map(_waiting, shown.waiting), *shown.unlisted_words]
    )
    yield from _days(shown.days)
    yield from _workflows(shown)
    yield from _approvals(shown)
    yield from _listed("Exceptions", shown.exceptions)
    yield from _listed("Changes of rules and keys, erased and swept", shown.changes)
    yield from _head(shown)


def _numbers(shown: DigestShown) -> Iterator[str]:
    rows = [
        f"<tr><td>{_text(one.now)}</td><td>{_text(one.name)}</td><td>{_text(one.change)}</td></tr>"
        for one in numbers(shown)
    ]
    if rows:
        yield f'<table class="numbers">{"".join(rows)}</table>'


def _waiting(one: Waiting) -> str:
    asked = f"; asked: {', '.join(one.asked)}" if one.asked else ""
    return f"{one.title} ({one.run}) for {one.waits_for}{asked}, since {utc(one.since)}"


def _days(days: Sequence[DayFigures]) -> Iterator[str]:
    ended = [one for one in days if one.done or one.refused or one.failed]
    if not ended:
        return
    most = max(one.done + one.refused + one.failed for one in ended)
    yield "<h2>Runs that ended, by day</h2><table>"
    yield "<tr><th>Day</th><th>Done, not approved, failed</th><th class='n'></th></tr>"
    for one in ended:
        told = f"{one.done} / {one.refused} / {one.failed}"
        yield (
            f"<tr><td>{one.day:%a %d %b %Y}</td><td>{_bar(one, most)}</td>"
            f'<td class="n">{told}</td></tr>'
        )
    yield "</table>"


def _bar(one: DayFigures, most: int) -> str:
    parts = (("done", one.done), ("refused", one.refused), ("failed", one.failed))
    spans = "".join(
        f'<span class="{name}" style="width: {100 * count / most:.1f}%"></span>'
        for name, count in parts
        if count
    )
    return f'<div class="bar">{spans}</div>'


def _workflows(shown: DigestShown) -> Iterator[str]:
    if not shown.workflows:
        return
    heads = "".join(f'<th class="n">{one}</th>' for one in _COLUMNS)
    yield f"<h2>Workflows</h2><table><tr><th>Workflow</th>{heads}</tr>"
    for one in shown.workflows:
        counts = (one.started, one.done, one.refused, one.failed, one.open)
        cells = "".join(f'<td class="n">{count}</td>' for count in counts)
        yield f"<tr><td>{_text(one.title)}</td>{cells}</tr>"
    yield f"</table><p>{shown.shadow_words}</p>" if shown.shadows else "</table>"


def _approvals(shown: DigestShown) -> Iterator[str]:
    made = shown.decisions
    yield (
        f"<h2>Approvals</h2><p>{made.approved} approved, {made.denied} rejected,"
        f" {made.expired} expired, {made.withdrawn} withdrawn.</p>"
    )
    if shown.health is not None:
        yield f"<p>Last {_text(shown.health.period)}: {_text(shown.health.words)}</p>"
        yield from _listed("What stands out in approvals", shown.health.findings)
        causes = [f"{name}: {plural(count, 'time')}" for name, count in shown.health.causes]
        yield from _listed("What stopped runs", causes)
        for by, shares in shown.health.modes:
            yield from _listed(f"What stopped runs, by {by}", [one.words for one in shares])


def _head(shown: DigestShown) -> Iterator[str]:
    head = shown.head
    span = f"entries #{head.first} to #{head.last}" if head.last >= head.first else "no entry"
    yield f"<h2>Signed head of the log</h2><p>This period: {span}. {_text(head.verified)}</p>"
    yield f"<pre>{_text(head.note)}</pre>"
    yield f"<p>Check it: <code>{_text(head.check)}</code></p>"
    yield f"<p>Key <code>{_text(head.vkey)}</code></p>"
    yield from _listed("Kept outside", [*shown.anchors, *shown.failing])


def _listed(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        items = "".join(f"<li>{_text(one)}</li>" for one in lines)
        yield f"<h2>{title}</h2><ul>{items}</ul>"


def _text(words: str) -> str:
    return escape(clean(words))
