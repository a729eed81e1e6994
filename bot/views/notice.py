"""A sentence or two for a channel: reminders, missed firings, alerts, posts of a workflow."""

from bot.views.pieces import Rendered, context, paragraphs, plain_section, rendered, section
from bot.wording import clip, escape

_MOST = 9_000


def notice(text: str, *, about: str = "") -> Rendered:
    """Build a message of our own words; `text` is mrkdwn that is already escaped."""
    blocks = [section(text), *([context(escape(about, 300))] if about else [])]
    return rendered(text, blocks)


def posted(text: str, *, about: str = "") -> Rendered:
    """Build what a `slack.post` step says: a definition's words with people's values in them.

    It is shown letter by letter, so no value can mention or link. What is too long for one
    message says that it was cut.
    """
    whole = clip(text, _MOST)
    texts = list(paragraphs(whole.split("\n"))) or [text]
    cut = "The text was longer than a message can be, and was cut here." if whole != text else ""
    told = [line for line in (cut, escape(about, 300)) if line]
    blocks = [*(plain_section(one) for one in texts), *([context(*told)] if told else [])]
    return rendered(escape(text, 1_000), blocks)
