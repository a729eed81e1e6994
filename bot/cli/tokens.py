"""`interlock token create`, `list` and `revoke`: who may start runs over HTTP, and for whom."""

import os
import re
from datetime import UTC, datetime, timedelta

import click

from bot.beside import have_done
from bot.cli.output import answer, as_json_option
from bot.cli.reading import opened
from bot.cli.typed import filled
from bot.settings import read_settings
from bot.token_orders import LONGEST, NAME, RevokeOrder, TokenOrder
from storage.tokens import StoredToken, list_tokens
from workflows.duration import duration, duration_text
from workflows.moments import stamp


def _length(_: click.Context, __: click.Parameter, written: str) -> timedelta:
    try:
        length = duration(written)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    if length > LONGEST:
        raise click.BadParameter(f"a token lasts at most {duration_text(LONGEST)}")
    return length


@click.group()
def token() -> None:
    """Let programs start runs for a person, over HTTP."""


@token.command("create")
@click.argument("name")
@click.option("--owner", required=True, help='Whom it stands for: "@rita" or a user id.')
@click.option("--workflow", "workflows", multiple=True, help="Only these; again for each.")
@click.option(
    "--expires",
    "lasts",
    callback=_length,
    default="90d",
    show_default=True,
    help="How long it opens anything.",
)
@as_json_option
def create(
    name: str, owner: str, workflows: tuple[str, ...], lasts: timedelta, *, as_json: bool
) -> None:
    """Make the token NAME and print it. It is never shown again."""
    _refuse_name(name)
    order = filled(TokenOrder, name=name, owner=owner, workflows=workflows, lasts=lasts)
    told = have_done(read_settings(), order, user=os.getuid())
    lines = [
        str(told["token"]),
        f"It stands for {told['owner']} until {told['expires_at']}.",
        "Keep it secret; it is not shown again.",
    ]
    answer(dict(told), lines, as_json=as_json)


@token.command("list")
@as_json_option
def list_all(*, as_json: bool) -> None:
    """List every token, with its owner and its last use."""
    with opened(read_settings()) as database:
        found = list_tokens(database)
    now = datetime.now(UTC)
    lines = [_line(one, now) for one in found]
    data = {"tokens": [_data(one, now) for one in found]}
    answer(data, lines or ["There are none."], as_json=as_json)


@token.command("revoke")
@click.argument("name")
@as_json_option
def revoke(name: str, *, as_json: bool) -> None:
    """Let the token NAME open nothing from now on. Runs that it started go on."""
    _refuse_name(name)
    told = have_done(read_settings(), filled(RevokeOrder, name=name), user=os.getuid())
    answer(dict(told), [f"The token {name} is revoked."], as_json=as_json)


def _refuse_name(name: str) -> None:
    if not re.fullmatch(NAME, name):
        raise click.UsageError("A token's name has small letters, digits, - and _, at most 64.")


def _state(one: StoredToken, now: datetime) -> str:
    if one.revoked_at is not None:
        return "revoked"
    if one.owner is None:
        return "ownerless"
    return "live" if one.is_live(now) else "expired"


def _line(one: StoredToken, now: datetime) -> str:
    used = f"used {stamp(one.last_used_at)}" if one.last_used_at else "never used"
    limits = ", ".join(one.workflows) or "all that the owner may run"
    owner = one.owner_name or "somebody"
    until = f"until {stamp(one.expires_at)}"
    return f"{one.name:<24} {_state(one, now):<9} {owner}, {until}, {used}; {limits}"


def _data(one: StoredToken, now: datetime) -> dict[str, object]:
    return {
        "name": one.name,
        "state": _state(one, now),
        "owner": one.owner_name,
        "workflows": list(one.workflows),
        "created_at": stamp(one.created_at),
        "expires_at": stamp(one.expires_at),
        "revoked_at": stamp(one.revoked_at) if one.revoked_at else None,
        "last_used_at": stamp(one.last_used_at) if one.last_used_at else None,
    }
