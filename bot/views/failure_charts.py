"""What stopped runs, for the thread of a digest: Pareto charts of causes, steps, targets, versions.

Each is a message of its own, since Slack takes two charts in one. Labels of a chart are too short
for most names, so bars are numbered and stand below with their names, also where Slack draws no
chart.
"""

from collections.abc import Iterator

from bot import limits
from bot.views.digest_values import HealthFigures
from bot.views.figures import Series, bar_chart
from bot.views.health import pareto_bars
from bot.views.pieces import Rendered, header, preformatted, rendered
from bot.wording import clean, escape, length
from workflows.failure_modes import Share


def failure_charts(health: HealthFigures) -> Iterator[Rendered]:
    """Yield a message for each facet, the most frequent first in each."""
    for by, shares in health.modes:
        if not shares:
            continue
        title = f"What stopped runs, by {by}, last {health.period}"
        numbered = [
            Share(label=f"{number}. {one.label}", times=one.times, so_far=one.so_far)
            for number, one in enumerate(shares, start=1)
        ]
        times = Series(name="times", values=tuple(one.times for one in shares))
        labels = [_ending(one.label, number) for number, one in enumerate(shares, start=1)]
        chart = bar_chart(title, labels, [times], y_label="times")
        told = "; ".join(one.words for one in shares)
        yield rendered(
            f"{escape(title)}: {escape(told, 3_000)}.",
            [header(title), chart, preformatted("\n".join(pareto_bars(numbered)))],
        )


def _ending(label: str, number: int) -> str:
    """Return a label of a chart: the end of a long name says more than its beginning."""
    first = f"{number}. "
    room = limits.CHART_LABEL - length(first)
    words = clean(label)
    return first + (words if length(words) <= room else f"…{words[1 - room :]}")
