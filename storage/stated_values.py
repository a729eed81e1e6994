"""Values of entries as columns hold them."""

import json
from datetime import UTC, datetime

from workflows.entry import Json


def moment_in(text: Json) -> datetime:
    """Return the moment that an entry wrote."""
    return datetime.fromisoformat(str(text)).astimezone(UTC)


def text_of(value: Json) -> str:
    """Return a value of an entry as a column of text, the same for the same value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
