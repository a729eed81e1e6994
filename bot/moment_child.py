"""Reads one moment in words with dateparser, in a process of its own that ends at once.

dateparser and what it brings would add 8 MB for good to a bot that is asked for it now and then.
One line of JSON comes in: the words, and the wall time they are counted from; one goes out: the
wall time they mean, or null. Nothing but the standard library and dateparser is imported.
"""

import json
import sys
from datetime import datetime


def main() -> None:
    """Answer the one question on standard input."""
    words, base = json.loads(sys.stdin.readline())
    found = parse(words, datetime.fromisoformat(base))
    sys.stdout.write(json.dumps(found.isoformat() if found is not None else None))


def parse(words: str, base: datetime) -> datetime | None:
    """Return the wall time that `words` mean, counted from `base`; None if they mean none."""
    # dateparser comes without types. Importing this module costs nothing.
    import dateparser  # type: ignore[import-untyped]  # noqa: PLC0415

    found: datetime | None = dateparser.parse(
        words,
        languages=["en"],
        settings={
            "PREFER_DATES_FROM": "future",
            "RELATIVE_BASE": base,
            "DATE_ORDER": "DMY",
            "RETURN_AS_TIMEZONE_AWARE": False,
        },
    )
    return found


if __name__ == "__main__":
    main()
