"""The whole of a digest as files: the page and its figures, the same wherever they go out.

People stand in the figures by their pseudonyms, on the page by the names that they have now.
"""

import json
from collections.abc import Mapping
from typing import Any

from bot.delivery import Attachment
from bot.digest_page import digest_page
from bot.views.digest_values import DigestShown
from bot.wording import utc


def page_of(shown: DigestShown) -> Attachment:
    """Return the digest as one page of HTML."""
    content = digest_page(shown).encode()
    return Attachment(name=f"{_name(shown)}.html", title="The digest as a page", content=content)


def figures_of(shown: DigestShown, figures: Mapping[str, Any]) -> Attachment:
    """Return everything that the digest says, as JSON."""
    content = json.dumps(figures, indent=1, sort_keys=True).encode()
    return Attachment(name=f"{_name(shown)}.json", title="Its figures as data", content=content)


def _name(shown: DigestShown) -> str:
    return f"digest-{utc(shown.since)[:10]}-to-{utc(shown.until)[:10]}"
