"""`interlock find`: search the summaries of runs, beside whoever serves."""

from collections.abc import Sequence
from datetime import UTC, datetime

import click

from bot.cli.output import Exit, answer, as_json_option, leave
from bot.cli.reading import opened
from bot.search_text import Asker, read_search
from bot.settings import read_settings
from storage.listing import MOST
from storage.search import Hit, Hits, find
from workflows.moments import stamp

NOTHING = (
    "Nothing speaks of that. A run is found once it has ended; `interlock runs` lists those that"
    " go on."
)


# `-word` leaves out what has the word; it is no option.
@click.command("find", context_settings={"ignore_unknown_options": True})
@click.argument("typed", nargs=-1, required=True, metavar="WORDS...")
@click.option(
    "--most", default=10, type=click.IntRange(1, MOST), show_default=True, help="How many a page."
)
@click.option(
    "--page", default=1, type=click.IntRange(1, 2_000), show_default=True, help="Which page."
)
@as_json_option
def find_runs(typed: tuple[str, ...], most: int, page: int, *, as_json: bool) -> None:
    """Search the summaries of runs. Exit code 1 when nothing is found.

    Words must all occur; "a phrase", refun* and -word mean what they mean elsewhere. Conditions
    narrow it down: workflow: by: approver: outcome: after: before:, each with its value.
    """
    words = " ".join(map(_whole, typed))
    with opened(read_settings()) as database:
        sought = read_search(words, database, asker=Asker(), now=datetime.now(UTC))
        found = find(database, sought, limit=most, offset=(page - 1) * most)
    data = {
        "hits": [_hit(one) for one in found.page],
        "page": page,
        "total": found.total,
        "more_uncounted": found.is_cut,
    }
    answer(data, _lines(found, page, most), as_json=as_json)
    leave(Exit.FINE if found.page else Exit.NO)


def _whole(word: str) -> str:
    """Return one argument as one term: what the shell kept together stays together.

    Raises:
        click.NoSuchOption: it was meant as an option.
    """
    if word.startswith("--"):
        raise click.NoSuchOption(word)
    name, colon, value = word.partition(":")
    if colon and name.isalpha() and " " in value and '"' not in value:
        return f'{name}:"{value}"'
    return word


def _lines(found: Hits, page: int, most: int) -> Sequence[str]:
    if not found.page:
        return [NOTHING if not found.total else f"There is no page {page}."]
    lines = []
    for one in found.page:
        snippet = " ".join("".join(piece.text for piece in one.snippet).split())
        lines += [f"{one.run}  {one.workflow}  {one.status.words}", f"    {snippet}"]
    first = (page - 1) * most + 1
    of = f"of {'the newest ' * found.is_cut}{found.total}"
    lines.append(f"{first} to {first + len(found.page) - 1} {of}.")
    return lines


def _hit(hit: Hit) -> dict[str, str | int | None]:
    return {
        "run": hit.run,
        "workflow": hit.workflow,
        "status": hit.status.value,
        "snippet": "".join(one.text for one in hit.snippet),
        "index": hit.index,
        "written_at": stamp(hit.written_at),
        "channel": hit.place.channel if hit.place else None,
        "thread": hit.place.ts if hit.place else None,
    }
