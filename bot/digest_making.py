"""Reads what a digest tells and draws it: imported when one is made or shown, and no earlier."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from bot.digest_asked import AskedOf
from bot.digest_figures import figures_json, people_in, shown_from
from bot.digest_files import figures_of, page_of
from bot.health import HealthReport, read_health
from bot.health_words import names_of
from bot.letters import Letter
from bot.rendering import content_of
from bot.slack_client import Content, Place
from bot.views.digest import details, digest
from bot.views.digest_values import DigestShown
from bot.wording import Who
from storage.figures import read_figures
from storage.heads import Head
from storage.listing import people_of
from storage.outbox_values import OutboxRow
from storage.transaction import Database
from workflows.entry import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A digest: its id, its figures as JSON, and what they look like."""

    id: str
    figures: dict[str, Any]
    shown: DigestShown


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """What is read before the transaction that makes a digest."""

    health: HealthReport
    asked: AskedOf
    catalog: Sequence[str]  # What there is to say of workflows, a sentence each.


def health_until(database: Database, until: datetime) -> HealthReport:
    """Return how approvals went; months of them are read, and nobody's click waits for that."""
    with database.read() as connection:
        return read_health(connection, until=until)


def told(
    connection: Connection,
    aside: Aside,
    period: tuple[datetime, datetime],
    *,
    head: Head,
    places: range,
    titles: Mapping[str, str],
    now: datetime,
) -> dict[str, Json]:
    """Return the figures of a period, with the head of the log under which they are told."""
    since, until = period
    figures = read_figures(connection, since=since, until=until, places=places, now=now)
    return figures_json(
        figures,
        head,
        aside.health,
        titles=dict(titles),
        asked=aside.asked,
        period=period,
        places=places,
        catalog=aside.catalog,
    )


def without_secrets(figures: Mapping[str, Json], redact: Callable[[str], str]) -> dict[str, Json]:
    """Return figures with held secrets taken out of their words; the signed head stays whole."""
    return {
        name: one if name == "head" else _redacted(one, redact) for name, one in figures.items()
    }


def _redacted(told: Json, redact: Callable[[str], str]) -> Json:
    match told:
        case str():
            return redact(told)
        case list():
            return [_redacted(one, redact) for one in told]
        case dict():
            return {name: _redacted(one, redact) for name, one in told.items()}
    return told


def shown(
    database: Database, figures: Mapping[str, Any], *, titles: Mapping[str, str]
) -> DigestShown:
    """Return what figures look like, with the names that people have now."""
    people = people_of(database, people_in(figures))
    return shown_from(figures, name=names_of(people), titles=dict(titles))


def file_letter(made: Made, row: OutboxRow) -> Letter:
    """Return the message below a digest that has all of it as files; `row` says where that is."""
    files = [page_of(made.shown), figures_of(made.shown, made.figures)]
    said = row.body if isinstance(row.body, dict) else {}
    thread = Place(channel=row.channel, ts=str(said.get("thread", "")))
    content = Content(text="The whole of this digest, to keep and to work with.")
    return Letter(channel=row.channel, content=content, thread=thread, files=files)


def letter(
    seen: DigestShown, note: str, *, channel: str, readers: Sequence[Who], previous: str
) -> Letter:
    """Return the message of a digest; `readers` are asked to answer, `previous` links another."""
    seen = replace(seen, readers=readers, previous=previous)
    return Letter(
        channel=channel,
        content=content_of(digest(seen)),
        replies=[content_of(one) for one in details(seen)],
        shown={"note": note},
    )
