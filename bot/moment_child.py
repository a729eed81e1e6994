"""Reads one moment in words with dateparser, in a process of its own that ends at once.

dateparser and what it brings would keep some 28 MB in a bot that is asked for it now and then.
One line of JSON comes in: the words, and the wall time they are counted from; one goes out: the
wall time they mean, or null. Nothing but the standard library and dateparser is imported.
"""

import json
import sys
from datetime import datetime


def main() -> None:
    """Answer the one question on standard input."""
    # dateparser comes without types. Importing this module costs nothing.
    import dateparser  # type: ignore[import-untyped]  # noqa: PLC0415

    words, base = json.loads(sys.stdin.readline())
    found = dateparser.parse(
        words,
        languages=["en"],
        settings={
            "PREFER_DATES_FROM": "future",
            "RELATIVE_BASE": datetime.fromisoformat(base),
            "DATE_ORDER": "DMY",
            "RETURN_AS_TIMEZONE_AWARE": False,
        },
    )
    sys.stdout.write(json.dumps(found.isoformat() if found is not None else None))


if __name__ == "__main__":
    main()
