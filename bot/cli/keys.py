"""`interlock keys`: which keys sign here, bring one in, end one, replace one's own."""

import os
from collections.abc import Mapping

import click

from bot.beside import have_done
from bot.cli.output import answer, as_json_option, refuse_to_ask
from bot.cli.reading import opened
from bot.cli.stolen import advice_about
from bot.cli.typed import ENTRY, filled
from bot.key_orders import (
    EndOrder,
    EnrolOrder,
    RotateOrder,
    SecondOrder,
    key_data,
    this_machine,
)
from bot.settings import Settings, read_settings
from bot.wording import plural
from storage.enrolment import LogKeys
from storage.key_request import request_for
from storage.keys import LOG_KEY, WRITER_KEY, private_halves
from storage.log_setup import keys_of
from storage.new_writer import writer_to_enrol
from workflows.entry import Json

FIRST = "whoever began the log"
ALL = "the whole log"  # Whose a later key for heads is: no single machine's.


@click.group()
def keys() -> None:
    """Work with the keys that sign entries and heads of the log."""


@keys.command("list")
@as_json_option
def list_keys(*, as_json: bool) -> None:
    """List every key that the log knows, and which of them are in this home."""
    settings = read_settings()
    known, here = _known(settings), private_halves(settings.home)
    found = [{**key_data(one), "file": here.get(one.id)} for one in known.known.values()]
    answer({"origin": known.origin, "keys": found}, map(_line, found), as_json=as_json)


@keys.command()
@click.option("--holder", help="Who will use the key, by default this machine's name.")
@as_json_option
def new(holder: str | None, *, as_json: bool) -> None:
    """Make this machine's writer key, and print the line that asks for its enrolment."""
    settings = read_settings()
    known = _known(settings)
    writer = writer_to_enrol(settings.home, known)
    asked = request_for(writer, origin=known.origin, holder=holder or this_machine())
    is_enrolled = writer.id in known.known
    has_log_key = (settings.home / "keys" / LOG_KEY).exists()
    data = {
        "id": writer.id,
        "line": str(asked),
        "is_enrolled": is_enrolled,
        "has_log_key": has_log_key,
    }
    lines = _enrolled(writer.id) if is_enrolled else _to_carry(writer.id, str(asked))
    if not has_log_key:
        lines.append(f"This home needs a copy of keys/{LOG_KEY} as well; it signs heads.")
    answer(data, lines, as_json=as_json)


@keys.command()
@click.argument("line")
@as_json_option
def enrol(line: str, *, as_json: bool) -> None:
    """Enrol the key that LINE of `interlock keys new` asks for."""
    told = have_done(read_settings(), filled(EnrolOrder, line=line), user=os.getuid())
    key = _key(told)
    said = "Enrolled" if told["changed"] else "Enrolled before:"
    answer(
        dict(told),
        [f"{said} {key['id']} of {_whose(key)}, entry {key['added_at']}."],
        as_json=as_json,
    )


@keys.command()
@click.argument("key_id", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json_option
def retire(key_id: str, *, yes: bool, as_json: bool) -> None:
    """End a key that is not used any more. What it signed stays as good as it was."""
    order = filled(EndOrder, key=key_id)
    refuse_to_ask(yes=yes, as_json=as_json)
    if not yes:
        key = _known(read_settings()).named(key_id)
        what = "Its machine cannot write" if key.role == "entry" else "No head counts that it signs"
        _confirm(f"End the key {key_id} ({_whose(key_data(key))})? {what} any more.")
    _end(order, as_json=as_json)


@keys.command()
@click.argument("key_id", metavar="ID")
@click.option("--from", "since", required=True, type=ENTRY, help="The first doubtful entry.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json_option
def revoke(key_id: str, since: int, *, yes: bool, as_json: bool) -> None:
    """End a key that somebody else may have; its entries from --from on become doubtful."""
    order = filled(EndOrder, key=key_id, since=since)
    refuse_to_ask(yes=yes, as_json=as_json)
    if not yes:
        key = _known(read_settings()).named(key_id)
        what = f"entry it signed from {since} on"
        if key.role == "log":
            what = f"head of more than {plural(since, 'entry', 'entries')} that it alone signed"
        whose = _whose(key_data(key))
        _confirm(f"Revoke the key {key_id} ({whose})? Every {what} stays unproven for ever.")
    _end(order, as_json=as_json)


@keys.command()
@click.option("--holder", default="", help="Who uses the key, by default this machine's name.")
@click.option("--log", "is_log", is_flag=True, help="The key that signs heads, for all machines.")
@as_json_option
def rotate(holder: str, *, is_log: bool, as_json: bool) -> None:
    """Give this home another writer key and end the one it had. Cut short, run it again."""
    told = have_done(
        read_settings(), filled(RotateOrder, holder=holder, log=is_log), user=os.getuid()
    )
    key = _key(told)
    entry = f"entry {key['added_at']}"
    lines = (
        [
            f"Heads are signed by {key['id']} now ({entry}). A key pinned outside stays good.",
            "Bring keys/log.pem to every other machine of this log, and start the bot there again.",
            "Only then end the old key, with `interlock keys retire`; `keys list` shows it.",
        ]
        if is_log
        else [
            f"This home signs with {key['id']} now ({entry}); the old key is ended.",
            f"Keep a copy of keys/{WRITER_KEY}.",
        ]
    )
    answer(dict(told), lines, as_json=as_json)


@keys.command()
@as_json_option
def second(*, as_json: bool) -> None:
    """Bring the second key into the log: it signs the heads that leave for outside."""
    told = have_done(read_settings(), SecondOrder(), user=os.getuid())
    key = _key(told)
    lines = [
        f"Anchored heads are signed by {key['id']} as well (entry {key['added_at']}).",
        "Hand its key to whoever holds the first one:",
        f"  {key['vkey']}",
    ]
    answer(dict(told), lines, as_json=as_json)


@keys.command()
@click.argument("key_id", metavar="[ID]", required=False)
@as_json_option
def stolen(key_id: str | None, *, as_json: bool) -> None:
    """Say what to do, in order, when somebody else may have a key. It changes nothing."""
    told = advice_about(read_settings(), key_id)
    answer(told.data, told.lines, as_json=as_json)


def _end(order: EndOrder, *, as_json: bool) -> None:
    told = have_done(read_settings(), order, user=os.getuid())
    key = _key(told)
    said = "is" if told["changed"] else "was already"
    answer(
        dict(told),
        [f"The key {key['id']} {said} {key['state']}, entry {key['ended_at']}.{_doubt(key)}"],
        as_json=as_json,
    )


def _doubt(key: Mapping[str, Json]) -> str:
    since = key["revoked_from"]
    return "" if since is None else f" It is doubtful from #{since} on."


def _confirm(question: str) -> None:
    click.confirm(question, abort=True, err=True)


def _known(settings: Settings) -> LogKeys:
    with opened(settings) as database:
        return keys_of(database)


def _key(told: Mapping[str, Json]) -> Mapping[str, Json]:
    found = told["key"]
    return found if isinstance(found, dict) else {}


def _line(key: Mapping[str, Json]) -> str:
    role = "heads" if key["role"] == "log" else "entries"
    state = str(key["state"])
    if key["ended_at"] is not None:
        state += f" by #{key['ended_at']}"
    if key["revoked_from"] is not None:
        state += f", doubtful from #{key['revoked_from']}"
    where = f"  here: keys/{key['file']}" if key["file"] else ""
    return f"{key['id']}  {role:<7}  added by #{key['added_at']}, {state}  {_whose(key)}{where}"


def _whose(key: Mapping[str, Json]) -> str:
    return str(key["holder"] or (ALL if key["added_at"] else FIRST))


def _enrolled(writer: str) -> list[str]:
    return [f"The key {writer} of this home is enrolled already."]


def _to_carry(writer: str, line: str) -> list[str]:
    return [
        f"This home has the writer key {writer}. It is not enrolled yet. Carry this line to a",
        "machine whose key is, and type there:",
        f"  interlock keys enrol {line}",
    ]
