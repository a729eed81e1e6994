"""`report.html`: the range for somebody who reads, in one file that asks nothing of a network.

Integrity and completeness stand apart. The page claims neither: it was written by the same
hands as the log, so it says how each is checked, and what it cannot show.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import islice

from storage.evidence.contents import Contents
from storage.evidence.reports.charts import Chart, drawn
from storage.evidence.reports.collect import Reports
from storage.evidence.reports.columns import COLUMNS, COMMON, EXCEPTIONS
from storage.evidence.reports.tally import LONGER, SPANS
from workflows.policy_retention import Terms

MOST_LISTED = 200
MOST_BARS = 30
LISTED = (*COMMON[:2], "run", "actor", *COLUMNS[EXCEPTIONS])

HEAD = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Evidence report</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; color: #1b1b1b; background: #fff;
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 2.5rem; border-bottom: 1px solid #999; }
table { border-collapse: collapse; margin: 1rem 0; } .wide { overflow-x: auto; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { border: 1px solid #999; padding: .25rem .6rem; text-align: left; vertical-align: top; }
td { overflow-wrap: anywhere; } .wide td { min-width: 6rem; }
.n { text-align: right; font-variant-numeric: tabular-nums; }
.chart { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; }
.chart table { margin: 0; } .unseen { position: absolute; clip-path: inset(50%); }
svg { max-width: 100%; height: auto; } svg text { font-size: 13px; fill: #1b1b1b; }
.s0 { fill: #1f5fa8; } .s1 { fill: #b3541e; } code { overflow-wrap: anywhere; }
pre { white-space: pre-wrap; }
@media print { body { margin: 0; max-width: none; font-size: 11pt; }
  h2, h3 { break-after: avoid; } tr, svg { break-inside: avoid; } .wide { overflow: visible; }
  .wide table { font-size: 7pt; } .wide td { min-width: 4.5em; }
  .wide :is(th, td) { padding: 1pt 2pt; } }
</style>
</head>
<body>
<main>
"""
TAIL = "</main>\n</body>\n</html>\n"

INTEGRITY = """\
<section aria-labelledby="integrity">
<h2 id="integrity">Integrity: is what is here what was recorded?</h2>
<p><strong>This page cannot say so: whoever could change the log could write this page.</strong>
Decide it with the verifier, a public key and a head that you got another way than with this
pack:</p>
<pre>python verify.py --vkey KEY --checkpoint NOTE</pre>
"""
COMPLETENESS = """\
<section aria-labelledby="completeness">
<h2 id="completeness">Completeness: is all that happened here?</h2>
<p><strong>No log can prove that.</strong> What was never recorded is in no row of this pack.
What narrows it: an effect is announced before it happens, Slack keeps counts and times of its
own, and the hash of every entry outside this range goes along, so that nothing of the range
can be left out unseen.</p>
"""
LIMITS = """\
<section aria-labelledby="limits">
<h2 id="limits">What this report does not prove</h2>
<ul>
<li>What came after the newest head that you hold from elsewhere.</li>
<li>That everything was recorded, see above.</li>
<li>Who a person was: entries name pseudonyms, <code>subjects.jsonl</code> the accounts behind
them. Who used an account is for Slack to say.</li>
<li>That the clock was right: times are those of the machine that wrote.</li>
<li>How often somebody tried what was refused: the same person, request and reason make one
entry within two days.</li>
<li>Anything by itself: it is derived. The entries decide, and each row names its entry.</li>
</ul>
</section>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the page says of the export: its contents, the drawn runs, and who made it when."""

    contents: Contents
    sampled: Sequence[str]
    count: int
    seed: str
    terms: Terms
    created: str
    tool: str


def page(about: About, reports: Reports) -> Iterator[str]:
    """Yield the page piece by piece; the same range gives the same page but for its date."""
    yield HEAD
    yield _top(about, reports)
    yield INTEGRITY + _own_check(reports) + "</section>\n"
    yield COMPLETENESS + _narrowed(reports) + "</section>\n"
    yield _counts(reports)
    yield from _exceptions(reports)
    yield _samples(about)
    yield LIMITS
    yield TAIL


def _top(about: About, reports: Reports) -> str:
    contents, period = about.contents, reports.period
    facts = (
        ("Log", contents.head.origin),
        (
            "Entries",
            f"{contents.start} up to, and without, {contents.end}, of {contents.head.size}",
        ),
        ("Period", f"{period[0]} to {period[1]}, as the entries say" if period else "empty"),
        ("Head", f"size {contents.head.size}, fingerprint {contents.head.fingerprint}"),
        ("Made", f"{about.created} by {about.tool}"),
    )
    return f"<h1>Evidence report</h1>\n{_pairs('What this pack covers', facts)}"


def _own_check(reports: Reports) -> str:
    checked = reports.outside.checked
    if checked is None:
        return "<p>The range holds no check that the log made of itself.</p>"
    words = f"exit code {checked.said('exit')}, {checked.said('failures')} failures"
    return (
        f"<p>The newest check that the log made of itself is entry {checked.idx} of"
        f" {escape(checked.ts)}: {escape(words)}. It is a claim like this page.</p>"
    )


def _narrowed(reports: Reports) -> str:
    tally = reports.tally
    facts = (
        ("Effects announced without an end in the range", tally.open_intents),
        ("Effects in doubt", tally.exceptions["in-doubt"]),
        ("Runs without an end in the range", tally.outcomes["open"]),
        ("Schedules missed", tally.exceptions["missed"]),
        ("Messages that could not be delivered", tally.exceptions["undelivered"]),
        ("Starts of the service recorded", reports.outside.starts),
    )
    return _pairs("What the range says of gaps", facts)


def _counts(reports: Reports) -> str:
    tally = reports.tally
    rules = {*tally.approved, *tally.denied}
    by_rule = [(one, (tally.approved[one], tally.denied[one])) for one in sorted(rules)]
    names = [*(name for _, name in SPANS), LONGER]
    spans = [(one, (tally.spans[one],)) for one in names] if tally.spans else []
    charts = (
        Chart(title="Runs by outcome", series=("runs",), counts=_most(tally.outcomes)),
        Chart(title="Runs by workflow", series=("runs",), counts=_most(tally.workflows)),
        Chart(
            title="Decisions by rule, approved and denied",
            series=("approved", "denied"),
            counts=sorted(by_rule, key=lambda one: -sum(one[1]))[:MOST_BARS],
        ),
        Chart(title="From request to decision", series=("decisions",), counts=spans),
        Chart(
            title="Who decided, against who asked",
            series=("decisions",),
            counts=_most(tally.overlaps),
        ),
        Chart(title="Exceptions", series=("entries",), counts=_most(tally.exceptions)),
    )
    rows = [(f"reports/{name}.csv", tally.rows[name]) for name in COLUMNS]
    return (
        '<section aria-labelledby="counts">\n<h2 id="counts">Counts</h2>\n'
        + "".join(drawn(one) for one in charts)
        + _pairs("Rows of the tables in this pack", rows)
        + "</section>\n"
    )


def _most(counts: Counter[str]) -> list[tuple[str, tuple[int, ...]]]:
    """Return the largest counts, equal ones by name."""
    ranked = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return [(name, (number,)) for name, number in ranked[:MOST_BARS]]


def _exceptions(reports: Reports) -> Iterator[str]:
    total = reports.tally.rows[EXCEPTIONS]
    yield '<section aria-labelledby="exceptions">\n<h2 id="exceptions">Exceptions</h2>\n'
    if not total:
        yield "<p>None in this range.</p>\n</section>\n"
        return
    shown = f"the first {MOST_LISTED} of {total}" if total > MOST_LISTED else f"all {total}"
    heads = "".join(f'<th scope="col">{one}</th>' for one in LISTED)
    yield f'<div class="wide"><table><caption>By entry, {shown}; all in reports/exceptions.csv'
    yield f"</caption><thead><tr>{heads}</tr></thead><tbody>\n"
    for cells in islice(reports.cells(EXCEPTIONS), MOST_LISTED):
        yield f"<tr>{''.join(f'<td>{escape(cells[name])}</td>' for name in LISTED)}</tr>\n"
    yield "</tbody></table></div>\n</section>\n"


def _samples(about: About) -> str:
    words = "<p>No runs were drawn.</p>"
    if about.count:
        items = "".join(f"<li><code>samples/{escape(one)}/</code></li>" for one in about.sampled)
        words = (
            f"<p>{len(about.sampled)} of the runs that began in the range were drawn with the seed"
            f" <code>{escape(about.seed)}</code>; README says how to draw them again.</p>"
            f"<ul>{items}</ul>"
        )
    return (
        f'<section aria-labelledby="samples">\n<h2 id="samples">Samples</h2>\n{words}</section>\n'
    )


def _pairs(caption: str, facts: Sequence[tuple[str, object]]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(str(value))}</td></tr>'
        for name, value in facts
    )
    return f"<table><caption>{escape(caption)}</caption><tbody>{rows}</tbody></table>\n"
