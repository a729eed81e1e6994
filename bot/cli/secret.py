"""`interlock secret set`, `list`, `rotate` and `forget`: the values that steps need.

A value is typed or piped in. It is never an argument: those stand in the shell's history and in
the list of processes.
"""

import os
import re
import sys
from collections.abc import Mapping
from typing import Any

import click
from pydantic import SecretStr

from bot.beside import have_done
from bot.cli.output import answer, as_json_option
from bot.cli.typed import filled
from bot.secret_orders import (
    NAME,
    ForgetSecretOrder,
    ListSecretsOrder,
    RotateSecretsOrder,
    SetSecretOrder,
)
from bot.secret_sources.port import LONGEST, checked
from bot.settings import Settings, read_settings
from bot.wording import plural
from storage.journal import utc_now
from workflows.entry import Json


@click.group()
def secret() -> None:
    """Keep the secrets that steps need, sealed in the database."""


@secret.command("set")
@click.argument("name")
@click.argument("surplus", nargs=-1, metavar="")
@as_json_option
def set_value(name: str, surplus: tuple[str, ...], *, as_json: bool) -> None:
    """Keep a value under NAME: typed without being shown, or piped in."""
    if surplus:  # What click says of it would show it once more.
        raise click.UsageError(
            "A value is never an argument: it stands in the shell's history now, and in the list"
            " of processes. If it was one, have it changed, and pipe the new one in."
        )
    _refuse_name(name)
    order = filled(SetSecretOrder, name=name, value=SecretStr(checked(_value(), "The value")))
    told = have_done(read_settings(), order, user=os.getuid())
    lines = [f"{told['secret']} is set, version {told['version']}. The next step uses it."]
    if told["hidden_by"]:
        lines.append(f"But the {told['hidden_by']} has a secret of that name, which comes first.")
    answer(dict(told), lines, as_json=as_json)


@secret.command("list")
@as_json_option
def list_all(*, as_json: bool) -> None:
    """List every secret that is kept or needed; never a value."""
    told = have_done(read_settings(), ListSecretsOrder(), user=os.getuid())
    found = told["secrets"] if isinstance(told["secrets"], list) else []
    lines = [_line(one) for one in found if isinstance(one, dict)]
    answer(dict(told), lines or ["There are none, and none is needed."], as_json=as_json)


@secret.command("rotate")
@click.option("--master", is_flag=True, help="Make a new master key in the home folder too.")
@as_json_option
def rotate(*, master: bool, as_json: bool) -> None:
    """Seal all that lies sealed in the database by a new key. The values stay as they are."""
    settings, order = read_settings(), RotateSecretsOrder(master=master)
    is_host = settings.serves_many and not settings.workspace
    told = (
        _rotated_for_host(settings, master=master)
        if is_host
        else have_done(settings, order, user=os.getuid())
    )
    count = plural(int(str(told["values"])), "value is", "values are")
    answer(dict(told), [f"{count} sealed by a new key."], as_json=as_json)


@secret.command("forget")
@click.argument("name")
@as_json_option
def forget(name: str, *, as_json: bool) -> None:
    """Remove the value kept under NAME. Steps that need it fail from now on."""
    _refuse_name(name)
    told = have_done(read_settings(), filled(ForgetSecretOrder, name=name), user=os.getuid())
    answer(dict(told), [f"{told['secret']} is forgotten."], as_json=as_json)


def _rotated_for_host(settings: Settings, *, master: bool) -> Mapping[str, Json]:
    """Seal the tokens of all installations anew; each workspace's own secrets are its own."""
    from bot.workspaces.register import resealed  # noqa: PLC0415 - only a host has it.

    return {"ok": True, "values": resealed(settings, renewed=master, now=utc_now)}


def _refuse_name(name: str) -> None:
    if not re.fullmatch(NAME, name):
        raise click.UsageError(
            "A secret's name begins with a letter and has letters, digits, `_.-`, at most 64."
        )


def _value() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Value", hide_input=True, confirmation_prompt="Once more"))
    try:
        given = sys.stdin.read(4 * LONGEST)
        given.encode()  # In some locales bytes that are no UTF-8 come as halves of characters.
    except UnicodeError:
        raise click.UsageError("The value is no text in UTF-8.") from None
    return given.removesuffix("\n").removesuffix("\r")


def _line(one: Mapping[str, Any]) -> str:
    version = f"version {one['version']}" if one["version"] else ""
    used = f"used {one['last_used_at']}" if one["last_used_at"] else "never used"
    users = ", ".join(one["used_by"]) or "needed by none"
    told = [one["source"] or "NOT SET", one["trouble"], version, one["set_at"], used, users]
    return f"{one['secret']:<24} " + "; ".join(each for each in told if each)
