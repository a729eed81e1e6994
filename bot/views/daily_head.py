"""The signed head of the log, as the channel gets it each day: quietly, and nobody is asked."""

from dataclasses import dataclass

from bot.views.pieces import Rendered, context, preformatted, rendered, section
from bot.wording import code, link, plural


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadShown:
    """A head of `size` entries, `new` of them since the one before, which `previous` links."""

    size: int
    new: int
    note: str
    check: str  # The command an outsider runs.
    previous: str = ""


def daily_head(shown: HeadShown) -> Rendered:
    """Build the message."""
    size = plural(shown.size, "entry", "entries")
    return rendered(
        f"Head of the log: {size}, {shown.new} new",
        [
            section(f"*Head of the log*: {size}, {shown.new} new"),
            preformatted(shown.note),
            context(
                f"Keep it to check the log later: {code(shown.check)}",
                link(shown.previous, "The head before this one") if shown.previous else "",
            ),
        ],
    )
