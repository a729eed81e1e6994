"""`interlock digest`: what happened in a period, printed or posted."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import click

from bot.beside import have_done
from bot.cli.output import answer, as_json_option
from bot.digest_figures import shown_from
from bot.orders import DigestOrder
from bot.settings import read_settings
from bot.views.digest import sentence


@click.command()
@click.option("--days", default=7, type=click.IntRange(1, 366), show_default=True)
@click.option("--post", is_flag=True, help="Post what came since the last one, to the channel.")
@as_json_option
def digest(*, days: int, post: bool, as_json: bool) -> None:
    """Print what happened in a period, with the signed head of the log."""
    since = None if post else datetime.now(UTC) - timedelta(days=days)
    told = have_done(read_settings(), DigestOrder(since=since, post=post), user=os.getuid())
    answer(dict(told), _lines(told), as_json=as_json)


def _lines(told: Mapping[str, object]) -> list[str]:
    figures = {name: one for name, one in told.items() if name not in ("ok", "served", "digest")}
    lines = [sentence(shown_from(figures))]
    if "digest" in told:
        lines.append(f"Digest {told['digest']} waits to be posted.")
    return lines
