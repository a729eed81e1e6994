"""`interlock digest`: what happened in a period, printed, written as a page, or posted."""

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from bot.anchors.parts import mail_server
from bot.beside import have_done
from bot.cli.output import answer, as_json_option
from bot.cli.typed import write
from bot.digest_figures import shown_from
from bot.digest_page import digest_page
from bot.orders import DigestOrder
from bot.settings import Settings, SettingsError, read_settings
from bot.views.digest import numbers, sentence
from bot.views.digest_values import DigestShown
from bot.wording import plural

NOBODY = "somebody"  # Whoever was erased since.
NOT_FIGURES = frozenset({"ok", "served", "digest", "people", "titles"})
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"])


@click.command()
@click.option("--days", type=click.IntRange(1, 366), show_default="7", help="How far back.")
@click.option("--from", "begins", type=_DAY, help="First day of the period, by UTC.")
@click.option("--to", "ends", type=_DAY, help="Where it ends: this day is not in it. Else: now.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a page.")
@click.option("--mail", is_flag=True, help="Send it to INTERLOCK_DIGEST_MAIL.")
@click.option("--post", is_flag=True, help="Post what came since the last one, to the channel.")
@as_json_option
def digest(
    *,
    days: int | None,
    begins: datetime | None,
    ends: datetime | None,
    html: Path | None,
    mail: bool,
    post: bool,
    as_json: bool,
) -> None:
    """Print what happened in a period, with the signed head of the log."""
    order = _post_order(days, begins, ends) if post else _order(days, begins, ends)
    settings = read_settings()
    if mail and not settings.digest_mail:
        raise SettingsError("There is nobody to mail to.", hint="Set INTERLOCK_DIGEST_MAIL.")
    told = have_done(settings, order, user=os.getuid())
    shown = shown_from(_figures(told), name=_named_by(told), titles=_titles_in(told))
    if html is not None:
        write(html, digest_page(shown))
    refused = _send(settings, shown, told) if mail else 0
    words = dict(told) | ({"refused": refused} if mail else {})
    answer(words, [*_lines(told, shown, html), *_refused(refused)], as_json=as_json)


def _refused(recipients: int) -> Iterator[str]:
    if recipients:
        people = plural(recipients, "recipient")
        yield f"The mail server refuses {people} for good: correct INTERLOCK_DIGEST_MAIL."


def _send(settings: Settings, shown: DigestShown, told: Mapping[str, Any]) -> int:
    from bot.digest_mail import DigestMail  # noqa: PLC0415 - only where it is asked for.

    sender, recipients = settings.smtp_from, settings.digest_mail
    mail = DigestMail(server=mail_server(settings), sender=sender, recipients=recipients)
    return mail.send(shown, _figures(told), at=datetime.now(UTC))


def _post_order(days: int | None, begins: datetime | None, ends: datetime | None) -> DigestOrder:
    if days or begins or ends:
        raise click.UsageError("--post takes what came since the last digest; leave out the days.")
    return DigestOrder(post=True)


def _order(days: int | None, begins: datetime | None, ends: datetime | None) -> DigestOrder:
    if days is not None and begins:
        raise click.UsageError("--from says where the period begins; leave out --days.")
    now = datetime.now(UTC)
    until = ends.replace(tzinfo=UTC) if ends else now
    since = (
        begins.replace(tzinfo=UTC) if begins else max(until, EARLIEST) - timedelta(days=days or 7)
    )
    if since >= now:
        raise click.UsageError("The period has not begun yet.")
    if since < EARLIEST:
        raise click.UsageError(f"No log has anything from before {EARLIEST:%Y}.")
    if since == until:
        whole = f"For that day, --to {until + timedelta(days=1):%Y-%m-%d}."
        raise click.UsageError(f"Nothing is in that period: where --to ends is not in it. {whole}")
    if since > until:
        raise click.UsageError("The period ends before it begins.")
    return DigestOrder(since=since, until=until)


def _figures(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in told.items() if name not in NOT_FIGURES}


def _named_by(told: Mapping[str, Any]) -> Callable[[str], str]:
    people: Mapping[str, str] = told["people"]
    return lambda ref: people.get(ref, NOBODY)


def _titles_in(told: Mapping[str, Any]) -> Mapping[str, str]:
    titles: Mapping[str, str] = told.get("titles", {})  # A bot of an earlier release has none.
    return titles


def _lines(told: Mapping[str, object], shown: DigestShown, html: Path | None) -> Iterator[str]:
    yield sentence(shown)
    for one in numbers(shown):
        yield f"{one.now:>6}  {one.name} ({one.change})"
    for waiting in shown.waiting:
        asked = f"  asked: {', '.join(waiting.asked)}" if waiting.asked else ""
        yield f"{waiting.run}  waits for {waiting.waits_for}{asked}"
    yield from shown.unlisted_words
    if html is not None:
        yield f"Written to {html}."
    if "digest" in told:
        yield f"Digest {told['digest']} waits to be posted."
