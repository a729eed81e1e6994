"""`interlock access list` and `review`: who may do what now, by role, group and person."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime

import click

from bot.access import MAY, AccessReport, Grant, report_access
from bot.access_orders import AccessOrder
from bot.beside import have_done, slack_people
from bot.cli.lazy import LazyGroup, Place
from bot.cli.output import Exit, answer, as_json_option, leave
from bot.cli.placing import place_words, placed
from bot.cli.reading import opened
from bot.policy_in_force import policy_of
from bot.settings import Settings, read_settings
from bot.wording import NOTHING, plural, utc
from storage.published import active_versions, canonical_of
from storage.transaction import Database
from workflows.access_changes import Since
from workflows.definition import Definition
from workflows.errors import PeopleUnreadableError
from workflows.moments import stamp
from workflows.policy import Policy
from workflows.policy_roles import Role

PLACES = {
    "list": Place("bot.cli.access", "access_list", "Say who may do what now."),
    "review": Place("bot.cli.access", "access_review", "Look for roles to take away."),
}

access = LazyGroup(name="access", places=PLACES, help="Say who may do what, and have it signed.")


@click.command("list")
@click.option("--person", default="", metavar="NAME", help="Only this person: @handle or id.")
@as_json_option
def access_list(person: str, *, as_json: bool) -> None:
    """Say who may do what now: groups are read from Slack, as each door does."""
    settings = read_settings()
    policy, report = _report(settings)
    grants = [one for one in report.grants if not person or _is_called(one, person)]
    data = {"grants": [_data(report, one) for one in grants], "unbound": _unbound(policy)}
    answer(data, _lines(policy, report, grants), as_json=as_json)


@click.command("review")
@click.option("--csv", "as_csv", is_flag=True, help="Print the whole report as CSV.")
@click.option("--start", is_flag=True, help="Have the governors sign it in Slack.")
@click.option("--all", "everything", is_flag=True, help="Also what governors signed before.")
@as_json_option
def access_review(*, as_csv: bool, start: bool, everything: bool, as_json: bool) -> None:
    """Say what stands out in who may do what. Exit code 1 if something does.

    What stood out already when governors signed last is told in one line.
    """
    if as_csv and (as_json or start):
        raise click.UsageError("--csv prints the report as CSV; leave out --json and --start.")
    settings = read_settings()
    if start:
        told = placed(settings, have_done(settings, AccessOrder(), user=os.getuid()))
        asked = f"The governors are asked to sign it: {told['run']}."
        answer(told, [asked, f"  {place_words(told)}"], as_json=as_json)
        return
    _, report = _report(settings)
    if as_csv:
        click.echo(report.csv, nl=False)
    else:
        digest = report.reported.digest
        grants, people = len(report.grants), plural(len(report.people), "person", "people")
        lines = [
            *_standing_out(report, everything=everything),
            f"{plural(grants, 'grant')} of {people}. SHA-256 of the CSV: {digest}.",
        ]
        data = {
            "digest": digest,
            "findings": report.findings,
            "since": _since(report.since),
            "grants": [_data(report, one) for one in report.grants],
        }
        answer(data, lines, as_json=as_json)
    leave(Exit.NO if report.findings else Exit.FINE)


def _standing_out(report: AccessReport, *, everything: bool) -> Iterator[str]:
    if report.since is None or everything:
        yield from (f"! {one}" for one in report.findings)
        return
    yield from (f"! {one}" for one in report.since.new_findings)
    yield from report.since.grants
    yield f"{report.since.as_signed} See them with --all."


def _since(found: Since | None) -> dict[str, object] | None:
    """Return what changed since governors signed last, as data."""
    if found is None:
        return None
    return {"findings": list(found.new_findings), "grants": list(found.grants)}


def _report(settings: Settings) -> tuple[Policy, AccessReport]:
    people = slack_people(settings)
    if people is None:
        raise PeopleUnreadableError(
            "Who belongs to which group is not known here.", hint="Set SLACK_BOT_TOKEN."
        )
    with opened(settings) as database:
        policy = policy_of(settings, database)
        people.admit(policy.connect or ())
        definitions = list(_definitions(database))
        now = datetime.now(UTC)
        return policy, report_access(people, policy, definitions, database, now=now)


def _definitions(database: Database) -> Iterator[Definition]:
    for version in active_versions(database).values():
        stored = canonical_of(database, version)
        if stored is not None:
            yield Definition.from_canonical(stored.encode())


def _is_called(one: Grant, wanted: str) -> bool:
    names = {one.person.id, one.person.id.rpartition(":")[2], one.person.handle, one.person.name}
    return wanted.removeprefix("@").casefold() in {name.casefold() for name in names}


def _unbound(policy: Policy) -> list[str]:
    return [role.value for role in Role if not policy.bound(role)]


def _lines(policy: Policy, report: AccessReport, grants: list[Grant]) -> Iterator[str]:
    for who in {one.person.id: one.person for one in grants}.values():
        yield f"{who.name} ({who.id})"
        for one in grants:
            if one.person.id == who.id:
                used = utc(one.last_used) if one.last_used is not None else NOTHING
                yield f"  {one.role} of {one.scope} by {one.via}, last used {used}: {MAY[one.role]}"
    yield from (f"{name} could not be read in Slack." for name in report.unread)
    unbound = _unbound(policy)
    if unbound:
        yield f"Bound to nobody, and so asked of nobody: {', '.join(unbound)}."


def _data(report: AccessReport, one: Grant) -> dict[str, object]:
    return {
        "person": one.person.id,
        "name": one.person.name,
        "role": one.role,
        "scope": one.scope,
        "via": one.via,
        "may": MAY[one.role],
        "last_used": None if one.last_used is None else stamp(one.last_used),
        "findings": report.findings_of(one),
    }
